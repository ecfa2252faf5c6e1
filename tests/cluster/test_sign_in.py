"""The API server takes the tokens of the installation's realm, here one of the test's own, and no others."""

import base64
import http.client
import json
import ssl
import time
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from swath_sde.trust import Request, installation_authority


def _text(content):
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _number(value):
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Realm:
    """An issuer of tokens."""

    def __init__(self, issuer):
        self.issuer = issuer
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def files(self):
        """Return what it serves: discovery (OpenID Connect Discovery 1.0, section 4) and keys (RFC 7517)."""
        path = urlsplit(self.issuer).path.strip("/").replace("/", "--")
        public = self.key.public_key().public_numbers()
        key = {
            "kty": "RSA",
            "alg": "RS256",
            "use": "sig",
            "kid": "1",
            "n": _number(public.n),
            "e": _number(public.e),
        }
        discovery = {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/certs",
            "authorization_endpoint": f"{self.issuer}/auth",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }
        return {
            f"{path}--.well-known--openid-configuration": json.dumps(discovery),
            f"{path}--certs": json.dumps({"keys": [key]}),
        }

    def token(self, **changes):
        """Return a token (RFC 7519)."""
        claims = {
            "iss": self.issuer, "aud": "kubernetes", "sub": "1", "preferred_username": "ada",
            "groups": ["scientists"], "iat": int(time.time()) - 5, "exp": int(time.time()) + 300,
        } | changes  # fmt: skip
        head = {"alg": "RS256", "kid": "1", "typ": "JWT"}
        signed = ".".join(_text(json.dumps(part).encode()) for part in (head, claims))
        signature = self.key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{signed}.{_text(signature)}"


@pytest.fixture
def realm(cluster, manifest, retry):
    """A realm at the address that the installation says, behind the name of the ingress."""
    installation = cluster.installation
    made = Realm(installation.issuer)
    namespace = installation.namespace("ingress")
    host = installation.host("keycloak")
    pem = installation_authority(installation).issue(Request(host, ("server",), hosts=(host,)))
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "realm"},
        "stringData": made.files() | {"tls.pem": pem},
    }
    front = manifest.service("ingress", installation.where.https_port)
    front["spec"]["selector"] = {"app": "realm"}
    served = manifest.pod("realm", "serve", "8080", "/data", "/data/tls.pem", secret="realm")
    listed = {"apiVersion": "v1", "kind": "List", "items": [secret, served, front]}
    cluster.kubectl("delete", "namespace", namespace, "--ignore-not-found")  # another test may have left it
    cluster.kubectl("create", "namespace", namespace)
    try:
        retry(lambda: cluster.kubectl("-n", namespace, "get", "serviceaccount", "default"))
        cluster.kubectl("-n", namespace, "apply", "-f", "-", stdin=json.dumps(listed))
        retry(lambda: cluster.kubectl("-n", namespace, "wait", "pod/realm", "--for=condition=Ready"))
        yield made
    finally:
        cluster.kubectl("delete", "namespace", namespace)


@pytest.fixture
def status(cluster):
    """Ask the API server for the pods of a namespace with a token; return the status of the answer."""
    address = urlsplit(cluster.status().api)
    trusted = ssl.create_default_context(cafile=str(cluster.state / "node" / "keys" / "cluster" / "ca.crt"))

    def ask(namespace, token):
        connection = http.client.HTTPSConnection(address.hostname, address.port, context=trusted, timeout=10)
        with closing(connection):
            path = f"/api/v1/namespaces/{namespace}/pods"
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            with connection.getresponse() as answer:
                return answer.status

    return ask


def test_tokens_of_the_realm_are_taken_and_no_others(cluster, realm, status, namespace, kubectl, retry):
    # The API server looks for the realm now and then, as it may come up later than the cluster.
    assert retry(lambda: status(namespace, realm.token()) == 403, within=90)  # known, and without rights
    kubectl("create", "rolebinding", "readers", "--clusterrole=view", "--group=oidc:scientists")
    assert retry(lambda: status(namespace, realm.token()) == 200)
    assert status("kube-system", realm.token()) == 403
    assert status(namespace, realm.token(groups=["others"])) == 403
    assert status(namespace, realm.token(groups=["system:masters"])) == 403
    assert status(namespace, realm.token(preferred_username="system:admin", groups=[])) == 403
    assert status(namespace, realm.token(exp=int(time.time()) - 60)) == 401
    assert status(namespace, realm.token(aud="hub")) == 401
    assert status(namespace, realm.token(iss="https://elsewhere.invalid")) == 401
    assert status(namespace, Realm(realm.issuer).token()) == 401  # another key
    assert status(namespace, realm.token()[:-8] + "AAAAAAAA") == 401

"""Who may do what in the embedded cluster, and what of it is kept secret."""

import http.client
import json
import ssl
import stat
from contextlib import closing

import pytest
from swath_sde.cluster import NodeError


@pytest.fixture
def ask(cluster):
    """Ask the API server without a certificate; return status and body."""
    from urllib.parse import urlsplit

    address = urlsplit(cluster.status().api)
    trusted = ssl.create_default_context(cafile=str(cluster.state / "node" / "keys" / "cluster" / "ca.crt"))

    def get(path, token=None):
        connection = http.client.HTTPSConnection(address.hostname, address.port, context=trusted, timeout=10)
        with closing(connection):
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"} if token else {})
            with connection.getresponse() as answer:
                return answer.status, answer.read().decode()

    return get


def test_strangers_see_whether_it_is_healthy_and_nothing_else(ask):
    assert ask("/readyz")[0] == 200
    assert ask("/api/v1/namespaces")[0] == 401
    assert ask("/version")[0] == 401
    assert ask("/api/v1/namespaces", token="forged")[0] == 401


def test_a_service_account_may_only_what_it_was_given(cluster, namespace, kubectl, ask):
    token = kubectl("create", "token", "default").strip()
    path = f"/api/v1/namespaces/{namespace}/pods"
    assert ask(path, token=token)[0] == 403
    kubectl("create", "role", "reader", "--verb=list", "--resource=pods")
    kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:default")
    assert ask(path, token=token)[0] == 200
    assert ask("/api/v1/namespaces/kube-system/pods", token=token)[0] == 403
    assert ask(path, token=token[:-6] + "AAAAAA")[0] == 401


@pytest.mark.parametrize(
    ("user", "group", "verb", "what", "answer"),
    [
        ("swath:administrator", "system:masters", "*", "*", "yes"),
        ("oidc:ada", "oidc:developers", "list", "pods", "no"),
        ("oidc:ada", "system:masters", "list", "pods", "yes"),  # what the prefix keeps a token's groups from
        ("swath:volumes", "none", "create", "persistentvolumes", "yes"),
        ("swath:volumes", "none", "get", "secrets", "no"),
        ("swath:dns", "none", "list", "endpointslices.discovery.k8s.io", "yes"),
        ("swath:dns", "none", "list", "secrets", "no"),
        ("swath:policies", "none", "list", "networkpolicies.networking.k8s.io", "yes"),
        ("swath:policies", "none", "delete", "networkpolicies.networking.k8s.io", "no"),
    ],
)
def test_rights(cluster, user, group, verb, what, answer):
    words = ["auth", "can-i", verb, what, "--all-namespaces", f"--as={user}", f"--as-group={group}"]
    if answer == "yes":
        assert cluster.kubectl(*words).startswith("yes")
    else:  # a "no" is told by the exit status
        with pytest.raises(NodeError, match="can-i"):
            cluster.kubectl(*words)


def test_a_node_cannot_touch_another_nodes_object(cluster, node):
    identity = ["--as=system:node:other", "--as-group=system:nodes"]
    with pytest.raises(NodeError, match=r"not allowed|forbidden"):
        cluster.kubectl(*identity, "label", "node", node.settings.name, "x=y")


def test_secrets_are_encrypted_where_they_are_stored(cluster, namespace, kubectl, node):
    kubectl("create", "secret", "generic", "word", "--from-literal=password=plain-to-see-91")
    assert kubectl("get", "secret", "word", "-o", "jsonpath={.data.password}")
    stored = b"".join(
        file.read_bytes() for file in (cluster.state / "data" / "etcd").rglob("*") if file.is_file()
    )
    assert namespace.encode() in stored
    assert b"plain-to-see-91" not in stored
    assert b"k8s:enc:secretbox:v1" in stored


def test_the_audit_log_tells_who_did_what_and_no_secret(cluster, namespace, kubectl, retry):
    kubectl("create", "secret", "generic", "word", "--from-literal=password=plain-to-see-92")

    def entries():
        lines = (cluster.state / "log" / "audit.log").read_text().splitlines()
        events = [json.loads(line) for line in lines if line.endswith("}")]
        return [
            event
            for event in events
            if event["verb"] == "create"
            and event.get("objectRef", {}).get("resource") == "secrets"
            and event["objectRef"].get("namespace") == namespace
        ]

    assert retry(entries, within=90)[0]["user"]["username"] == "swath:administrator"
    logs = [file for file in (cluster.state / "log").rglob("*") if file.is_file()]
    assert not [file for file in logs if b"plain-to-see-92" in file.read_bytes()]


def test_keys_are_closed_to_other_users(cluster):
    private = [
        file
        for file in (
            *cluster.state.rglob("*.pem"),
            *cluster.state.rglob("*.key"),
            *cluster.state.rglob("*kubeconfig"),
        )
        if "data" not in file.relative_to(cluster.state).parts
    ]
    assert len(private) > 15
    assert {stat.S_IMODE(file.stat().st_mode) for file in private} == {0o600}
    assert stat.S_IMODE((cluster.state / "node" / "keys" / "encryption.yaml").stat().st_mode) == 0o600
    assert stat.S_IMODE(cluster.state.stat().st_mode) == 0o700


def test_no_key_is_in_a_command_line(cluster):
    from pathlib import Path

    told = "".join(
        (process / "cmdline").read_text(errors="replace")
        for process in Path("/proc").glob("[0-9]*")
        if (process / "cmdline").exists()
    )
    for line in (cluster.state / "node" / "keys" / "encryption.yaml").read_text().splitlines():
        if "secret:" in line:
            assert line.split()[-1] not in told

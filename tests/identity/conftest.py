"""A real Keycloak on a free loopback port, with TLS from a CA of the tests' own, started once."""

import base64
import datetime as dt
import hashlib
import ipaddress
import os
import secrets
import shutil
import signal
import subprocess
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from keycloak import KeycloakAdmin
from kubernetes import client, utils
from swath_sde.cluster._binaries import build_programs
from swath_sde.cluster._configuration import _authentication
from swath_sde.configuration import Installation, PasswordPolicy
from swath_sde.identity import (
    Administration,
    SecretPlace,
    apply_identity,
    kubernetes_access,
    new_password,
)
from swath_sde.identity._server import connected
from swath_sde.places import cache_folder, made_whole

VERSION = "26.7.3"
SHA256 = "27a6535553c3cdcd083872ba40629efafb3475e3b758e0c6f691395561dd0f1f"
"""Of the distribution in Maven Central, by sha256sum."""


@dataclass
class KeptSecrets:
    """Secrets in memory, in the place of the cluster's."""

    passwords: dict[str, str] = field(default_factory=dict)
    clients: dict[str, str] = field(default_factory=dict)

    def read(self, place: SecretPlace) -> str:
        return self.clients.setdefault(place.name, secrets.token_urlsafe(32))

    def first_password(self, username: str, policy: PasswordPolicy) -> str:
        return self.passwords.setdefault(username, new_password(policy))

    def forget(self, username: str) -> None:
        self.passwords.pop(username, None)


@dataclass(frozen=True)
class Keycloak:
    """A running server."""

    url: str
    ca_bundle: Path
    pid: int
    username: str
    password: str

    @property
    def administration(self) -> Administration:
        return Administration(
            url=self.url, ca_bundle=self.ca_bundle, username=self.username, password=self.password
        )


@dataclass
class Realm:
    """An installation whose realm is in the server, and that no other test touches."""

    keycloak: Keycloak
    installation: Installation
    secrets: KeptSecrets

    @property
    def issuer(self) -> str:
        return f"{self.keycloak.url}/realms/{self.installation.identity.realm}"

    @contextmanager
    def admin(self) -> Iterator[KeycloakAdmin]:
        """Do something by hand, as an administrator of the server."""
        with connected(self.keycloak.administration, self.installation.identity.realm) as server:
            yield server.admin

    def apply(self, **identity: object) -> list:
        """Apply, after changing the description where that is given."""
        if identity:
            plain = self.installation.model_dump(by_alias=True)
            plain["identity"].update(identity)
            self.installation = Installation.model_validate(plain)
        return apply_identity(self.installation, self.keycloak.administration, self.secrets)


def certificate(
    folder: Path,
    name: str,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None = None,
    organization: str = "tests",
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make NAME.crt and NAME.key: an authority, or a certificate of one for localhost."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, name),
        ]
    )
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
    )
    if issuer:
        names = [
            x509.DNSName("localhost"),
            x509.DNSName("keycloak.swath.invalid"),
            x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
        ]
        built = built.add_extension(x509.SubjectAlternativeName(names), critical=False)
    made = built.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.crt").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return made, key


@pytest.fixture(scope="session")
def keycloak_home() -> Path:
    """Return Keycloak's folder, fetched and built for a database in memory where it is not there."""
    home = cache_folder() / "tests" / f"keycloak-{VERSION}-{SHA256[:12]}"
    if home.is_dir():
        return home
    missing = [program for program in ("mvn", "java") if shutil.which(program) is None]
    assert not missing, (
        f"these tests run a Keycloak: install {' and '.join(missing)} (Debian: apt-get install maven)"
    )
    with made_whole(home) as partial:
        subprocess.run(
            [
                "mvn",
                "--quiet",
                "--batch-mode",
                "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy",
                f"-Dartifact=org.keycloak:keycloak-quarkus-dist:{VERSION}:zip",
                f"-DoutputDirectory={partial}",
            ],
            check=True,
        )
        archive = partial / f"keycloak-quarkus-dist-{VERSION}.zip"
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == SHA256
        with zipfile.ZipFile(archive) as packed:
            packed.extractall(partial)
        archive.unlink()
        for found in (partial / f"keycloak-{VERSION}").iterdir():
            found.rename(partial / found.name)
        (partial / "bin" / "kc.sh").chmod(0o755)
        build = ["build", "--db=dev-mem", "--health-enabled=true", "--cache=local"]
        subprocess.run([partial / "bin" / "kc.sh", *build], check=True, stdout=subprocess.DEVNULL)
    return home


@pytest.fixture
def other_authority(tmp_path: Path) -> Path:
    certificate(tmp_path, "ca")
    return tmp_path / "ca.crt"


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an authority, ca.crt, and a certificate for localhost, tls.crt and tls.key."""
    folder = tmp_path_factory.mktemp("authority")
    authority = certificate(folder, "ca")
    certificate(folder, "tls", authority)
    certificate(folder, "kubernetes-admin", authority, "system:masters")
    return folder


@contextmanager
def started(home: Path, authority: Path, log: Path, free_port: Callable[[], int]) -> Iterator[Keycloak]:
    """Start a server with a database in memory; end it and what it started, by their process group."""
    port, management = free_port(), free_port()
    password = secrets.token_urlsafe(16)
    url = f"https://localhost:{port}"
    environment = {
        "PATH": os.environ["PATH"],
        "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx512m",
        # A server of two minutes gains nothing from code that is compiled well, and pays for it.
        "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",
        "KC_BOOTSTRAP_ADMIN_USERNAME": "root",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": password,
    }
    if "JAVA_HOME" in os.environ:
        environment["JAVA_HOME"] = os.environ["JAVA_HOME"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [
                home / "bin" / "kc.sh",
                "start",
                "--optimized",
                f"--hostname={url}",
                "--http-host=127.0.0.1",
                f"--https-port={port}",
                f"--https-certificate-file={authority / 'tls.crt'}",
                f"--https-certificate-key-file={authority / 'tls.key'}",
                f"--truststore-paths={authority / 'ca.crt'}",
                f"--http-management-port={management}",
            ],
            env=environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Keycloak(url, authority / "ca.crt", process.pid, "root", password)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@pytest.fixture
def start_keycloak(
    keycloak_home: Path, authority: Path, tmp_path: Path, free_port: Callable[[], int]
) -> Callable[[], AbstractContextManager[Keycloak]]:
    """Return what starts another server, without waiting for it."""
    return lambda: started(keycloak_home, authority, tmp_path / "log", free_port)


@pytest.fixture(scope="session")
def keycloak(
    keycloak_home: Path,
    authority: Path,
    tmp_path_factory: pytest.TempPathFactory,
    free_port: Callable[[], int],
) -> Iterator[Keycloak]:
    log = tmp_path_factory.mktemp("keycloak") / "log"
    with started(keycloak_home, authority, log, free_port) as server:
        deadline = time.monotonic() + 240
        while True:
            try:
                answer = requests.get(f"{server.url}/realms/master", verify=str(server.ca_bundle), timeout=10)
                if answer.status_code == 200:
                    break
            except requests.exceptions.ConnectionError:
                pass
            assert time.monotonic() < deadline, f"Keycloak did not start:\n{log.read_text()[-3000:]}"
            time.sleep(0.2)
        yield server


GROUPS = {
    "admins": {"role": "platform-admin"},
    "maintainers-land": {"role": "maintainer"},
    "developers-land": {"role": "developer"},
    "scientists": {"role": "reader"},
    "auditors": {"role": "reader", "workspace": False},
}


def described(realm: str, **identity: object) -> Installation:
    """Return an installation with a user in each group, whose first passwords need no change."""
    users = [
        {
            "username": f"one-of-{group}",
            "email": f"{group}@example.org",
            "first_name": "One",
            "last_name": group.title(),
            "groups": [group],
        }
        for group in GROUPS
    ]
    content = {"realm": realm, "groups": GROUPS, "users": users, "temporary_passwords": False, **identity}
    return Installation.model_validate({"name": "tests", "identity": content})


@pytest.fixture
def unapplied(keycloak: Keycloak) -> Realm:
    """Return a realm of this test's own that does not exist yet."""
    return Realm(keycloak, described(f"r{secrets.token_hex(6)}"), KeptSecrets())


@pytest.fixture
def realm(unapplied: Realm) -> Realm:
    """Return a realm of this test's own, applied once."""
    unapplied.apply()
    return unapplied


@pytest.fixture(scope="session")
def shared_realm(keycloak: Keycloak) -> Realm:
    """Return a realm for all tests that leave it as it is."""
    made = Realm(keycloak, described(f"r{secrets.token_hex(6)}"), KeptSecrets())
    made.apply()
    return made


class Form(HTMLParser):
    """The form of a page of Keycloak: where it goes, and its fields."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form" and self.action is None:
            self.action = given["action"]
        elif tag == "input" and given.get("name"):
            self.fields[str(given["name"])] = given.get("value") or ""


class Browser:
    """Logs in as a browser does, for a client that has a redirect URI and a PKCE verifier."""

    def __init__(self, realm: Realm, client: str = "kubernetes") -> None:
        self.realm, self.client = realm, client
        self.redirect_uri = {
            "kubernetes": "http://127.0.0.1:40123/callback",
            "hub": f"{realm.installation.url('hub')}/hub/oauth_callback",
        }[client]
        self.verifier = secrets.token_urlsafe(48)
        self.session = requests.Session()
        self.session.trust_env = False  # REQUESTS_CA_BUNDLE would win over the session's own bundle
        self.session.verify = str(realm.keycloak.ca_bundle)

    @property
    def endpoint(self) -> str:
        return f"{self.realm.issuer}/protocol/openid-connect"

    def ask(self, **other: str | None) -> requests.Response:
        """Ask for a code; what is ``None`` is left out of the question."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        question: dict[str, str | None] = {
            "client_id": self.client,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": self.redirect_uri,
            "state": "a-state",
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
            **other,
        }
        given = {key: value for key, value in question.items() if value is not None}
        return self.session.get(f"{self.endpoint}/auth", params=given, allow_redirects=False, timeout=30)

    def fill(self, page: requests.Response, **fields: str) -> requests.Response:
        """Send the form of a page with fields filled in, and follow to Keycloak's own next page."""
        form = Form(page.text)
        assert form.action, page.text[-500:]
        answer = self.session.post(
            form.action, data={**form.fields, **fields}, allow_redirects=False, timeout=30
        )
        while answer.is_redirect and answer.headers["Location"].startswith(self.realm.keycloak.url):
            answer = self.session.get(answer.headers["Location"], allow_redirects=False, timeout=30)
        return answer

    def enter(self, username: str, password: str) -> requests.Response:
        """Enter a name and a password; the answer is a redirect to the client, or another page."""
        return self.fill(self.ask(), username=username, password=password)

    def code(self, answer: requests.Response) -> str:
        """Return the code that an answer takes to the client."""
        assert answer.is_redirect, f"{answer.status_code}: no redirect to the client"
        assert answer.headers["Location"].startswith(self.redirect_uri)
        return parse_qs(urlsplit(answer.headers["Location"]).query)["code"][0]

    def exchange(self, **fields: str) -> requests.Response:
        """Ask for tokens."""
        if self.client == "hub":
            fields.setdefault("client_secret", self.realm.secrets.clients["hub"])
        return self.session.post(
            f"{self.endpoint}/token", data={"client_id": self.client, **fields}, timeout=30
        )

    def redeem(self, code: str, **other: str) -> requests.Response:
        """Ask for the tokens of a code."""
        return self.exchange(
            **{
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": self.redirect_uri,
                "code_verifier": self.verifier,
                **other,
            }
        )

    def refresh(self, tokens: dict[str, str]) -> requests.Response:
        """Ask for new tokens with the refresh token."""
        return self.exchange(grant_type="refresh_token", refresh_token=tokens["refresh_token"])

    def log_in(self, username: str) -> dict[str, str]:
        """Log in with the first password and return the tokens."""
        answer = self.enter(username, self.realm.secrets.passwords[username])
        redeemed = self.redeem(self.code(answer))
        assert redeemed.status_code == 200, redeemed.text
        return dict(redeemed.json())

    def user_info(self, access_token: str) -> requests.Response:
        """Ask who a token is for, as JupyterHub does."""
        return self.session.get(
            f"{self.endpoint}/userinfo", headers={"Authorization": f"Bearer {access_token}"}, timeout=30
        )


@pytest.fixture
def browser() -> Iterator[Callable[..., Browser]]:
    """Return what opens a browser; all are closed at the end."""
    opened: list[Browser] = []

    def open_browser(realm: Realm, client: str = "kubernetes") -> Browser:
        opened.append(Browser(realm, client))
        return opened[-1]

    yield open_browser
    for one in opened:
        one.session.close()


@dataclass(frozen=True)
class ApiServer:
    """A running Kubernetes API server, without nodes."""

    url: str
    ca_bundle: Path
    admin: client.ApiClient

    @contextmanager
    def as_bearer(self, token: str) -> Iterator[client.ApiClient]:
        """Return a client that shows a token."""
        settings = client.Configuration(
            host=self.url, api_key={"authorization": token}, api_key_prefix={"authorization": "Bearer"}
        )
        settings.ssl_ca_cert = str(self.ca_bundle)
        with client.ApiClient(settings) as api:
            yield api


@pytest.fixture(scope="session")
def api_server(
    authority: Path,
    shared_realm: Realm,
    tmp_path_factory: pytest.TempPathFactory,
    free_port: Callable[[], int],
) -> Iterator[ApiServer]:
    """Start etcd and the API server of the embedded cluster for the shared realm, and apply the matrix."""
    node = build_programs(print) / "node"
    folder = tmp_path_factory.mktemp("api-server")
    etcd, peer, port = (f"http://127.0.0.1:{free_port()}", f"http://127.0.0.1:{free_port()}", free_port())
    settings = SimpleNamespace(issuer=shared_realm.issuer)  # all that the cluster's own function asks for
    ca = authority / "ca.crt"
    (folder / "authentication.yaml").write_text(yaml.safe_dump(_authentication(settings, ca.read_text())))
    key = authority / "tls.key"
    programs = {
        "etcd": [
            f"--data-dir={folder / 'etcd-data'}",
            f"--listen-client-urls={etcd}",
            f"--advertise-client-urls={etcd}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
            "--unsafe-no-fsync",
        ],
        "kube-apiserver": [
            "--bind-address=127.0.0.1",
            f"--secure-port={port}",
            f"--etcd-servers={etcd}",
            f"--tls-cert-file={authority / 'tls.crt'}",
            f"--tls-private-key-file={key}",
            f"--client-ca-file={ca}",
            "--authorization-mode=RBAC",
            f"--authentication-config={folder / 'authentication.yaml'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={authority / 'tls.crt'}",
            f"--service-account-signing-key-file={key}",
            "--service-cluster-ip-range=10.200.0.0/24",
        ],
    }
    settings = client.Configuration(host=f"https://127.0.0.1:{port}")
    settings.ssl_ca_cert = str(ca)
    settings.cert_file = str(authority / "kubernetes-admin.crt")
    settings.key_file = str(authority / "kubernetes-admin.key")
    running = []
    try:
        for name, arguments in programs.items():
            with (folder / f"{name}.log").open("wb") as log:
                running.append(subprocess.Popen([node, name, *arguments], stdout=log, stderr=log, cwd=folder))
        with client.ApiClient(settings) as api:
            deadline = time.monotonic() + 120
            while True:
                try:  # anybody may ask; it is ready when its own roles are there
                    if requests.get(f"{settings.host}/readyz", verify=str(ca), timeout=5).status_code == 200:
                        break
                except requests.exceptions.RequestException:
                    pass
                log_text = (folder / "kube-apiserver.log").read_text()
                alive = all(process.poll() is None for process in running)
                assert alive, f"the API server ended:\n{log_text[-3000:]}"
                assert time.monotonic() < deadline, f"the API server did not start:\n{log_text[-3000:]}"
                time.sleep(0.3)
            core = client.CoreV1Api(api)
            installation = shared_realm.installation
            for component in (*installation.components.enabled(), "builds"):
                core.create_namespace(
                    client.V1Namespace(metadata={"name": installation.namespace(component)})
                )
            for manifest in kubernetes_access(installation):
                utils.create_from_dict(api, manifest)
            yield ApiServer(settings.host, ca, api)
    finally:
        for process in reversed(running):
            process.terminate()
            process.wait(30)

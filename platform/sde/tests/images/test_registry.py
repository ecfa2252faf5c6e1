"""Layers from a registry that keeps them in a store behind it: followed without the login, or told."""

import datetime as dt
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from swath_sde.images import BuildError, Registry


def certificate(file: Path) -> None:
    """Write a certificate for localhost, its own authority, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM) + key.private_bytes(*plain))


class Store(BaseHTTPRequestHandler):
    """A registry that leads to the path /store for one layer, and to a place that is not there for others."""

    logins: dict[str, bool]

    def do_GET(self) -> None:
        self.logins[self.path] = "Authorization" in self.headers
        port = self.server.server_address[1]
        content = b"a layer" if self.path == "/store" else b""
        self.send_response(200 if content else 307)
        if not content:
            there = self.path.endswith("sha256:01")
            self.send_header("Location", f"https://localhost:{port if there else 1}/store")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[tuple[Registry, dict[str, bool]]]:
    file = tmp_path / "tls.pem"
    certificate(file)
    logins: dict[str, bool] = {}
    handler = type("Handler", (Store,), {"logins": logins})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"localhost:{server.server_port}/swath"
    yield Registry(address=address, username="swath", password="secret", certificate=file), logins
    server.shutdown()
    server.server_close()


def test_a_layer_in_a_store_is_fetched_and_no_login_goes_there(
    registry: tuple[Registry, dict[str, bool]],
) -> None:
    asked, logins = registry
    with asked.blob("hub", "sha256:01") as layer:
        assert layer.read() == b"a layer"
    assert logins == {"/v2/swath/hub/blobs/sha256:01": True, "/store": False}


def test_a_store_that_does_not_answer_is_told(registry: tuple[Registry, dict[str, bool]]) -> None:
    asked, _ = registry
    with pytest.raises(BuildError, match="leads to localhost for a layer, which does not answer"):
        asked.blob("hub", "sha256:02").__enter__()

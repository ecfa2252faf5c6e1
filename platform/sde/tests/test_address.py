"""Why a server is not reached: in words that say what to do, whichever library raised the error."""

import datetime as dt
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from swath_sde.address import AtAddress, why_not
from swath_sde.trust import Authority, Request

HOST = "registry.swath.localhost"
NOW = dt.datetime.now(dt.UTC)
LONG_AGO = NOW - dt.timedelta(days=700)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Give an authority of two years ago."""
    return Authority.at(tmp_path_factory.mktemp("trust"), name="of two years ago", now=LONG_AGO)


@contextmanager
def served(authority: Authority, folder: Path, *, now: dt.datetime) -> Iterator[int]:
    """Speak TLS on loopback with a certificate of some time; yields the port."""
    pem = folder / "tls.pem"
    pem.write_text(authority.issue(Request(HOST, ("server",), hosts=(HOST,), days=30), now=now))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                try:
                    with context.wrap_socket(connection, server_side=True) as spoken:
                        spoken.recv(1000)
                except OSError:
                    continue

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def by_http_client(port: int, trusted: Path) -> None:
    context = ssl.create_default_context(cafile=str(trusted))
    connection = http.client.HTTPSConnection(HOST, port, context=context)
    plain = socket.create_connection(("127.0.0.1", port))
    with plain:
        connection.sock = context.wrap_socket(plain, server_hostname=HOST)


def by_requests(port: int, trusted: Path) -> None:
    with requests.Session() as session:
        session.mount("https://", AtAddress(HOST, "127.0.0.1"))
        session.get(f"https://{HOST}:{port}/", verify=str(trusted), timeout=10)


@pytest.mark.parametrize("ask", [by_http_client, by_requests])
@pytest.mark.parametrize(
    ("now", "told"),
    [
        (LONG_AGO + dt.timedelta(days=1), "its certificate has expired, by this machine's clock"),
        (NOW + dt.timedelta(days=10), "its certificate is not valid yet, by this machine's clock"),
    ],
)
def test_a_certificate_out_of_its_time_is_told_with_the_clock_and_the_remedy(
    authority: Authority, tmp_path: Path, ask: Callable[[int, Path], None], now: dt.datetime, told: str
) -> None:
    with served(authority, tmp_path, now=now) as port, pytest.raises(OSError, match="certificate") as error:
        ask(port, authority.path)
    found = why_not(error.value, HOST)
    assert told in found
    assert f"{NOW:%Y-%m-%d}" in found or f"{NOW + dt.timedelta(days=1):%Y-%m-%d}" in found
    assert "`swath apply --only secrets` makes a new one; if not, set the clock" in found


def test_another_authority_is_told_as_it_is(authority: Authority, tmp_path: Path) -> None:
    other = Authority.at(tmp_path / "other", name="another")
    with served(authority, tmp_path, now=NOW) as port, pytest.raises(OSError, match="certificate") as error:
        by_requests(port, other.path)
    assert "certificate verify failed" in why_not(error.value, HOST)


def test_a_name_that_leads_nowhere_is_told_with_the_domain() -> None:
    with pytest.raises(requests.exceptions.ConnectionError) as error:
        requests.get("https://registry.swath.invalid/", timeout=10)
    told = why_not(error.value, "registry.swath.invalid")
    assert "the name registry.swath.invalid leads nowhere" in told
    assert "wildcard record" in told
    assert "object at 0x" not in told


def test_a_port_where_nobody_listens_is_told() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        with pytest.raises(requests.exceptions.ConnectionError) as error:
            requests.get(f"https://127.0.0.1:{free.getsockname()[1]}/", timeout=10)
    assert "Connection refused" in why_not(error.value, "127.0.0.1")

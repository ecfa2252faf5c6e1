"""A server that hangs up is one that does not answer, not one that is not to be trusted."""

import datetime as dt
import socket
import threading
from collections.abc import Iterator

import pytest
from swath_sde.identity import Administration, UnreachableError
from swath_sde.identity._server import connected
from swath_sde.trust import Authority


@pytest.fixture
def hanging_up() -> Iterator[tuple[int, list[None]]]:
    """Take connections and end each at once; give the port, and a list with an entry for each."""
    taken: list[None] = []
    with socket.create_server(("127.0.0.1", 0)) as server:

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:  # it is over
                    return
                connection.recv(4096)  # else what was sent and not read would reset the connection
                connection.close()
                taken.append(None)

        thread = threading.Thread(target=hang_up)
        thread.start()
        yield server.getsockname()[1], taken
        server.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_server_that_hangs_up_is_waited_for_and_then_told(hanging_up, tmp_path):
    port, taken = hanging_up
    authority = Authority.at(tmp_path, name="One of tests", now=dt.datetime.now(dt.UTC))
    administration = Administration(
        url=f"https://localhost:{port}",
        ca_bundle=authority.path,
        address="127.0.0.1",
        username="root",
        password="none",
        patience_seconds=1,
    )
    with (
        pytest.raises(UnreachableError, match=r"does not answer \(.*EOF"),
        connected(administration, "swath"),
    ):
        pass
    assert len(taken) > 1

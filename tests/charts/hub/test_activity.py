"""What counts as activity, on a real Jupyter server with real terminals, files and kernels."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import swath_activity
from swath_activity import Activity
from tornado.httpclient import HTTPClient, HTTPRequest
from tornado.testing import bind_unused_port
from tornado.websocket import websocket_connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG_AGO = time.time() - 86400


class Kernels:
    """The two questions that are asked of a kernel manager."""

    def __init__(self, state: str = "idle") -> None:
        self.last_kernel_activity = datetime.fromtimestamp(LONG_AGO, UTC)
        self.state = state

    def list_kernels(self) -> list[dict[str, str]]:
        return [{"execution_state": self.state}]


@pytest.fixture
def terminals(tmp_path: Path) -> Path:
    folder = tmp_path / "pts"
    folder.mkdir()
    return folder


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    (folder / "work" / "deep").mkdir(parents=True)
    (folder / ".cache").mkdir()
    for path in [*folder.rglob("*"), folder]:
        os.utime(path, (LONG_AGO, LONG_AGO))
    return folder


@pytest.fixture
def activity(home: Path, terminals: Path) -> Activity:
    meter = Activity(Kernels(), home=home, terminals=terminals)
    meter._last = LONG_AGO + 1
    return meter


def age(meter: Activity) -> timedelta:
    return datetime.now(UTC) - meter.last()


RECENT = timedelta(minutes=30)


def test_nothing_done_is_no_activity(activity: Activity) -> None:
    assert age(activity) > RECENT


def test_a_start_is_the_first_activity(home: Path, terminals: Path) -> None:
    assert age(Activity(Kernels(), home=home, terminals=terminals)) < RECENT


def test_a_changed_file_counts(activity: Activity, home: Path) -> None:
    (home / "work" / "deep" / "notes.txt").write_text("x")
    assert age(activity) < RECENT


def test_what_programs_write_to_hidden_folders_does_not(activity: Activity, home: Path) -> None:
    (home / ".cache" / "log").write_text("x")
    os.utime(home, (LONG_AGO, LONG_AGO))
    assert age(activity) > RECENT


def test_a_file_with_a_date_to_come_does_not(activity: Activity, home: Path) -> None:
    path = home / "work" / "later"
    path.write_text("x")
    os.utime(path, (time.time() + 86400,) * 2)
    os.utime(path.parent, (LONG_AGO,) * 2)
    assert age(activity) > RECENT


def test_a_busy_kernel_counts(home: Path, terminals: Path) -> None:
    meter = Activity(Kernels("busy"), home=home, terminals=terminals)
    meter._last = LONG_AGO
    assert age(meter) < RECENT


def test_keys_in_a_terminal_count_and_output_does_not(home: Path) -> None:
    """The kernel's own record, on a real terminal."""
    master, slave = os.openpty()
    name = os.ttyname(slave)
    try:
        os.utime(name, (LONG_AGO, LONG_AGO))
        meter = Activity(Kernels(), home=home, terminals=Path(name).parent)
        meter._terminals = _Only(Path(name))  # type: ignore[assignment]
        meter._last = LONG_AGO + 1
        os.write(slave, b"a program's output\n")
        os.read(master, 100)
        assert age(meter) > RECENT
        os.write(master, b"ls\n")
        assert os.read(slave, 100) == b"ls\n"
        assert age(meter) < RECENT
    finally:
        os.close(master)
        os.close(slave)


class _Only:
    """The terminals of the machine, but ours alone: others may be in use."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def glob(self, pattern: str) -> list[Path]:
        assert self._path.match(pattern)
        return [self._path]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Callable[..., Any]]:
    """A Jupyter server with the chart's configuration; returns what it answers."""
    socket, port = bind_unused_port()
    socket.close()
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **os.environ,
        "HOME": str(home),
        "JUPYTER_CONFIG_PATH": str(Path(swath_activity.__file__).parent),
    }
    command = [sys.executable, "-m", "jupyter_server", f"--port={port}", "--no-browser", "--allow-root"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--IdentityProvider.token=t", f"--ServerApp.root_dir={home}"],
            env=environment,
            stdout=log,
            stderr=log,
        )

    def ask(path: str, method: str = "GET", body: Any = None, **headers: str) -> Any:
        client = HTTPClient()
        try:
            request = HTTPRequest(
                f"http://127.0.0.1:{port}/{path}",
                method=method,
                headers={"Authorization": "token t", **headers},
                body=None if body is None else json.dumps(body),
            )
            return json.loads(client.fetch(request).body)
        finally:
            client.close()

    ask.port = port  # type: ignore[attr-defined]
    ask.home = home  # type: ignore[attr-defined]
    try:
        for _ in range(300):
            try:
                ask("api/status")
                break
            except OSError:
                assert process.poll() is None, (tmp_path / "log").read_text()
                time.sleep(0.1)
        yield ask
    finally:
        process.terminate()
        process.wait(30)


def last(ask: Callable[..., Any]) -> datetime:
    return datetime.fromisoformat(ask("api/status")["last_activity"].replace("Z", "+00:00"))


def test_requests_do_not_count_but_work_does(server: Callable[..., Any]) -> None:
    before = last(server)
    time.sleep(1.1)
    for path in ("api/contents", "api/sessions", "api/kernelspecs"):
        server(path)
    assert last(server) == before
    (server.home / "result.txt").write_text("x")  # type: ignore[attr-defined]
    assert last(server) > before


def test_a_page_that_a_browser_opens_counts(server: Callable[..., Any]) -> None:
    before = last(server)
    server("api/status", **{"Sec-Fetch-Mode": "cors"})
    assert last(server) == before
    server("api/status", **{"Sec-Fetch-Mode": "navigate"})
    assert last(server) > before


@pytest.mark.asyncio
async def test_an_open_websocket_does_not_count(server: Callable[..., Any]) -> None:
    import asyncio

    loop = asyncio.get_running_loop()
    ask = lambda *words: loop.run_in_executor(None, server, *words)  # noqa: E731
    kernel = await ask("api/kernels", "POST", {})
    request = HTTPRequest(
        f"ws://127.0.0.1:{server.port}/api/kernels/{kernel['id']}/channels",  # type: ignore[attr-defined]
        headers={"Authorization": "token t"},
    )
    socket = await websocket_connect(request)
    # Starting is activity, however long it takes: wait until the kernel has said its last.
    before, settled = await ask("api/status"), 0
    while settled < 4:
        await asyncio.sleep(0.5)
        now = await ask("api/status")
        settled = settled + 1 if now["last_activity"] == before["last_activity"] else 0
        before = now
    for _ in range(5):
        socket.ping(b"still there")
        await asyncio.sleep(0.3)
    after = await ask("api/status")
    assert after["last_activity"] == before["last_activity"]
    message = {
        "header": {
            "msg_id": "1",
            "msg_type": "execute_request",
            "username": "",
            "session": "s",
            "version": "5.3",
        },
        "parent_header": {},
        "metadata": {},
        "content": {"code": "1 + 1", "silent": False},
        "channel": "shell",
    }
    await socket.write_message(json.dumps(message))
    for _ in range(50):
        await asyncio.sleep(0.2)
        done = await ask("api/status")
        if done["last_activity"] > after["last_activity"]:
            break
    assert done["last_activity"] > after["last_activity"]
    socket.close()

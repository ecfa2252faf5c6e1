"""A real hub with the chart's culler, with short times: what stops, and what does not.

The servers are real ones with the chart's idea of activity. They are asked directly: which proxy stands
before them makes no difference, as the hub does not ask it for activity.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import swath_activity
from jupyterhub.app import JupyterHub
from tornado.httpclient import HTTPClient, HTTPError, HTTPRequest
from tornado.iostream import StreamClosedError
from tornado.testing import bind_unused_port
from tornado.websocket import WebSocketClosedError, websocket_connect

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "of-the-test"
IDLE, AGE = 25, 70
"""Seconds after which a server is stopped: without activity, and at the latest."""

HUB = """
import json
from jupyterhub.proxy import Proxy

class NoProxy(Proxy):
    should_start = False
    routes = {}

    async def add_route(self, spec, target, data):
        self.routes[spec] = {"routespec": spec, "target": target, "data": data}

    async def delete_route(self, spec):
        self.routes.pop(spec, None)

    async def get_all_routes(self):
        return dict(self.routes)

given = json.loads(GIVEN)
c = get_config()
c.JupyterHub.proxy_class = NoProxy
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.bind_url = f"http://127.0.0.1:{given['ports']['public']}"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{given['ports']['hub']}"
c.JupyterHub.db_url = "sqlite:///:memory:"
c.JupyterHub.last_activity_interval = given["last_activity_interval"]
c.JupyterHub.services = given["services"]
c.JupyterHub.load_roles = given["roles"]
c.SimpleLocalProcessSpawner.home_dir_template = given["homes"] + "/{username}"
c.Spawner.args = ["--allow-root"]
c.Spawner.environment = given["environment"]
c.Spawner.http_timeout = c.Spawner.start_timeout = 120
c.Spawner.pre_spawn_hook = lambda spawner: setattr(spawner, "port", given["ports"][spawner.user.name])
"""


def free_port() -> int:
    socket, port = bind_unused_port()
    socket.close()
    return port


class Hub:
    """A hub that runs, and the servers of its users."""

    def __init__(self, ports: dict[str, int], homes: Path) -> None:
        self.ports, self.homes = ports, homes

    def ask(self, path: str, method: str = "GET") -> Any:
        client = HTTPClient()
        try:
            answer = client.fetch(
                f"http://127.0.0.1:{self.ports['hub']}/hub/api/{path}",
                method=method,
                body="" if method == "POST" else None,
                headers={"Authorization": f"token {TOKEN}"},
                request_timeout=150,
            )
            return json.loads(answer.body or "null")
        finally:
            client.close()

    def runs(self, user: str) -> bool:
        return bool(self.ask(f"users/{user}")["servers"])

    def start(self, user: str) -> None:
        (self.homes / user).mkdir(parents=True)
        self.ask(f"users/{user}", "POST")
        self.ask(f"users/{user}/server", "POST")
        until(lambda: self.ask(f"users/{user}")["servers"][""]["ready"])


def until(look: Any, patience: float = 150) -> None:
    end = time.monotonic() + patience
    while True:
        try:
            if look():
                return
        except (OSError, HTTPError, KeyError):
            pass
        assert time.monotonic() < end, "it has not come"
        time.sleep(0.3)


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Run a hub whose culler is the chart's, for times in seconds."""
    mounted = tmp_path / "etc"
    shutil.copytree(folder, mounted)
    settings = json.loads((mounted / "settings.json").read_text())
    settings["culling"] = {"idleMinutes": IDLE / 60, "maxAgeHours": AGE / 3600}
    (mounted / "settings.json").write_text(json.dumps(settings))
    monkeypatch.setenv("SWATH_HUB_CONFIG", str(mounted))
    chart = JupyterHub()
    chart.load_config_file(str(mounted / "jupyterhub_config.py"))
    ports = {name: free_port() for name in ("public", "hub", "ada", "bob")}
    (culler,) = chart.config.JupyterHub.services
    command = [word.replace(":8081/", f":{ports['hub']}/") for word in culler["command"]]
    roles = [role for role in chart.config.JupyterHub.load_roles if role["name"] == "idle-culler"]
    scopes = ["admin:users", "admin:servers", "access:servers", "read:hub"]
    interval = chart.config.KubeSpawner.environment["JUPYTERHUB_ACTIVITY_INTERVAL"]
    given = {
        "ports": ports,
        "last_activity_interval": chart.config.JupyterHub.last_activity_interval,
        "services": [{**culler, "command": command}, {"name": "test", "api_token": TOKEN}],
        "roles": [*roles, {"name": "test", "services": ["test"], "scopes": scopes}],
        "homes": str(tmp_path / "homes"),
        "environment": {
            "JUPYTER_CONFIG_PATH": str(Path(swath_activity.__file__).parent),
            "JUPYTERHUB_ACTIVITY_INTERVAL": interval,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        },
    }
    config = tmp_path / "config.py"
    config.write_text(f"GIVEN = {json.dumps(given)!r}\n{HUB}")
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", config],
            cwd=tmp_path,
            env={**os.environ, "PATH": given["environment"]["PATH"]},
            stdout=log,
            stderr=log,
        )
    try:
        made = Hub(ports, tmp_path / "homes")
        until(lambda: made.ask("info"), patience=60)
        yield made
    except AssertionError:
        sys.stderr.write((tmp_path / "log").read_text()[-5000:])
        raise
    finally:
        process.terminate()
        process.wait(60)


@pytest.mark.asyncio
async def test_an_open_editor_does_not_keep_a_server_and_work_does_up_to_its_age(hub: Hub) -> None:
    loop = asyncio.get_running_loop()
    done = asyncio.Event()

    async def work() -> None:
        """Change a file of Bob's again and again."""
        while not done.is_set():
            if (hub.homes / "bob").is_dir():
                (hub.homes / "bob" / "work").write_text(str(time.time()))
            await asyncio.sleep(1)

    async def begin(user: str) -> None:
        await loop.run_in_executor(None, hub.start, user)

    working = asyncio.create_task(work())
    try:
        await begin("bob")
        await begin("ada")
        # Ada's editor is left open: a websocket that stays, with a sign of life now and then.
        events = f"ws://127.0.0.1:{hub.ports['ada']}/user/ada/api/events/subscribe"
        editor = await websocket_connect(HTTPRequest(events, headers={"Authorization": f"token {TOKEN}"}))
        seen: list[list[str]] = []
        end = time.monotonic() + 300
        while time.monotonic() < end and [] not in seen:
            runs = [user for user in ("ada", "bob") if await loop.run_in_executor(None, hub.runs, user)]
            if runs not in seen[-1:]:
                seen.append(runs)
            if "ada" in runs and editor.protocol is not None:
                with suppress(WebSocketClosedError, StreamClosedError):  # it may be stopped just now
                    editor.ping(b"still open")
            await asyncio.sleep(0.5)
        editor.close()
    finally:
        done.set()
        await working
    # Neither stops the other: each by its own rule.
    assert seen == [["ada", "bob"], ["bob"], []]

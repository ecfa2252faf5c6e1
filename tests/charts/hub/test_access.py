"""Access follows the single sign-on: a real hub, and a stand-in for an OpenID provider's endpoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from jupyterhub.crypto import CryptKeeper
from jupyterhub.objects import Server
from jupyterhub.spawner import Spawner
from swath_access import SwathAuthenticator
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler
from traitlets.config import Config

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@dataclass
class Provider:
    """What the stand-in answers."""

    groups: list[str] = field(default_factory=lambda: ["scientists"])
    session: bool = True
    broken: bool = False
    token_endpoint_broken: bool = False
    valid: set[str] = field(default_factory=lambda: {"access-0"})
    refreshes: int = 0


class UserInfo(RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider

    def get(self) -> None:
        if self.provider.broken:
            raise HTTPError(503)
        token = self.request.headers["Authorization"].removeprefix("Bearer ")
        if token not in self.provider.valid or not self.provider.session:
            raise HTTPError(401)
        self.write({"preferred_username": "ada", "groups": self.provider.groups})


class Token(RequestHandler):
    def initialize(self, provider: Provider) -> None:
        self.provider = provider

    def post(self) -> None:
        if self.provider.broken or self.provider.token_endpoint_broken:
            raise HTTPError(503)
        used = self.get_body_argument("refresh_token")
        if not self.provider.session or used != f"refresh-{self.provider.refreshes}":
            self.set_status(400)
            self.write({"error": "invalid_grant", "error_description": "Session not active"})
            return
        self.provider.refreshes += 1
        self.provider.valid = {f"access-{self.provider.refreshes}"}
        self.write(
            {
                "access_token": f"access-{self.provider.refreshes}",
                "refresh_token": f"refresh-{self.provider.refreshes}",
                "token_type": "Bearer",
            }
        )


class Asleep(Spawner):  # type: ignore[misc]
    """A server that runs until it is stopped, and is no process."""

    running = True

    async def start(self) -> tuple[str, int]:
        return "127.0.0.1", 1

    async def poll(self) -> int | None:
        return None if self.running else 0

    async def stop(self, now: bool = False) -> None:
        assert not now
        self.running = False


class Routes:
    """The proxy's side of a stop, for the record."""

    def __init__(self) -> None:
        self.removed: list[str] = []

    async def delete_user(self, user: Any, server: str = "") -> None:
        assert server == ""
        self.removed.append(user.name)


@dataclass
class Hub:
    app: JupyterHub
    login: SwathAuthenticator
    user: Any
    provider: Provider
    routes: Routes

    async def state(self) -> Any:
        return await self.user.get_auth_state()


@pytest_asyncio.fixture
async def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Hub]:
    provider = Provider()
    socket, port = bind_unused_port()
    server = HTTPServer(
        Application(
            [("/userinfo", UserInfo, {"provider": provider}), ("/token", Token, {"provider": provider})],
            log_function=lambda _: None,
        )
    )
    server.add_socket(socket)
    monkeypatch.chdir(tmp_path)
    config = Config()
    config.JupyterHub.update(
        {"db_url": "sqlite://", "authenticator_class": SwathAuthenticator, "spawner_class": Asleep}
    )
    config.CryptKeeper.keys = [bytes(32)]
    config.SwathAuthenticator.update(
        {
            "client_id": "hub",
            "client_secret": "secret",
            "authorize_url": f"http://127.0.0.1:{port}/auth",
            "token_url": f"http://127.0.0.1:{port}/token",
            "userdata_url": f"http://127.0.0.1:{port}/userinfo",
            "username_claim": "preferred_username",
            "enable_auth_state": True,
            "manage_groups": True,
            "auth_state_groups_key": "oauth_user.groups",
            "allowed_groups": {"scientists"},
            "admin_groups": {"admins"},
            "check_seconds": 3600,
        }
    )
    JupyterHub.clear_instance()
    CryptKeeper.clear_instance()
    app = JupyterHub.instance(config=config)
    await app.initialize([])
    app.proxy = Routes()
    app.users.settings["proxy"] = app.proxy
    login = app.authenticator
    assert isinstance(login, SwathAuthenticator)
    person = orm.User(name="ada")
    app.db.add(person)
    app.db.commit()
    user = app.users.add(person)
    user.new_api_token()
    await user.save_auth_state(
        {
            "access_token": "access-0",
            "refresh_token": "refresh-0",
            "token_response": {"access_token": "access-0", "token_type": "Bearer"},
            "oauth_user": {"preferred_username": "ada", "groups": ["scientists"]},
        }
    )
    user.spawner.orm_spawner.server = orm.Server(ip="127.0.0.1", port=1, base_url="/user/ada/")
    app.db.commit()
    user.spawner.server = Server(orm_server=user.spawner.orm_spawner.server)
    assert user.active
    yield Hub(app, login, user, provider, app.proxy)
    login._round.stop()
    server.stop()
    JupyterHub.clear_instance()
    CryptKeeper.clear_instance()


def tokens(hub: Hub) -> int:
    return hub.app.db.query(orm.APIToken).filter_by(user_id=hub.user.id).count()


@pytest.mark.asyncio
async def test_a_member_keeps_the_access(hub: Hub) -> None:
    model = await hub.login.refresh_user(hub.user)
    assert model["groups"] == ["scientists"]
    assert model["admin"] is False
    assert tokens(hub) == 1


@pytest.mark.asyncio
async def test_an_expired_access_token_is_renewed_and_the_new_ones_are_kept(hub: Hub) -> None:
    hub.provider.valid = set()
    assert isinstance(await hub.login.refresh_user(hub.user), dict)
    assert (await hub.state())["refresh_token"] == "refresh-1"
    hub.provider.valid = set()
    assert isinstance(await hub.login.refresh_user(hub.user), dict)


@pytest.mark.asyncio
async def test_who_leaves_the_last_group_is_refused_and_loses_server_tokens_and_cookies(hub: Hub) -> None:
    from tornado.web import HTTPError

    hub.provider.groups = ["auditors"]
    cookie = hub.user.cookie_id
    with pytest.raises(HTTPError, match="in no group") as refusal:
        await hub.login.refresh_user(hub.user)
    assert refusal.value.status_code == 403
    assert tokens(hub) == 0
    assert hub.user.cookie_id != cookie
    assert await hub.state() is None
    assert hub.routes.removed == ["ada"]
    assert not hub.user.active


@pytest.mark.asyncio
async def test_the_round_ends_servers_whose_user_left_the_group(hub: Hub) -> None:
    hub.provider.groups = []
    await hub.login.check_all()
    assert not hub.user.active
    assert tokens(hub) == 0


@pytest.mark.asyncio
async def test_the_round_ends_servers_whose_session_has_ended(hub: Hub) -> None:
    hub.provider.session = False
    await hub.login.check_all()
    assert not hub.user.active
    assert tokens(hub) == 0


@pytest.mark.asyncio
async def test_the_round_leaves_members_alone(hub: Hub) -> None:
    await hub.login.check_all()
    assert hub.user.active
    assert tokens(hub) == 1


@pytest.mark.asyncio
async def test_the_round_takes_away_admin_rights(hub: Hub) -> None:
    hub.user.admin = True
    await hub.login.check_all()
    assert hub.user.admin is False


@pytest.mark.asyncio
@pytest.mark.parametrize("broken", ["broken", "token_endpoint_broken"])
async def test_an_outage_of_the_single_sign_on_ends_nothing(hub: Hub, broken: str) -> None:
    setattr(hub.provider, broken, True)
    hub.provider.valid = set()
    assert await hub.login.refresh_user(hub.user) is True
    await hub.login.check_all()
    assert hub.user.active
    assert tokens(hub) == 1


@pytest.mark.asyncio
async def test_an_ended_session_asks_for_a_login(hub: Hub) -> None:
    hub.provider.session = False
    assert await hub.login.refresh_user(hub.user) is False

"""The configuration is what JupyterHub, KubeSpawner and oauthenticator take, trait by trait."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest
from jupyterhub.app import JupyterHub
from jupyterhub.crypto import CryptKeeper
from jupyterhub.proxy import ConfigurableHTTPProxy
from jupyterhub.scopes import _expand_scope
from kubespawner import KubeSpawner
from swath_access import SwathAuthenticator
from traitlets.config import Config

if TYPE_CHECKING:
    from pathlib import Path

CLASSES = (JupyterHub, ConfigurableHTTPProxy, SwathAuthenticator, CryptKeeper, KubeSpawner)


@pytest.fixture
def config(folder: Path) -> Config:
    app = JupyterHub()
    app.load_config_file(str(folder / "jupyterhub_config.py"))
    loaded = app.config
    assert isinstance(loaded, Config)
    return loaded


def test_every_setting_is_a_trait_that_its_class_knows(config: Config) -> None:
    known = {cls.__name__: cls for cls in CLASSES}
    assert {name for name in config if name[0].isupper()} == set(known)
    for name, cls in known.items():
        unknown = set(config[name]) - set(cls.class_trait_names(config=True))
        assert not unknown, f"{name} knows no {unknown}"


def test_every_setting_is_of_the_kind_that_its_trait_takes(config: Config) -> None:
    SwathAuthenticator(config=config)
    ConfigurableHTTPProxy(config=config)
    # traitlets checks a value when an object gets it: a wrong one raises here.
    app = JupyterHub(config=config)
    assert app.last_activity_interval == 0


def test_secrets_are_read_from_files(config: Config) -> None:
    assert config.SwathAuthenticator.client_secret == "of-the-client"
    assert config.ConfigurableHTTPProxy.auth_token == "of-the-proxy"
    assert len(config.JupyterHub.cookie_secret) == 32
    assert "hub:of-the-database@postgresql" in config.JupyterHub.db_url


def test_the_login_uses_pkce_and_keeps_its_state_encrypted(config: Config) -> None:
    login = SwathAuthenticator(config=config)
    assert login.enable_pkce
    assert login.enable_auth_state
    assert login.authorize_url.endswith("/realms/swath/protocol/openid-connect/auth")
    assert login.allowed_groups == {"scientists", "admins"}
    assert not login.allow_all
    assert not login.allow_existing_users


def test_the_culler_may_read_activity_and_stop_servers_only(config: Config) -> None:
    role = next(role for role in config.JupyterHub.load_roles if role["name"] == "idle-culler")
    assert set(role["scopes"]) == {"list:users", "read:users:activity", "read:servers", "delete:servers"}
    (service,) = config.JupyterHub.services
    assert "--timeout=600" in service["command"]
    assert "--max-age=7200" in service["command"]
    assert importlib.util.find_spec("jupyterhub_idle_culler")


def test_administrators_cannot_enter_servers_nor_act_as_users(config: Config) -> None:
    assert not config.SwathAuthenticator.get("admin_groups")
    role = next(role for role in config.JupyterHub.load_roles if role["name"] == "operator")
    assert role["groups"] == ["admins"]
    granted = set().union(*(_expand_scope(scope) for scope in role["scopes"]))
    assert "delete:servers" in granted
    assert not {
        scope for scope in granted if scope.startswith(("access:", "tokens", "admin:", "delete:users"))
    }


def test_volumes_outlive_users(config: Config) -> None:
    assert config.KubeSpawner.delete_pvc is False

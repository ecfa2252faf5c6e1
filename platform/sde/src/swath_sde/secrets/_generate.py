"""Making secrets: from the system's random source, in the forms that the components take."""

from __future__ import annotations

import base64
import secrets
import string
from typing import TYPE_CHECKING

import bcrypt

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["crypt_key", "htpasswd", "new_password", "pull_config"]

_ALPHABET = string.ascii_letters + string.digits
"""Nothing that a shell, a URL or YAML would read in its own way, and a double click selects it whole."""


def new_password(length: int = 24) -> str:
    """Return a password of letters and digits; 24 of them are 142 bits."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def crypt_key() -> str:
    """Return a key of 32 random bytes in hexadecimal, as JupyterHub takes one."""
    return secrets.token_hex(32)


def htpasswd(username: str, password: str) -> str:
    """Return a line of an Apache password file with bcrypt, the one form that the registry takes."""
    return f"{username}:{bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()}\n"


def pull_config(registry: str, username: str, password: str) -> Mapping[str, object]:
    """Return how the kubelet logs in to a registry, as ``.dockerconfigjson`` has it."""
    login = base64.b64encode(f"{username}:{password}".encode()).decode()
    return {"auths": {registry: {"username": username, "password": password, "auth": login}}}

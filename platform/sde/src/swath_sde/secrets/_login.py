"""The login to a registry that is not the installation's own, from a file as container tools keep it."""

from __future__ import annotations

import base64
import binascii
import json
from typing import TYPE_CHECKING

from swath_sde.errors import ConfigurationError

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["registry_login"]


def registry_login(installation: Installation) -> tuple[str, str] | None:
    """Return name and password for ``images.registry``; None where the registry is the installation's own.

    Raises
    ------
    ConfigurationError
        The file is none, or has no login for that registry.
    """
    images = installation.images
    if images.registry is None or images.login is None:
        return None
    host = images.registry.partition("/")[0]
    remedy = f"`buildah login --authfile {images.login} {host}` writes it"
    try:
        known = json.loads(images.login.read_text(encoding="utf-8"))["auths"]
    except OSError as error:
        raise ConfigurationError(
            f"images.login: {images.login} cannot be read ({error.strerror}); {remedy}"
        ) from None
    except (ValueError, KeyError, TypeError):
        raise ConfigurationError(f"images.login: {images.login} holds no `auths`; {remedy}") from None
    try:
        name, colon, password = base64.b64decode(known[host]["auth"], validate=True).decode().partition(":")
    except (KeyError, TypeError, binascii.Error, UnicodeDecodeError):
        hosts = ", ".join(sorted(known)) or "none"
        raise ConfigurationError(
            f"images.login: {images.login} has no login for {host}, only for: {hosts}; {remedy}"
        ) from None
    if not colon:
        raise ConfigurationError(f"images.login: the login for {host} has no password; {remedy}")
    return name, password

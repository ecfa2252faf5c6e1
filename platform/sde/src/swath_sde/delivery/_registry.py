"""The registry that an installation's images are pushed to: its own, or another that it names."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from swath_sde.errors import ConfigurationError
from swath_sde.images import Registry
from swath_sde.objects import objects_of
from swath_sde.secrets import read_secret, registry_login
from swath_sde.trust import installation_authority

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["registry_of"]

_SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def registry_of(installation: Installation) -> Registry:
    """Return the registry, with the login to push.

    Raises
    ------
    ClusterError
        The cluster, where the login of the installation's own is kept, cannot be reached.
    ConfigurationError
        There is no login.
    """
    images = installation.images
    other = registry_login(installation)
    if other is not None:
        system = _SYSTEM_BUNDLE if _SYSTEM_BUNDLE.is_file() else Path(certifi.where())
        return Registry(
            address=installation.image_registry,
            username=other[0],
            password=other[1],
            certificate=images.authority or system,
        )
    namespace = installation.namespace("registry")
    secret = read_secret(objects_of(installation), namespace, "registry")
    if not secret:
        raise ConfigurationError(f"the Secret registry in {namespace} is not there: apply `secrets` first")
    return Registry(
        address=installation.image_registry,
        username=secret["username"],
        password=secret["password"],
        certificate=installation_authority(installation).path,
    )

"""A kubeconfig for people: the cluster's address, and a log-in by single sign-on in the place of a key."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from swath_sde.errors import PlatformError
from swath_sde.login import CA_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swath_sde.configuration import Installation

__all__ = ["user_kubeconfig"]


def user_kubeconfig(
    installation: Installation, administrators: Mapping[str, Any], authorities: str
) -> dict[str, Any]:
    """Return a kubeconfig without any secret, which everybody may have.

    Parameters
    ----------
    administrators
        Content of a kubeconfig of the cluster; address and certificate authority are taken from it.
    authorities
        Certificate authorities of Keycloak's certificate, PEM.

    Raises
    ------
    PlatformError
        The administrators' kubeconfig names a cluster that is not in it.
    """
    wanted = installation.where.context or administrators.get("current-context")
    try:
        context = next(one for one in administrators["contexts"] if one["name"] == wanted)["context"]
        cluster = next(one for one in administrators["clusters"] if one["name"] == context["cluster"])
    except (KeyError, StopIteration):
        raise PlatformError(
            f"the kubeconfig has no context {wanted!r} with its cluster: check `where.context` in swath.yaml"
        ) from None
    name = installation.name
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster["cluster"]}],
        "users": [
            {
                "name": f"{name}-login",
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1",
                        "command": sys.executable,
                        "args": [
                            "-m",
                            "swath_sde.login",
                            "--issuer",
                            installation.issuer,
                            "--kept",
                            f"~/.kube/cache/swath/{name}.json",
                        ],
                        "env": [{"name": CA_VARIABLE, "value": authorities}],
                        "interactiveMode": "IfAvailable",
                        "installHint": "pip install swath-sde",
                    }
                },
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": f"{name}-login"}}],
        "current-context": name,
    }

"""The realm of an installation's own Keycloak, and the rights that its groups have in the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubernetes.client import CoreV1Api

from swath_sde.changes import Action, Change, pending
from swath_sde.errors import PlatformError
from swath_sde.identity import (
    Administration,
    ClusterSecrets,
    apply_identity,
    kubernetes_access,
    plan_identity,
)
from swath_sde.objects import Objects, applying, differences, objects_of
from swath_sde.secrets import read_secret
from swath_sde.trust import installation_authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath_sde.configuration import Installation

__all__ = ["apply_realm", "plan_realm"]


def plan_realm(installation: Installation) -> list[Change]:
    """Return what ``apply_realm`` would change, in Keycloak and in the cluster's roles.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    IdentityError
        Keycloak cannot be reached, or refuses.
    """
    objects = objects_of(installation)
    return _plan_access(installation, objects) + plan_identity(
        installation, _administration(installation, objects), _secrets(installation, objects)
    )


def apply_realm(installation: Installation, *, progress: Callable[[str], None] | None = None) -> list[Change]:
    """Make realm and roles what the description says, and return what was changed.

    Raises
    ------
    BusyError
        Somebody else is changing the installation.
    ClusterError
        The cluster cannot be reached.
    IdentityError
        Keycloak cannot be reached, or refuses.
    """
    objects = objects_of(installation)

    def tell(change: Change) -> None:
        if progress is not None:
            progress(f"{change.kind} {change.name}")

    with applying(objects, installation.name):
        done = [
            change
            for body in kubernetes_access(installation)
            if (change := _compare(objects, body)).action is not Action.NONE and objects.apply(body)
        ]
        return done + pending(
            apply_identity(
                installation,
                _administration(installation, objects),
                _secrets(installation, objects),
                tell,
            )
        )


def _plan_access(installation: Installation, objects: Objects) -> list[Change]:
    return [_compare(objects, body) for body in kubernetes_access(installation)]


def _compare(objects: Objects, body: dict[str, Any]) -> Change:
    meta = body["metadata"]
    name = f"{meta['namespace']}/{meta['name']}" if "namespace" in meta else meta["name"]
    held = objects.current(body)
    if held is None:
        return Change(body["kind"], name, Action.CREATE)
    details = differences(held, objects.apply(body, dry_run=True))
    return Change(body["kind"], name, Action.UPDATE if details else Action.NONE, details)


def _administration(installation: Installation, objects: Objects) -> Administration:
    secret = read_secret(objects, installation.namespace("keycloak"), "keycloak")
    if not secret:
        raise PlatformError(
            f"the Secret keycloak in {installation.namespace('keycloak')} is not there: apply `secrets` first"
        )
    return Administration(
        url=installation.url("keycloak"),
        address="127.0.0.1" if installation.where.kind == "embedded" else None,
        ca_bundle=installation_authority(installation).path,
        username=secret["admin-username"],
        password=secret["admin-password"],
    )


def _secrets(installation: Installation, objects: Objects) -> ClusterSecrets:
    return ClusterSecrets(CoreV1Api(objects.api), installation.namespace("keycloak"))

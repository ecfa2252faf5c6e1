"""The realm of an installation's own Keycloak, and the rights that its groups have in the cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubernetes.client import CoreV1Api

from swath_sde.address import loopback_of
from swath_sde.changes import Action, Change, pending
from swath_sde.errors import PlatformError
from swath_sde.identity import (
    Administration,
    ClusterSecrets,
    apply_identity,
    kubernetes_access,
    plan_identity,
)
from swath_sde.objects import Objects, applying, change_of, name_of, objects_of
from swath_sde.secrets import read_secret
from swath_sde.trust import installation_authority

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath_sde.configuration import Installation

__all__ = ["apply_realm", "plan_realm", "remove_access"]


_RBAC = "rbac.authorization.k8s.io/v1"

_BINDINGS = ("RoleBinding", "ClusterRoleBinding", "ClusterRole")
"""Kinds that give rights: one that the description no longer gives is taken away. Namespaces stay."""


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
    wanted = kubernetes_access(installation)
    rights = [_compare(objects, body) for body in wanted]
    rights += [
        Change(body["kind"], name_of(body), Action.DELETE) for body in _former(installation, objects, wanted)
    ]
    return rights + plan_identity(
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
        done = _apply_access(installation, objects)
        return done + pending(
            apply_identity(
                installation,
                _administration(installation, objects),
                _secrets(installation, objects),
                tell,
            )
        )


def _apply_access(installation: Installation, objects: Objects) -> list[Change]:
    """Give and take rights in the cluster: what is taken, first."""
    wanted = kubernetes_access(installation)
    done = _take(installation, objects, wanted)
    for body in wanted:
        change = _compare(objects, body)
        if change.action is not Action.NONE:
            objects.apply(body)
            done.append(change)
    return done


def remove_access(installation: Installation) -> list[Change]:
    """Take all rights in the cluster that the installation has given, and return what was done.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    """
    return _take(installation, objects_of(installation), [])


def _take(installation: Installation, objects: Objects, wanted: list[dict[str, Any]]) -> list[Change]:
    done = []
    for body in _former(installation, objects, wanted):
        meta = body["metadata"]
        objects.delete(body["kind"], meta["name"], meta.get("namespace"), api=_RBAC)
        done.append(Change(body["kind"], name_of(body), Action.DELETE))
    return done


def _former(
    installation: Installation, objects: Objects, wanted: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the rights that Swath has given and that the description no longer gives."""
    kept = {(body["kind"], name_of(body)) for body in wanted}
    labels = (
        "app.kubernetes.io/managed-by=swath,app.kubernetes.io/name=identity,"
        f"app.kubernetes.io/instance={installation.name}"
    )
    found = [
        {**body, "kind": kind} for kind in _BINDINGS for body in objects.list(kind, api=_RBAC, labels=labels)
    ]
    return [body for body in found if (body["kind"], name_of(body)) not in kept]


def _compare(objects: Objects, body: dict[str, Any]) -> Change:
    return change_of(body, objects.current(body), lambda _: objects.apply(body, dry_run=True))


def _administration(installation: Installation, objects: Objects) -> Administration:
    secret = read_secret(objects, installation.namespace("keycloak"), "keycloak")
    if not secret:
        raise PlatformError(
            f"the Secret keycloak in {installation.namespace('keycloak')} is not there: apply `secrets` first"
        )
    url = installation.url("keycloak")
    return Administration(
        url=url,
        address="127.0.0.1" if installation.where.kind == "embedded" else loopback_of(url),
        ca_bundle=installation_authority(installation).path,
        username=secret["admin-username"],
        password=secret["admin-password"],
    )


def _secrets(installation: Installation, objects: Objects) -> ClusterSecrets:
    return ClusterSecrets(CoreV1Api(objects.api), installation.namespace("keycloak"))

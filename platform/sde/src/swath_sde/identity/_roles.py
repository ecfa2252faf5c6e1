"""Steps for realm roles, and for groups with the one role that each has."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from swath_sde.changes import Action, Change
from swath_sde.identity._desired import MARK
from swath_sde.identity._rights import REALM_CLIENT, Rights, grant, revoke, set_composites
from swath_sde.identity._step import Rank, Step

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath_sde.identity._desired import DesiredRealm
    from swath_sde.identity._observed import ObservedRealm
    from swath_sde.identity._server import Server

__all__ = ["group_steps", "role_steps"]


def role_steps(server: Server, desired: DesiredRealm, observed: ObservedRealm) -> Iterator[Step]:
    """Yield what is to be done about realm roles."""
    for name, plain in desired.roles.items():
        rights = frozenset(f"{REALM_CLIENT}/{right}" for right in plain)
        if name not in observed.roles:
            yield Step(
                Change("Keycloak role", name, Action.CREATE, _gains(rights)),
                partial(_create_role, server, name, rights, desired.owner),
            )
            continue
        live = observed.role_rights.get(name, {})
        surplus = sorted(set(live) - rights)
        details = (*_gains(rights - set(live)), *(f"loses {right}" for right in surplus))
        if details:
            yield Step(
                Change("Keycloak role", name, Action.UPDATE, details),
                partial(set_composites, server, name, rights, live),
                Rank.REVOKE if surplus else Rank.MAKE,
            )
    for name in observed.owned(observed.roles, desired.owner):
        if name not in desired.roles:
            yield Step(
                Change("Keycloak role", name, Action.DELETE),
                partial(server.admin.delete_realm_role, name),
                Rank.REMOVE,
            )


def group_steps(server: Server, desired: DesiredRealm, observed: ObservedRealm) -> Iterator[Step]:
    """Yield what is to be done about groups."""
    for name, role in desired.groups.items():
        group = observed.groups.get(name)
        if group is None:
            yield Step(
                Change("Keycloak group", name, Action.CREATE, (f"gains {role}",)),
                partial(_create_group, server, name, role, desired.owner),
            )
            continue
        live = observed.group_rights.get(name, {})
        holder = f"/groups/{group['id']}"
        if surplus := {right: found for right, found in live.items() if right != role}:
            yield Step(
                Change(
                    "Keycloak group",
                    name,
                    Action.UPDATE,
                    (*(f"loses {right}" for right in sorted(surplus)), "sessions of its members end"),
                ),
                partial(_take_rights, server, group, holder, surplus),
                Rank.REVOKE,
            )
        if role not in live:
            yield Step(
                Change("Keycloak group", name, Action.UPDATE, (f"gains {role}",)),
                partial(grant, server, holder, [role]),
            )
    for name, group in observed.owned(observed.groups, desired.owner).items():
        if name not in desired.groups:
            yield Step(
                Change("Keycloak group", name, Action.DELETE, ("sessions of its members end",)),
                partial(_delete_group, server, group),
                Rank.REVOKE,
            )


def _gains(rights: frozenset[str]) -> tuple[str, ...]:
    return tuple(f"gains {right}" for right in sorted(rights))


def _create_role(server: Server, name: str, rights: frozenset[str], owner: str) -> None:
    server.admin.create_realm_role({"name": name, "attributes": {MARK: [owner]}})
    set_composites(server, name, rights, {})


def _create_group(server: Server, name: str, role: str, owner: str) -> None:
    group_id = server.admin.create_group({"name": name, "attributes": {MARK: [owner]}})
    grant(server, f"/groups/{group_id}", [role])


def _take_rights(server: Server, group: dict[str, Any], holder: str, rights: Rights) -> None:
    revoke(server, holder, rights)
    _end_sessions(server, group)


def _delete_group(server: Server, group: dict[str, Any]) -> None:
    members = server.admin.get_group_members(group["id"])
    server.admin.delete_group(group["id"])
    for member in members:
        server.end_sessions(member["id"])


def _end_sessions(server: Server, group: dict[str, Any]) -> None:
    for member in server.admin.get_group_members(group["id"]):
        server.end_sessions(member["id"])

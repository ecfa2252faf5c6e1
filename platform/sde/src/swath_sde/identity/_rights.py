"""Roles that a group, a user or another role has. A right is named ``role``, or ``client/role``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from swath_sde.identity._server import Server

__all__ = ["REALM_CLIENT", "Rights", "composites", "grant", "held_by", "revoke", "set_composites"]

REALM_CLIENT = "realm-management"
"""The client whose roles are the rights in a realm's own administration."""

Rights = dict[str, dict[str, Any]]
"""Right → Keycloak's ``RoleRepresentation`` of it."""


def held_by(server: Server, holder: str) -> Rights:
    """Return the rights given to a holder itself: a path such as ``/groups/ID`` or ``/users/ID``."""
    found = server.get(f"{holder}/role-mappings")
    rights = {role["name"]: role for role in found.get("realmMappings", ())}
    for client_id, mapping in found.get("clientMappings", {}).items():
        rights.update((f"{client_id}/{role['name']}", role) for role in mapping["mappings"])
    return rights


def composites(server: Server, role: str, client_ids: Mapping[str, str]) -> Rights:
    """Return the rights that a realm role consists of; ``client_ids`` leads from ids to client ids."""
    found = server.get(f"/roles/{role}/composites")
    return {
        f"{client_ids[part['containerId']]}/{part['name']}" if part["clientRole"] else part["name"]: part
        for part in found
    }


def grant(server: Server, holder: str, rights: Iterable[str]) -> None:
    """Give realm roles to a holder."""
    roles = [server.admin.get_realm_role(right) for right in sorted(rights)]
    if roles:
        server.post(f"{holder}/role-mappings/realm", roles)


def revoke(server: Server, holder: str, rights: Rights) -> None:
    """Take rights from a holder."""
    realm = [role for role in rights.values() if not role["clientRole"]]
    if realm:
        server.remove(f"{holder}/role-mappings/realm", realm)
    for role in rights.values():
        if role["clientRole"]:
            server.remove(f"{holder}/role-mappings/clients/{role['containerId']}", [role])


def set_composites(server: Server, role: str, desired: Iterable[str], live: Rights) -> None:
    """Make a realm role consist of rights in the realm's administration, and of nothing else."""
    desired = set(desired)
    surplus = [part for right, part in live.items() if right not in desired]
    if surplus:
        server.remove(f"/roles/{role}/composites", surplus)
    missing = sorted(desired - set(live))
    if missing:
        uuid = server.client_uuid(REALM_CLIENT)
        parts = [server.admin.get_client_role(uuid, right.partition("/")[2]) for right in missing]
        server.post(f"/roles/{role}/composites", parts)

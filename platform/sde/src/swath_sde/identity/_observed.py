"""What a realm is now, as far as Swath has something to say about it. Reading changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from keycloak.exceptions import KeycloakGetError

from swath_sde.identity._desired import MARK
from swath_sde.identity._rights import Rights, composites, held_by

if TYPE_CHECKING:
    from swath_sde.identity._desired import DesiredRealm
    from swath_sde.identity._server import Server

__all__ = ["ObservedRealm", "observe", "owner_of"]

Representation = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedRealm:
    """A realm as it is; all is empty where it does not exist yet."""

    realm: Representation | None = None
    """The realm itself."""
    events: Representation = field(default_factory=dict)
    """What is recorded."""
    profile: Representation = field(default_factory=dict)
    """Which attributes users have."""
    scopes: dict[str, Representation] = field(default_factory=dict)
    """Client scopes by name."""
    clients: dict[str, Representation] = field(default_factory=dict)
    """Clients by client id."""
    roles: dict[str, Representation] = field(default_factory=dict)
    """Realm roles by name."""
    role_rights: dict[str, Rights] = field(default_factory=dict)
    """What the roles of Swath consist of."""
    groups: dict[str, Representation] = field(default_factory=dict)
    """Groups of the top level by name."""
    group_rights: dict[str, Rights] = field(default_factory=dict)
    """Roles of the groups of Swath."""
    users: dict[str, Representation] = field(default_factory=dict)
    """Users by name: those of Swath, and those whose names it would take."""
    user_groups: dict[str, dict[str, str]] = field(default_factory=dict)
    """Groups of the top level that the users of Swath are in: name → id."""
    user_rights: dict[str, Rights] = field(default_factory=dict)
    """Roles that the users of Swath have of their own."""
    providers: dict[str, Representation] = field(default_factory=dict)
    """Identity providers by alias."""

    def owned(self, kind: dict[str, Representation], owner: str) -> dict[str, Representation]:
        """Return those of a kind that the installation ``owner`` made."""
        return {name: found for name, found in kind.items() if owner_of(found) == owner}


def owner_of(representation: Representation) -> str | None:
    """Return the installation that made an object, ``None`` where Swath did not."""
    attributes = representation.get("attributes") or {}
    # An identity provider has no attributes; its settings take any key.
    mark = attributes.get(MARK) or (representation.get("config") or {}).get(MARK)
    return mark[0] if isinstance(mark, list) else mark


def observe(server: Server, desired: DesiredRealm) -> ObservedRealm:
    """Read a realm: what Swath made in it, and what stands under the names that Swath would use."""
    admin = server.admin
    try:
        realm = admin.get_realm(desired.name)
    except KeycloakGetError as error:
        if error.response_code == 404:
            return ObservedRealm()
        raise
    if owner_of(realm) != desired.owner:  # nothing of it is compared: it will be refused
        return ObservedRealm(realm=realm)
    clients = {client["clientId"]: client for client in admin.get_clients()}
    names = {client["id"]: client_id for client_id, client in clients.items()}
    roles = {role["name"]: role for role in admin.get_realm_roles(brief_representation=False)}
    groups = {group["name"]: group for group in admin.get_groups({"briefRepresentation": "false"})}
    users = _users(server, desired)
    mine = {name: user for name, user in users.items() if owner_of(user) == desired.owner}
    return ObservedRealm(
        realm=realm,
        events=server.get("/events/config"),
        profile=admin.get_realm_users_profile(),
        scopes={scope["name"]: scope for scope in admin.get_client_scopes()},
        clients=clients,
        roles=roles,
        role_rights={
            name: composites(server, name, names)
            for name, role in roles.items()
            if owner_of(role) == desired.owner
        },
        groups=groups,
        group_rights={
            name: held_by(server, f"/groups/{group['id']}")
            for name, group in groups.items()
            if owner_of(group) == desired.owner
        },
        users=users,
        user_groups={
            name: {
                group["name"]: group["id"]
                for group in admin.get_user_groups(user["id"])
                if group["path"].count("/") == 1
            }
            for name, user in mine.items()
        },
        user_rights={name: held_by(server, f"/users/{user['id']}") for name, user in mine.items()},
        providers={found["alias"]: found for found in admin.get_idps()},
    )


def _users(server: Server, desired: DesiredRealm) -> dict[str, Representation]:
    """Return the users that Swath made and those that it would make; never all of a large directory."""
    query = {"briefRepresentation": "false"}
    found = server.admin.get_users({"q": f"{MARK}:{desired.owner}", **query})
    users = {user["username"]: user for user in found}
    for name in desired.users:
        if name not in users:
            exact = server.admin.get_users({"username": name, "exact": "true", **query})
            users.update((user["username"], user) for user in exact)
    return users

"""Steps for users: made with a first password, in their groups; whoever loses something is logged out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from swath_sde.changes import Action, Change
from swath_sde.identity._desired import MARK
from swath_sde.identity._rights import Rights, revoke
from swath_sde.identity._step import Rank, Step, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath_sde.identity._desired import DesiredRealm, Membership
    from swath_sde.identity._observed import ObservedRealm
    from swath_sde.identity._server import Server
    from swath_sde.identity.secrets import Secrets

__all__ = ["user_steps"]


def user_steps(
    server: Server, desired: DesiredRealm, observed: ObservedRealm, secrets: Secrets
) -> Iterator[Step]:
    """Yield what is to be done about users.

    Passwords and the switch that disables an account are not compared: they are the user's and the
    administrators' to change.
    """
    for name, wanted in desired.users.items():
        live = observed.users.get(name)
        if live is None:
            yield Step(
                Change("Keycloak user", name, Action.CREATE, _joins(wanted.groups)),
                partial(_create, server, desired, wanted, secrets),
            )
        else:
            yield from _of_one(server, desired, observed, wanted, live)
    for name, live in observed.owned(observed.users, desired.owner).items():
        if name not in desired.users:
            yield Step(
                Change("Keycloak user", name, Action.DELETE, ("sessions end",)),
                partial(_delete, server, live, secrets),
                Rank.REVOKE,
            )


def _of_one(
    server: Server,
    desired: DesiredRealm,
    observed: ObservedRealm,
    wanted: Membership,
    live: dict[str, Any],
) -> Iterator[Step]:
    name = live["username"]
    groups = observed.user_groups.get(name, {})
    # Groups made by hand are not Swath's to decide about; a group that is to be deleted goes by itself.
    mine = {group: key for group, key in groups.items() if group in desired.groups}
    leaves = {group: key for group, key in mine.items() if group not in wanted.groups}
    default = f"default-roles-{desired.name}"
    surplus = {right: role for right, role in observed.user_rights.get(name, {}).items() if right != default}
    if leaves or surplus:
        details = [f"leaves {group}" for group in sorted(leaves)]
        details += [f"loses {right}" for right in sorted(surplus)]
        yield Step(
            Change("Keycloak user", name, Action.UPDATE, (*details, "sessions end")),
            partial(_take, server, live["id"], leaves, surplus),
            Rank.REVOKE,
        )
    fields = _fields(wanted)
    changed = tuple(differences(fields, live))
    joins = wanted.groups - set(mine)
    if changed or joins:
        yield Step(
            Change("Keycloak user", name, Action.UPDATE, (*changed, *_joins(joins))),
            partial(_update, server, live, fields if changed else {}, joins),
        )


def _fields(wanted: Membership) -> dict[str, Any]:
    user = wanted.user
    return {
        "email": user.email.lower(),  # Keycloak keeps addresses in lower case
        "emailVerified": True,
        "firstName": user.first_name,
        "lastName": user.last_name,
    }


def _joins(groups: frozenset[str]) -> tuple[str, ...]:
    return tuple(f"joins {group}" for group in sorted(groups))


def _create(server: Server, desired: DesiredRealm, wanted: Membership, secrets: Secrets) -> None:
    password = secrets.first_password(wanted.user.username, desired.password)
    server.admin.create_user(
        {
            "username": wanted.user.username,
            **_fields(wanted),
            "enabled": True,
            "attributes": {MARK: [desired.owner]},
            "groups": [f"/{group}" for group in sorted(wanted.groups)],
            "credentials": [
                {"type": "password", "value": password, "temporary": desired.temporary_passwords}
            ],
        }
    )


def _update(server: Server, live: dict[str, Any], fields: dict[str, Any], joins: frozenset[str]) -> None:
    if fields:
        # What is left out of the request would be emptied.
        server.admin.update_user(live["id"], {**live, **fields})
    for group in sorted(joins):
        server.admin.group_user_add(live["id"], server.group_id(group))


def _take(server: Server, user_id: str, leaves: dict[str, str], rights: Rights) -> None:
    for group_id in leaves.values():
        server.admin.group_user_remove(user_id, group_id)
    revoke(server, f"/users/{user_id}", rights)
    server.end_sessions(user_id)


def _delete(server: Server, live: dict[str, Any], secrets: Secrets) -> None:
    server.end_sessions(live["id"])
    server.admin.delete_user(live["id"])
    secrets.forget(live["username"])

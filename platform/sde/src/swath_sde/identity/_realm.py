"""Steps for the realm itself: its settings, what it records, and the attribute that marks users."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from swath_sde.changes import Action, Change
from swath_sde.identity._desired import MARK
from swath_sde.identity._step import Rank, Step, differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath_sde.identity._desired import DesiredRealm
    from swath_sde.identity._observed import ObservedRealm
    from swath_sde.identity._server import Server

__all__ = ["realm_steps"]

_MARK_OF_USERS = {
    "name": MARK,
    "displayName": "Made by Swath",
    # Users neither see nor change it: who could, would decide what Swath deletes.
    "permissions": {"view": ["admin"], "edit": ["admin"]},
    "multivalued": False,
}


def realm_steps(server: Server, desired: DesiredRealm, observed: ObservedRealm) -> Iterator[Step]:
    """Yield what is to be done about the realm."""
    if observed.realm is None:
        yield Step(
            Change("Keycloak realm", desired.name, Action.CREATE),
            partial(_create, server, desired),
            Rank.REALM,
        )
        return
    settings = tuple(differences(desired.settings, observed.realm))
    events = tuple(differences(desired.events, observed.events))
    profile = _profile(observed.profile)
    details = [*settings, *events]
    if profile is not None:
        details.append(f"user profile: the attribute {MARK} for administrators alone")
    if details:
        yield Step(
            Change("Keycloak realm", desired.name, Action.UPDATE, tuple(details)),
            partial(
                _update,
                server,
                desired,
                settings=bool(settings),
                events=bool(events),
                profile=profile,
            ),
            Rank.REALM,
        )


def _create(server: Server, desired: DesiredRealm) -> None:
    # In one request: a realm without its mark would be a stranger to the next apply.
    server.admin.create_realm(
        {"realm": desired.name, **desired.settings, **desired.events, "attributes": {MARK: desired.owner}}
    )
    _update(
        server,
        desired,
        settings=False,
        events=True,
        profile=_profile(server.admin.get_realm_users_profile()),
    )


def _update(
    server: Server, desired: DesiredRealm, *, settings: bool, events: bool, profile: dict[str, Any] | None
) -> None:
    if settings:
        server.admin.update_realm(desired.name, {"realm": desired.name, **desired.settings})
    if events:
        server.put("/events/config", {**server.get("/events/config"), **desired.events})
    if profile is not None:
        server.admin.update_realm_users_profile(profile)


def _profile(live: dict[str, Any]) -> dict[str, Any] | None:
    """Return the user profile with the mark as it must be, ``None`` where it is so already."""
    attributes = live.get("attributes", [])
    found = next((attribute for attribute in attributes if attribute["name"] == MARK), None)
    if found is not None and found.get("permissions") == _MARK_OF_USERS["permissions"]:
        return None
    others = [attribute for attribute in attributes if attribute["name"] != MARK]
    return {**live, "attributes": [*others, _MARK_OF_USERS]}

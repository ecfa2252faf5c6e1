"""What a realm should be, as ``swath.yaml`` says it: plain data, made without asking anybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swath_sde.identity._declared import declared_clients
from swath_sde.identity._matrix import REALM_RIGHTS
from swath_sde.identity._upstream import Provider, provider

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swath_sde.configuration import Identity, Installation, PasswordPolicy, User
    from swath_sde.identity._declared import Client

__all__ = ["MARK", "DesiredRealm", "Membership", "desired_realm"]

MARK = "swath.managed"
"""Attribute of every object that Swath has made; its value is the name of the installation."""

_EVENTS_KEPT_SECONDS = 90 * 24 * 3600
"""Log-ins and changes are kept in Keycloak's database for 90 days."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A user of ``swath.yaml`` and the groups that it is in."""

    user: User
    """The user."""
    groups: frozenset[str]
    """Names of the user's groups."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DesiredRealm:
    """A realm as ``swath.yaml`` describes it. What is not in here, Swath neither compares nor changes."""

    name: str
    """Name of the realm."""
    owner: str
    """Name of the installation: the value of the mark on all that is made."""
    settings: Mapping[str, Any]
    """Fields of Keycloak's ``RealmRepresentation``."""
    roles: Mapping[str, frozenset[str]]
    """Realm role → rights in the realm's own administration (roles of the client ``realm-management``)."""
    groups: Mapping[str, str]
    """Group → its one role."""
    users: Mapping[str, Membership]
    """User name → the user."""
    clients: Mapping[str, Client]
    """Client id → the client."""
    provider: Provider | None
    """The identity provider to log in with, if there is one."""
    password: PasswordPolicy
    """What first passwords must have."""
    temporary_passwords: bool
    """Whether a first password must be changed at the first log-in."""
    events: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Keycloak's ``RealmEventsConfigRepresentation``."""


def desired_realm(installation: Installation) -> DesiredRealm:
    """Return what the realm of an installation should be."""
    identity = installation.identity
    return DesiredRealm(
        name=identity.realm,
        owner=installation.name,
        settings=_settings(identity),
        roles={name: REALM_RIGHTS[role.keycloak] for name, role in identity.roles.items()},
        groups={name: group.role for name, group in identity.groups.items()},
        users={user.username: Membership(user, frozenset(user.groups)) for user in identity.users},
        clients={client.client_id: client for client in declared_clients(installation)},
        provider=provider(installation),
        password=identity.password,
        temporary_passwords=identity.temporary_passwords,
        events={
            "eventsEnabled": True,
            "eventsExpiration": _EVENTS_KEPT_SECONDS,
            "eventsListeners": ["jboss-logging"],
            "adminEventsEnabled": True,
            # Details are whole representations: who changed what is recorded, its content is not.
            "adminEventsDetailsEnabled": False,
        },
    )


def _settings(identity: Identity) -> dict[str, Any]:
    sessions, force = identity.sessions, identity.brute_force
    return {
        "enabled": True,
        # TLS ends at the ingress, which says so to Keycloak: no address of it is ever plain.
        "sslRequired": "all",
        "registrationAllowed": False,
        "resetPasswordAllowed": False,
        "rememberMe": False,
        "verifyEmail": False,
        "editUsernameAllowed": False,
        "duplicateEmailsAllowed": False,
        "loginWithEmailAllowed": True,
        "defaultSignatureAlgorithm": "RS256",
        "passwordPolicy": password_policy(identity),
        "accessTokenLifespan": sessions.access_token_minutes * 60,
        "ssoSessionIdleTimeout": sessions.idle_minutes * 60,
        "ssoSessionMaxLifespan": sessions.max_hours * 3600,
        "offlineSessionIdleTimeout": sessions.idle_minutes * 60,
        "offlineSessionMaxLifespanEnabled": True,
        "offlineSessionMaxLifespan": sessions.max_hours * 3600,
        "bruteForceProtected": True,
        "permanentLockout": False,
        "failureFactor": force.failures,
        "waitIncrementSeconds": force.wait_seconds,
        # A wait below the increment would make Keycloak lift the lock at once.
        "maxFailureWaitSeconds": max(force.max_wait_minutes * 60, force.wait_seconds),
    }


def password_policy(identity: Identity) -> str:
    """Return the password policy as Keycloak writes it: ``length(14) and passwordHistory(5) and …``."""
    policy = identity.password
    parts = [f"length({policy.length})"]
    if policy.history:
        parts.append(f"passwordHistory({policy.history})")
    if policy.not_username:
        parts.append("notUsername(undefined)")
    if policy.not_email:
        parts.append("notEmail(undefined)")
    return " and ".join(parts)

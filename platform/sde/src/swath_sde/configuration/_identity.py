"""Who may do what: groups and roles, written once for every component."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from swath_sde.configuration._base import Part, text

__all__ = ["BruteForce", "Group", "Identity", "PasswordPolicy", "Role", "Sessions", "Upstream", "User"]

_NAME = "a small letter, then small letters, digits and hyphens, such as 'developers-land'"

_USERNAME = "a small letter, then at least one more of small letters, digits, dots, hyphens and underscores"

GroupName = Annotated[str, text(r"^[a-z][a-z0-9-]{0,62}$", _NAME)]
"""Name of a group."""

RoleName = Annotated[str, text(r"^[a-z][a-z0-9-]{0,62}$", _NAME)]
"""Name of a role."""


class Sessions(Part):
    """How long a log-in lasts."""

    idle_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 30
    """A session without activity ends after so long."""
    max_hours: Annotated[int, Field(ge=1, le=30 * 24)] = 10
    """A session ends at that age."""
    access_token_minutes: Annotated[int, Field(ge=1, le=60)] = 5
    """An access token is good for so long."""

    @model_validator(mode="after")
    def _idle_within_age(self) -> Sessions:
        if self.idle_minutes > self.max_hours * 60:
            raise ValueError("idle_minutes is longer than max_hours: a session would never end of idleness")
        return self


class PasswordPolicy(Part):
    """What a password must have."""

    length: Annotated[int, Field(ge=8, le=128)] = 14
    """Characters at least."""
    history: Annotated[int, Field(ge=0, le=24)] = 5
    """So many of a user's last passwords may not be used again."""
    not_username: bool = True
    """The user's name is refused as a password."""
    not_email: bool = True
    """The user's e-mail address is refused as a password."""


class BruteForce(Part):
    """What happens when passwords are guessed."""

    failures: Annotated[int, Field(ge=1, le=100)] = 5
    """After so many failures in a row the account waits."""
    wait_seconds: Annotated[int, Field(ge=10, le=24 * 3600)] = 60
    """So long, and longer with each further failure."""
    max_wait_minutes: Annotated[int, Field(ge=1, le=24 * 60)] = 15
    """It never waits longer."""


class Role(Part):
    """What those who have the role may do in each component."""

    keycloak: Literal["none", "view", "manage"] = "none"
    """Users and groups in the realm's administration."""
    hub: Literal["user", "admin"] = "user"
    """JupyterHub's administration; whether a group may start servers at all is said by its ``workspace``."""
    kubernetes: Literal["none", "view", "edit", "admin"] = "none"
    """The Kubernetes API, with ``kubectl`` by single sign-on; ``view`` and ``edit`` see no secrets."""


class Group(Part):
    """A group of users and its role."""

    role: RoleName
    """Name of its role."""
    workspace: bool = True
    """Whether its members may start JupyterLab and code-server."""


class User(Part):
    """A user of the realm."""

    username: Annotated[str, text(r"^[a-z][a-z0-9._-]{1,62}$", _USERNAME)]
    """Log-in name."""
    email: Annotated[str, text(r"^[^@\s]+@[^@\s]+$", "an address such as 'ada@example.org'", max_length=254)]
    """E-mail address."""
    first_name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """First name."""
    last_name: Annotated[str, StringConstraints(min_length=1, max_length=255)]
    """Last name."""
    groups: tuple[GroupName, ...] = ()
    """Groups the user belongs to; they must be among those of the installation."""


class Upstream(Part):
    """An identity provider (OpenID Connect) that users log in with instead of a password of the realm."""

    name: Annotated[str, text(r"^[a-z][a-z0-9-]{0,62}$", _NAME)]
    """Its alias in the realm."""
    issuer: Annotated[str, text(r"^https://\S+$", "an address that begins with https://")]
    """Its issuer URL, as it stands in its tokens."""
    client_id: Annotated[str, StringConstraints(min_length=1)]
    """What it knows the realm by."""
    client_secret_name: Annotated[str, StringConstraints(min_length=1)]
    """Kubernetes Secret in Keycloak's namespace that holds the client's secret under ``client-secret``."""
    groups_claim: str = "groups"
    """Claim of its tokens that names a user's groups."""


def _default_roles() -> dict[str, Role]:
    return {
        "platform-admin": Role(keycloak="manage", hub="admin", kubernetes="admin"),
        "maintainer": Role(kubernetes="edit"),
        "developer": Role(kubernetes="view"),
        "reader": Role(),
    }


def _default_groups() -> dict[str, Group]:
    return {
        "admins": Group(role="platform-admin"),
        "developers-land": Group(role="developer"),
        "scientists": Group(role="reader"),
        "auditors": Group(role="reader", workspace=False),
    }


def _default_users() -> tuple[User, ...]:
    return (
        User(
            username="admin",
            email="admin@swath.localhost",
            first_name="Platform",
            last_name="Admin",
            groups=("admins",),
        ),
        User(
            username="developer",
            email="developer@swath.localhost",
            first_name="Example",
            last_name="Developer",
            groups=("developers-land",),
        ),
    )


class Identity(Part):
    """The realm: groups, roles, users, and how they log in."""

    realm: Annotated[str, text(r"^[a-z][a-z0-9-]{0,35}$", _NAME)] = "swath"
    """Name of the Keycloak realm."""
    sessions: Sessions = Field(default_factory=Sessions)
    """How long a log-in lasts."""
    password: PasswordPolicy = Field(default_factory=PasswordPolicy)
    """What a password must have."""
    brute_force: BruteForce = Field(default_factory=BruteForce)
    """What happens when passwords are guessed."""
    roles: dict[RoleName, Role] = Field(default_factory=_default_roles)
    """What each role may do."""
    groups: dict[GroupName, Group] = Field(default_factory=_default_groups)
    """The groups, and the role of each."""
    users: tuple[User, ...] = Field(default_factory=_default_users)
    """The users that this file makes; others may be made by hand, and are left alone."""
    temporary_passwords: bool = True
    """Whether a user must choose a password of one's own at the first log-in."""
    upstream: Upstream | None = None
    """An identity provider to log in with, none by default."""

    @model_validator(mode="after")
    def _names_known(self) -> Identity:
        for name, group in self.groups.items():
            if group.role not in self.roles:
                raise ValueError(
                    f"group {name!r} has the role {group.role!r}; roles are {', '.join(self.roles)}"
                )
        seen = set()
        for user in self.users:
            if user.username in seen:
                raise ValueError(f"user {user.username!r} stands twice")
            seen.add(user.username)
            for group_name in user.groups:
                if group_name not in self.groups:
                    raise ValueError(
                        f"user {user.username!r} is in the group {group_name!r}; "
                        f"groups are {', '.join(self.groups)}"
                    )
        if not any(self.roles[group.role].keycloak == "manage" for group in self.groups.values()):
            raise ValueError(
                "no group has a role with keycloak: manage, so nobody could administer the realm"
            )
        return self

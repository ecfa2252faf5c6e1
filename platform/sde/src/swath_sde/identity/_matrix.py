"""The matrix of groups and roles, rendered once for each component; Kubernetes has a module of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["REALM_RIGHTS", "HubAccess", "describe_matrix", "hub_access", "keycloak_access"]

_VIEW = frozenset({"query-groups", "query-users", "view-users"})

REALM_RIGHTS = {
    "none": frozenset[str](),
    "view": _VIEW,
    # No manage-realm and manage-clients: how people log in is said by swath.yaml alone. No impersonation.
    "manage": _VIEW | {"manage-users", "view-clients", "view-events", "view-realm"},
}
"""What ``keycloak:`` of a role means: roles of the realm's client ``realm-management``."""


@dataclass(frozen=True, slots=True)
class HubAccess:
    """Who gets into JupyterHub, by names of groups in the claim ``groups``."""

    allowed_groups: tuple[str, ...]
    """Their members may log in and start a server: OAuthenticator's ``allowed_groups``."""
    admin_groups: tuple[str, ...]
    """Their members administer the hub: OAuthenticator's ``admin_groups``. They get in in any case."""


def keycloak_access(installation: Installation) -> dict[str, frozenset[str]]:
    """Return what each group may in the realm's administration: roles of ``realm-management``."""
    identity = installation.identity
    return {
        name: REALM_RIGHTS[identity.roles[group.role].keycloak] for name, group in identity.groups.items()
    }


def hub_access(installation: Installation) -> HubAccess:
    """Return who gets into JupyterHub, and who administers it."""
    identity = installation.identity
    return HubAccess(
        allowed_groups=tuple(name for name, group in identity.groups.items() if group.workspace),
        admin_groups=tuple(
            name for name, group in identity.groups.items() if identity.roles[group.role].hub == "admin"
        ),
    )


_WORDS = {
    "keycloak": {"none": "own account", "view": "users and groups, read", "manage": "users and groups"},
    "kubernetes": {
        "none": "—",
        "view": "the installation's namespaces, read, without secrets and logs",
        "edit": "as view; workloads of the group's own namespace",
        "admin": "the whole cluster",
    },
}


def describe_matrix(installation: Installation) -> str:
    """Return the matrix as a Markdown table."""
    identity, hub = installation.identity, hub_access(installation)
    rows = ["| group | role | Keycloak | JupyterHub | Kubernetes |", "|---|---|---|---|---|"]
    for name, group in identity.groups.items():
        role = identity.roles[group.role]
        there = "own servers" if name in hub.allowed_groups else "—"
        if name in hub.admin_groups:
            there = "administration"
        rows.append(
            f"| `{name}` | `{group.role}` | {_WORDS['keycloak'][role.keycloak]} | {there} | "
            f"{_WORDS['kubernetes'][role.kubernetes]} |"
        )
    return "\n".join(rows)

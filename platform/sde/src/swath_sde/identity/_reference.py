"""The reference page of identity, written from what the code does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath_sde.configuration import Installation
from swath_sde.identity._declared import declared_clients
from swath_sde.identity._desired import MARK, desired_realm
from swath_sde.identity._kubernetes import RULES
from swath_sde.identity._matrix import REALM_RIGHTS, describe_matrix

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["reference_page"]

_PAGE = """\
# Identity

<!-- Written by `python -m swath_sde.identity`; a test compares it. -->

Users, groups and roles stand once, under `identity` of `swath.yaml`. From there come the realm in
Keycloak, the access to JupyterHub and the rights in the Kubernetes API. [Users and
groups](../how-to/users-and-groups.md) says how to change them.

## Groups and roles

With all defaults, a group may:

{matrix}

Each group has one role; a role says what it may in each component. A group with `workspace: false`
cannot start servers.

## In Keycloak

| `keycloak:` | roles of the realm's client `realm-management` |
|---|---|
{rights}

Nobody but the account that applies `swath.yaml` may change the realm's settings and clients.

Of the realm itself Swath decides these fields, with the values of an installation without further words.
All others are left as they are.

| field | value |
|---|---|
{settings}

| client | kind | codes are sent to | client scopes |
|---|---|---|---|
{clients}

Clients have the authorization code flow with PKCE (S256) and nothing else; `kubernetes` may also use a
code typed on another device. Tokens name a user's groups in the claim `groups`, without a path, and the
client as their audience.

Every object that Swath makes has the attribute `{mark}` with the installation's name. An object without
it, or with another name, is neither changed nor deleted. If such an object has a name that `swath.yaml`
uses, nothing is applied, and the message names it. Users in groups: of users that Swath made, membership
of groups that Swath made is as `swath.yaml` says; other users and other groups are left to people.
Passwords and disabled accounts are never compared.

## In the Kubernetes API

Users appear as `oidc:<user name>`, groups as `oidc:<group>`.

| `kubernetes:` | where |
|---|---|
| `none` | nowhere |
| `view` | the namespaces of the installation's components, and those of its groups |
| `edit` | as `view`, and the group's own namespace `<installation>-<group>` |
| `admin` | the whole cluster |

{rules}

## When access ends

| what changes in `swath.yaml` | ends with `swath apply` | ends later |
|---|---|---|
| a user leaves a group, or is taken out | sessions, refresh tokens, the group in new tokens | \
a token given before: within {token} minutes (`sessions.access_token_minutes`), \
as the API server judges tokens by themselves |
| a group is taken out | the sessions of its members | the same |
| a role loses rights in Keycloak | the rights, with the next token | the same |
"""


def reference_page() -> str:
    """Return the reference page as Markdown."""
    installation = Installation()
    desired = desired_realm(installation)
    return _PAGE.format(
        matrix=describe_matrix(installation),
        rights=_rows((f"`{name}`", _listed(rights) or "none") for name, rights in REALM_RIGHTS.items()),
        settings=_rows(
            (f"`{name}`", f"`{_plain(value)}`")
            for name, value in {**desired.settings, **desired.events}.items()
        ),
        clients=_rows(
            (
                f"`{client.client_id}`",
                "public" if client.secret is None else "with a secret",
                f"`{', '.join(client.redirect_uris)}`" + (" (any port)" if client.secret is None else ""),
                _listed(client.scopes()),
            )
            for client in declared_clients(installation)
        ),
        mark=MARK,
        rules="\n\n".join(_rules(name, rules) for name, rules in RULES.items()),
        token=installation.identity.sessions.access_token_minutes,
    )


def _rules(name: str, rules: list[dict[str, Any]]) -> str:
    rows = _rows(
        (
            _listed(
                _qualified(resource, group) for group in rule["apiGroups"] for resource in rule["resources"]
            ),
            _listed(rule["verbs"]),
        )
        for rule in rules
        if "resources" in rule
    )
    return f"`{name}`:\n\n| resources | verbs |\n|---|---|\n{rows}"


def _qualified(resource: str, group: str) -> str:
    """Return a resource as ``kubectl auth can-i`` takes it: ``deployments.apps/scale``."""
    plain, slash, sub = resource.partition("/")
    return f"{plain}.{group}{slash}{sub}" if group and group != "*" else resource


def _rows(cells: Iterable[tuple[str, ...]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in sorted(words))


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, list) else str(value)

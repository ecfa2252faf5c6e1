"""``plan`` and ``apply``: the same steps, shown or taken."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from keycloak.exceptions import KeycloakError

from swath_sde.identity._clients import client_steps, scope_steps
from swath_sde.identity._declared import GROUPS_SCOPE
from swath_sde.identity._desired import MARK, desired_realm
from swath_sde.identity._observed import observe, owner_of
from swath_sde.identity._provider import provider_steps
from swath_sde.identity._realm import realm_steps
from swath_sde.identity._roles import group_steps, role_steps
from swath_sde.identity._server import connected
from swath_sde.identity._step import in_order
from swath_sde.identity._users import user_steps
from swath_sde.identity.errors import ForeignObjectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath_sde.changes import Change
    from swath_sde.configuration import Installation
    from swath_sde.identity._desired import DesiredRealm
    from swath_sde.identity._observed import ObservedRealm
    from swath_sde.identity._server import Administration, Server
    from swath_sde.identity._step import Step
    from swath_sde.identity.secrets import Secrets

__all__ = ["apply_identity", "plan_identity"]

_ATTEMPTS = 6
"""A change that is refused that way more often is refused for good."""


def plan_identity(
    installation: Installation, administration: Administration, secrets: Secrets
) -> list[Change]:
    """Return what ``apply_identity`` would change. Nothing is changed, and no secret is in it.

    Raises
    ------
    ForeignObjectError
        The description names objects that exist and that Swath did not make.
    IdentityError
        Keycloak cannot be reached or trusted, or refuses; a secret is missing.
    """
    desired = desired_realm(installation)
    with connected(administration, desired.name) as server:
        return [step.change for step in _steps(server, desired, secrets)]


def apply_identity(
    installation: Installation,
    administration: Administration,
    secrets: Secrets,
    progress: Callable[[Change], None] | None = None,
) -> list[Change]:
    """Make the realm what ``swath.yaml`` says, and return what was changed.

    Whoever loses access loses it, and the own sessions, before anything else is done. An interrupted call
    is continued by the next one.

    Parameters
    ----------
    progress
        Called with each change when it is made.

    Raises
    ------
    ForeignObjectError
        The description names objects that exist and that Swath did not make; nothing was changed.
    IdentityError
        Keycloak cannot be reached or trusted, or refuses; a secret is missing.
    """
    desired = desired_realm(installation)
    done: list[Change] = []
    refused: Counter[Change] = Counter()
    with connected(administration, desired.name) as server:
        while steps := _steps(server, desired, secrets):
            for step in steps:
                try:
                    step.take()
                except KeycloakError as error:
                    refused[step.change] += 1
                    if not _meanwhile(error) or refused[step.change] > _ATTEMPTS:
                        raise
                    # What the other one does may not be visible yet; then look again at what there is.
                    time.sleep(min(0.25 * 2 ** refused[step.change], 4))
                    break
                done.append(step.change)
                if progress is not None:
                    progress(step.change)
            else:
                break
    return done


def _meanwhile(error: KeycloakError) -> bool:
    """Tell whether somebody else has made or removed something since it was looked at."""
    collided = error.response_code == 400 and b"Database operation failed" in (error.response_body or b"")
    return error.response_code in {404, 409} or collided


def _steps(server: Server, desired: DesiredRealm, secrets: Secrets) -> list[Step]:
    observed = observe(server, desired)
    _refuse_foreign(desired, observed)
    return in_order(
        [
            *realm_steps(server, desired, observed),
            *scope_steps(server, desired, observed),
            *client_steps(server, desired, observed, secrets),
            *role_steps(server, desired, observed),
            *group_steps(server, desired, observed),
            *user_steps(server, desired, observed, secrets),
            *provider_steps(server, desired, observed, secrets),
        ]
    )


def _refuse_foreign(desired: DesiredRealm, observed: ObservedRealm) -> None:
    """Refuse to take over what somebody else made under a name that the description uses."""
    if observed.realm is None:
        return
    if owner_of(observed.realm) != desired.owner:
        owner = owner_of(observed.realm)
        raise ForeignObjectError(
            f"The realm {desired.name!r} exists and was made by "
            f"{f'the installation {owner!r}' if owner else 'somebody else'}; nothing in it was changed. "
            "Choose another `identity.realm` in swath.yaml."
        )
    providers = {desired.provider.alias} if desired.provider else set()
    foreign = [
        f"{kind} {name!r}"
        for kind, names, there in (
            ("client scope", {GROUPS_SCOPE}, observed.scopes),
            ("client", set(desired.clients), observed.clients),
            ("role", set(desired.roles), observed.roles),
            ("group", set(desired.groups), observed.groups),
            ("user", set(desired.users), observed.users),
            ("identity provider", providers, observed.providers),
        )
        for name in sorted(names & set(there))
        if owner_of(there[name]) != desired.owner
    ]
    if foreign:
        raise ForeignObjectError(
            f"In the realm {desired.name!r} there are already, not made by Swath: {', '.join(foreign)}. "
            "Nothing was changed. Rename or remove them there, take them out of swath.yaml, or hand them "
            f"over to Swath with the attribute {MARK} = {desired.owner}."
        )

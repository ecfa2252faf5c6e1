"""Steps for the identity provider that users log in with."""

from __future__ import annotations

import hashlib
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from keycloak.exceptions import KeycloakError

from swath_sde.changes import Action, Change
from swath_sde.identity._desired import MARK
from swath_sde.identity._step import Rank, Step, differences
from swath_sde.identity.errors import IdentityError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath_sde.identity._desired import DesiredRealm
    from swath_sde.identity._observed import ObservedRealm
    from swath_sde.identity._server import Server
    from swath_sde.identity._upstream import Provider
    from swath_sde.identity.secrets import Secrets

__all__ = ["provider_steps"]

_DIGEST = "swath.secret"
"""Setting that holds a digest of the secret: Keycloak shows the secret itself to nobody, so neither to us."""


def provider_steps(
    server: Server, desired: DesiredRealm, observed: ObservedRealm, secrets: Secrets
) -> Iterator[Step]:
    """Yield what is to be done about identity providers."""
    wanted = desired.provider
    if wanted is not None:
        live = observed.providers.get(wanted.alias)
        if live is None:
            yield Step(
                Change(
                    "Keycloak identity provider", wanted.alias, Action.CREATE, (f"issuer {wanted.issuer}",)
                ),
                partial(_create, server, wanted, desired.owner, secrets),
            )
        else:
            yield from _of_one(server, wanted, live, secrets)
    for alias in observed.owned(observed.providers, desired.owner):
        if wanted is None or alias != wanted.alias:
            yield Step(
                Change("Keycloak identity provider", alias, Action.DELETE),
                partial(server.admin.delete_idp, alias),
                Rank.REVOKE,
            )


def _of_one(server: Server, wanted: Provider, live: dict[str, Any], secrets: Secrets) -> Iterator[Step]:
    details = list(differences(wanted.representation(), live))
    if live["config"].get(_DIGEST) != _digest(wanted, secrets):
        details.append("client secret: another than the cluster's (neither is shown)")
    there = {mapper["name"]: mapper for mapper in server.admin.get_idp_mappers(wanted.alias)}
    desired = {mapper["name"]: mapper for mapper in wanted.mappers()}
    for name, mapper in desired.items():
        if name not in there:
            details.append(f"mapper {name}: missing")
        else:
            details += _mapper_differences(mapper, there[name])
    if details:
        yield Step(
            Change("Keycloak identity provider", wanted.alias, Action.UPDATE, tuple(details)),
            partial(_update, server, wanted, live, secrets),
        )


def _create(server: Server, wanted: Provider, owner: str, secrets: Secrets) -> None:
    server.admin.create_idp(_content(server, wanted, {"config": {MARK: owner}}, secrets))
    for mapper in wanted.mappers():
        server.admin.add_mapper_to_idp(wanted.alias, mapper)


def _update(server: Server, wanted: Provider, live: dict[str, Any], secrets: Secrets) -> None:
    server.admin.update_idp(wanted.alias, _content(server, wanted, live, secrets))
    there = {mapper["name"]: mapper for mapper in server.admin.get_idp_mappers(wanted.alias)}
    for mapper in wanted.mappers():
        found = there.get(mapper["name"])
        if found is None:
            server.admin.add_mapper_to_idp(wanted.alias, mapper)
        elif any(_mapper_differences(mapper, found)):
            server.admin.update_mapper_in_idp(wanted.alias, found["id"], {**found, **mapper})


def _content(server: Server, wanted: Provider, live: dict[str, Any], secrets: Secrets) -> dict[str, Any]:
    """Return the whole provider. Keycloak itself reads the endpoints, over the trust that it has."""
    document = f"{wanted.issuer}/.well-known/openid-configuration"
    try:
        endpoints = server.post(
            "/identity-provider/import-config", {"providerId": "oidc", "fromUrl": document}
        )
    except KeycloakError as error:
        raise IdentityError(
            f"Keycloak cannot read {document} of the provider {wanted.alias!r} (it answered "
            f"{error.response_code}): check `identity.upstream.issuer`, that the provider can be reached "
            "from the cluster, and that its certificate is trusted there."
        ) from None
    fields = wanted.representation()
    secret = {"clientSecret": secrets.read(wanted.secret), _DIGEST: _digest(wanted, secrets)}
    return {
        **live,
        **fields,
        "config": {**live["config"], **endpoints, **fields["config"], **secret},
    }


def _digest(wanted: Provider, secrets: Secrets) -> str:
    """Return a slow, salted digest: whoever may read the realm does not learn the secret from it."""
    salt = f"{wanted.issuer} {wanted.client_id}".encode()
    return hashlib.scrypt(
        secrets.read(wanted.secret).encode(), salt=salt, n=1 << 14, r=8, p=1, dklen=16
    ).hex()


def _mapper_differences(wanted: dict[str, Any], live: dict[str, Any]) -> list[str]:
    name = f"mapper {wanted['name']}."
    found = list(
        differences(
            {**wanted, "config": {**wanted["config"], "claims": ""}},
            {**live, "config": {**live["config"], "claims": ""}},
            name,
        )
    )
    # The same rule may be written with other blanks.
    if json.loads(wanted["config"]["claims"]) != json.loads(live["config"].get("claims") or "[]"):
        found.append(f"{name}config.claims: {live['config'].get('claims')} → {wanted['config']['claims']}")
    return found

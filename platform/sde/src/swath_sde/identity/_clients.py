"""Steps for clients, their mappers and secrets, and for the scope that puts groups into tokens."""

from __future__ import annotations

import hmac
from functools import partial
from typing import TYPE_CHECKING, Any

from swath_sde.changes import Action, Change
from swath_sde.identity._declared import GROUPS_MAPPER, GROUPS_SCOPE
from swath_sde.identity._desired import MARK
from swath_sde.identity._step import Rank, Step, differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from swath_sde.identity._declared import Client, Mapper
    from swath_sde.identity._desired import DesiredRealm
    from swath_sde.identity._observed import ObservedRealm
    from swath_sde.identity._server import Server
    from swath_sde.identity.secrets import Secrets

__all__ = ["client_steps", "scope_steps"]

_SCOPE_ATTRIBUTES = {"include.in.token.scope": "true", "display.on.consent.screen": "false"}
_SCOPE: dict[str, Any] = {"protocol": "openid-connect", "attributes": _SCOPE_ATTRIBUTES}


def scope_steps(server: Server, desired: DesiredRealm, observed: ObservedRealm) -> Iterator[Step]:
    """Yield what is to be done about the client scope ``groups``."""
    live = observed.scopes.get(GROUPS_SCOPE)
    if live is None:
        content = {
            "name": GROUPS_SCOPE,
            **_SCOPE,
            "attributes": {**_SCOPE_ATTRIBUTES, MARK: desired.owner},
            "protocolMappers": [GROUPS_MAPPER.representation()],
        }
        yield Step(
            Change("Keycloak client scope", GROUPS_SCOPE, Action.CREATE),
            partial(server.admin.create_client_scope, content),
        )
        return
    fields = tuple(differences(_SCOPE, live))
    mappers = tuple(_mapper_differences([GROUPS_MAPPER], live))
    if fields or mappers:
        yield Step(
            Change("Keycloak client scope", GROUPS_SCOPE, Action.UPDATE, (*fields, *mappers)),
            partial(_update_scope, server, live),
        )


def client_steps(
    server: Server, desired: DesiredRealm, observed: ObservedRealm, secrets: Secrets
) -> Iterator[Step]:
    """Yield what is to be done about clients."""
    for name, client in desired.clients.items():
        live = observed.clients.get(name)
        if live is None:
            yield Step(
                Change(
                    "Keycloak client", name, Action.CREATE, tuple(f"to {uri}" for uri in client.redirect_uris)
                ),
                partial(_create, server, client, desired.owner, secrets),
            )
            continue
        fields = client.representation()
        details = [*differences(fields, live), *_mapper_differences(client.mappers(), live)]
        scopes = {kind: set(live.get(f"{kind}ClientScopes", ())) for kind in ("default", "optional")}
        details += differences(
            {"scopes": sorted(client.scopes()), "optional scopes": []},
            {"scopes": sorted(scopes["default"]), "optional scopes": sorted(scopes["optional"])},
        )
        if client.secret and not _same(live.get("secret"), secrets.read(client.secret)):
            details.append("secret: another than the cluster's (neither is shown)")
        if details:
            yield Step(
                Change("Keycloak client", name, Action.UPDATE, tuple(details)),
                partial(_update, server, client, live, secrets),
            )
    for name, live in observed.owned(observed.clients, desired.owner).items():
        if name not in desired.clients:
            yield Step(
                Change("Keycloak client", name, Action.DELETE),
                partial(server.admin.delete_client, live["id"]),
                Rank.REVOKE,
            )


def _create(server: Server, client: Client, owner: str, secrets: Secrets) -> None:
    fields = client.representation()
    content = {
        "clientId": client.client_id,
        **fields,
        "attributes": {**fields["attributes"], MARK: owner},
        "protocolMappers": [mapper.representation() for mapper in client.mappers()],
        "defaultClientScopes": list(client.scopes()),
        "optionalClientScopes": [],
    }
    if client.secret:
        content["secret"] = secrets.read(client.secret)
    server.admin.create_client(content)


def _update(server: Server, client: Client, live: dict[str, Any], secrets: Secrets) -> None:
    uuid = live["id"]
    fields = client.representation()
    content = {**live, **fields, "attributes": {**live.get("attributes", {}), **fields["attributes"]}}
    if client.secret:
        content["secret"] = secrets.read(client.secret)
    server.admin.update_client(uuid, content)
    _set_mappers(server, f"/clients/{uuid}", client.mappers(), live)
    wanted = set(client.scopes())
    for name in set(live.get("optionalClientScopes", ())):
        server.remove(f"/clients/{uuid}/optional-client-scopes/{server.scope_id(name)}")
    default = set(live.get("defaultClientScopes", ()))
    for name in default - wanted:
        server.remove(f"/clients/{uuid}/default-client-scopes/{server.scope_id(name)}")
    for name in wanted - default:
        server.put(f"/clients/{uuid}/default-client-scopes/{server.scope_id(name)}", {})


def _update_scope(server: Server, live: dict[str, Any]) -> None:
    attributes = {**live.get("attributes", {}), **_SCOPE_ATTRIBUTES}
    server.admin.update_client_scope(live["id"], {**live, **_SCOPE, "attributes": attributes})
    _set_mappers(server, f"/client-scopes/{live['id']}", [GROUPS_MAPPER], live)


def _mapper_differences(mappers: Iterable[Mapper], live: dict[str, Any]) -> Iterator[str]:
    there = {mapper["name"]: mapper for mapper in live.get("protocolMappers", ())}
    for mapper in mappers:
        if mapper.name not in there:
            yield f"mapper {mapper.name}: missing"
        else:
            yield from differences(mapper.representation(), there[mapper.name], f"mapper {mapper.name}.")


def _set_mappers(server: Server, holder: str, mappers: Iterable[Mapper], live: dict[str, Any]) -> None:
    there = {mapper["name"]: mapper for mapper in live.get("protocolMappers", ())}
    for mapper in mappers:
        found = there.get(mapper.name)
        content = mapper.representation()
        if found is None:
            server.post(f"{holder}/protocol-mappers/models", content)
        elif any(differences(content, found)):
            server.put(f"{holder}/protocol-mappers/models/{found['id']}", {**found, **content})


def _same(one: str | None, other: str) -> bool:
    return hmac.compare_digest((one or "").encode(), other.encode())

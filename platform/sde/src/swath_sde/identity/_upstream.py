"""An identity provider that users log in with instead of a password of the realm."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swath_sde.identity._declared import SecretPlace

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["Provider", "provider"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An OpenID Connect provider, with its groups of the same name becoming ours."""

    alias: str
    """Its name in the realm."""
    issuer: str
    """Its issuer URL; its endpoints are read from there by Keycloak itself."""
    client_id: str
    """What it knows the realm by."""
    secret: SecretPlace
    """Where the client's secret is kept."""
    groups_claim: str
    """Claim of its tokens that names a user's groups."""
    groups: tuple[str, ...]
    """Groups that are taken over where the claim names them."""

    def representation(self) -> dict[str, Any]:
        """Return the fields of Keycloak's ``IdentityProviderRepresentation`` that Swath decides."""
        return {
            "alias": self.alias,
            "providerId": "oidc",
            "enabled": True,
            "trustEmail": False,
            "storeToken": False,
            "config": {
                "issuer": self.issuer,
                "clientId": self.client_id,
                "clientAuthMethod": "client_secret_basic",
                "defaultScope": "openid profile email",
                "pkceEnabled": "true",
                "pkceMethod": "S256",
                "syncMode": "FORCE",
                "useJwksUrl": "true",
                "validateSignature": "true",
            },
        }

    def mappers(self) -> list[dict[str, Any]]:
        """Return one rule a group: whoever has it upstream is in ours, and no longer after losing it."""
        return [
            {
                "name": f"group {group}",
                "identityProviderAlias": self.alias,
                "identityProviderMapper": "oidc-advanced-group-idp-mapper",
                "config": {
                    "syncMode": "FORCE",
                    "claims": json.dumps([{"key": self.groups_claim, "value": group}]),
                    "are.claim.values.regex": "false",
                    "group": f"/{group}",
                },
            }
            for group in self.groups
        ]


def provider(installation: Installation) -> Provider | None:
    """Return the identity provider of an installation, if it has one."""
    upstream = installation.identity.upstream
    if upstream is None:
        return None
    return Provider(
        alias=upstream.name,
        issuer=upstream.issuer.rstrip("/"),
        client_id=upstream.client_id,
        secret=SecretPlace(installation.namespace("keycloak"), upstream.client_secret_name, "client-secret"),
        groups_claim=upstream.groups_claim,
        groups=tuple(installation.identity.groups),
    )

"""The clients of the realm: each component that logs users in is declared here, in a few lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath_sde.configuration import Installation

__all__ = ["GROUPS_SCOPE", "LOOPBACK", "Client", "Mapper", "SecretPlace", "declared_clients"]

GROUPS_SCOPE = "groups"
"""Name of the client scope that puts a user's groups into tokens, and of the claim."""

LOOPBACK = "http://127.0.0.1/callback"
"""Where a program on the user's own machine takes its code; the port is free (RFC 8252, section 7.3)."""


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """Where in the cluster a secret is kept."""

    namespace: str
    """Namespace of the Secret."""
    name: str
    """Name of the Secret."""
    key: str
    """Key in it."""


@dataclass(frozen=True, slots=True)
class Mapper:
    """A rule that puts something into tokens."""

    name: str
    """Its name, unique within the client or scope."""
    kind: str
    """Keycloak's name of the rule's kind (``protocolMapper``)."""
    config: tuple[tuple[str, str], ...]
    """Its settings."""

    def representation(self) -> dict[str, Any]:
        """Return it as Keycloak's ``ProtocolMapperRepresentation``."""
        return {
            "name": self.name,
            "protocol": "openid-connect",
            "protocolMapper": self.kind,
            "config": dict(self.config),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A program that logs users in through the realm: authorization code with PKCE, nothing else."""

    client_id: str
    """Its id, and the audience of its tokens."""
    title: str
    """Its name for people."""
    redirect_uris: tuple[str, ...]
    """Where codes may be sent, exactly; no patterns."""
    secret: SecretPlace | None = None
    """Where its secret is kept; a client without one is public and has PKCE alone."""
    home: str | None = None
    """Its address for people."""
    logout_uris: tuple[str, ...] = ()
    """Where a browser may be sent after logging out."""
    device: bool = False
    """Whether it may log in with a code that the user types on another device (RFC 8628)."""

    def representation(self) -> dict[str, Any]:
        """Return the fields of Keycloak's ``ClientRepresentation`` that Swath decides."""
        return {
            "name": self.title,
            "enabled": True,
            "protocol": "openid-connect",
            "publicClient": self.secret is None,
            "redirectUris": list(self.redirect_uris),
            "webOrigins": [],
            "baseUrl": self.home or "",
            "bearerOnly": False,
            "consentRequired": False,
            "standardFlowEnabled": True,
            "implicitFlowEnabled": False,
            "directAccessGrantsEnabled": False,
            "serviceAccountsEnabled": False,
            # Roles do not travel in tokens: what a group may is decided where it is used.
            "fullScopeAllowed": False,
            "attributes": {
                "pkce.code.challenge.method": "S256",
                "post.logout.redirect.uris": "##".join(self.logout_uris),
                "oauth2.device.authorization.grant.enabled": str(self.device).lower(),
            },
        }

    def mappers(self) -> tuple[Mapper, ...]:
        """Return the client's own mappers: access tokens, too, name it as their audience."""
        config = (
            ("included.client.audience", self.client_id),
            ("id.token.claim", "false"),
            ("access.token.claim", "true"),
            ("introspection.token.claim", "true"),
        )
        return (Mapper("audience", "oidc-audience-mapper", config),)

    def scopes(self) -> tuple[str, ...]:
        """Return the client scopes that it always has; it can ask for no other, offline access included."""
        return ("basic", "email", GROUPS_SCOPE, "profile")


GROUPS_MAPPER = Mapper(
    GROUPS_SCOPE,
    "oidc-group-membership-mapper",
    (
        ("claim.name", GROUPS_SCOPE),
        ("full.path", "false"),
        ("multivalued", "true"),
        ("id.token.claim", "true"),
        ("access.token.claim", "true"),
        ("userinfo.token.claim", "true"),
        ("introspection.token.claim", "true"),
    ),
)
"""The rule behind the claim ``groups``: names without a path."""


def _hub(installation: Installation) -> Client | None:
    if not installation.components.hub.enabled:
        return None
    url = installation.url("hub")
    return Client(
        client_id="hub",
        title="JupyterHub",
        redirect_uris=(f"{url}/hub/oauth_callback",),
        secret=SecretPlace(installation.namespace("hub"), "hub", "client-secret"),
        home=f"{url}/",
        logout_uris=(f"{url}/", f"{url}/hub/", f"{url}/hub/login", f"{url}/hub/logout"),
    )


def _kubernetes(installation: Installation) -> Client:
    return Client(
        client_id="kubernetes",
        title=f"kubectl ({installation.name})",
        redirect_uris=(LOOPBACK,),
        device=True,
    )


_DECLARATIONS: tuple[Callable[[Installation], Client | None], ...] = (_hub, _kubernetes)
"""One function a client. A component that needs a login adds its own here."""


def declared_clients(installation: Installation) -> list[Client]:
    """Return the clients that an installation needs."""
    found = (declare(installation) for declare in _DECLARATIONS)
    return [client for client in found if client is not None]

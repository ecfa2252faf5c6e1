"""The connection to Keycloak's administration: TLS verified, what is passing retried, errors explained."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
from keycloak import KeycloakAdmin, KeycloakOpenIDConnection
from keycloak.exceptions import (
    KeycloakAuthenticationError,
    KeycloakConnectionError,
    KeycloakError,
    KeycloakGetError,
    raise_error_from_response,
)
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from swath_sde.address import AtAddress, was_cut, why_not
from swath_sde.identity.errors import (
    AdministrationRefusedError,
    IdentityError,
    UnreachableError,
    UntrustedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Administration", "Server", "connected"]

_PASSING = (502, 503, 504)
"""Answers of an ingress without a backend, and of a Keycloak that is starting."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Administration:
    """Where Keycloak is, and as whom to administer it. Kept in memory only; its text shows no secret."""

    url: str
    """Base address of Keycloak: ``https://keycloak.swath.localhost:8443``."""
    ca_bundle: Path
    """PEM file of the certificate authorities that Keycloak's certificate is verified against."""
    username: str | None = None
    """An administrator of the realm ``realm``."""
    password: str | None = field(default=None, repr=False)
    """The administrator's password."""
    client_id: str = "admin-cli"
    """Client to log in with; one with a service account where ``client_secret`` is given."""
    client_secret: str | None = field(default=None, repr=False)
    """Secret of that client, instead of a user name and a password."""
    realm: str = "master"
    """Realm of the administrator."""
    address: str | None = None
    """Address to connect to where the name in ``url`` does not resolve; the certificate is the name's."""
    patience_seconds: float = 30
    """How long a Keycloak that does not answer yet is waited for."""

    @property
    def account(self) -> str:
        """Name of the account."""
        return self.username or self.client_id


class Server:
    """What this package does on a server beyond the methods of python-keycloak."""

    def __init__(self, admin: KeycloakAdmin, realm: str) -> None:
        self.admin = admin
        """python-keycloak's administration, set to the realm."""
        self._base = f"/admin/realms/{realm}"

    def get(self, path: str, **query: str) -> Any:
        """Return what is at a path below the realm's administration."""
        return raise_error_from_response(
            self.admin.connection.raw_get(self._base + path, **query), KeycloakGetError
        )

    def post(self, path: str, content: Any) -> Any:
        """Send JSON to a path below the realm's administration and return the answer."""
        answer = self.admin.connection.raw_post(self._base + path, data=json.dumps(content))
        return raise_error_from_response(answer, KeycloakGetError)

    def put(self, path: str, content: Any) -> None:
        """Replace what is at a path below the realm's administration."""
        answer = self.admin.connection.raw_put(self._base + path, data=json.dumps(content))
        raise_error_from_response(answer, KeycloakGetError)

    def remove(self, path: str, content: Any = None) -> None:
        """Delete what is at a path; ``content`` names what of it, where Keycloak wants that."""
        body = {} if content is None else {"data": json.dumps(content)}
        raise_error_from_response(
            self.admin.connection.raw_delete(self._base + path, **body), KeycloakGetError
        )

    def group_id(self, name: str) -> str:
        """Return the id of a group of the top level."""
        found = self.admin.get_groups({"search": name, "exact": "true"})
        return _id_of(name, found)

    def client_uuid(self, client_id: str) -> str:
        """Return Keycloak's own id of a client."""
        return str(self.admin.get_client_id(client_id))

    def scope_id(self, name: str) -> str:
        """Return the id of a client scope."""
        return _id_of(name, self.admin.get_client_scopes())

    def end_sessions(self, user_id: str) -> None:
        """End a user's sessions and refuse all refresh tokens given before now."""
        self.admin.user_logout(user_id)


def _id_of(name: str, found: list[dict[str, Any]]) -> str:
    for one in found:
        if one["name"] == name:
            return str(one["id"])
    raise KeycloakGetError(f"{name} is not there any more", response_code=404)


@contextmanager
def connected(administration: Administration, realm: str) -> Iterator[Server]:
    """Connect to a realm's administration for as long as the block lasts.

    Raises
    ------
    UntrustedError
        The certificate is not signed by one of the bundle's authorities, or is for another host.
    UnreachableError
        There is no answer within the time allowed.
    AdministrationRefusedError
        Name or password are wrong, or the account lacks rights.
    IdentityError
        Keycloak refused something else.
    """
    _wait_until_ready(administration)
    connection = KeycloakOpenIDConnection(
        server_url=administration.url.rstrip("/") + "/",
        username=administration.username,
        password=administration.password,
        client_id=administration.client_id,
        client_secret_key=administration.client_secret,
        realm_name=realm,
        user_realm_name=administration.realm,
        timeout=60,
        max_retries=_retries(),  # type: ignore[arg-type] # handed on to requests, which takes both
    )
    # The bundle is given after construction: as an argument it would go to httpx as well, which takes a path
    # no longer without a warning. Until then the system's authorities count, so nothing is ever unverified.
    for used in (connection, connection.keycloak_openid.connection):
        used.verify = str(administration.ca_bundle)
        if administration.address is not None:
            used._s.mount("https://", _adapter(administration, _retries()))  # noqa: SLF001 -- it takes no session of ours
    with _explained(administration):
        yield Server(KeycloakAdmin(connection=connection), realm)


def _adapter(administration: Administration, retries: Retry) -> HTTPAdapter:
    if administration.address is None:
        return HTTPAdapter(max_retries=retries)
    host = urlsplit(administration.url).hostname or ""
    return AtAddress(host, administration.address, retries)


def _retries() -> Retry:
    return Retry(
        total=6,
        connect=6,
        # A request whose answer was lost may have been done: only those that change nothing are repeated.
        read=0,
        status=6,
        redirect=0,
        backoff_factor=0.25,
        backoff_max=4,
        status_forcelist=_PASSING,
        allowed_methods=frozenset({"GET", "PUT", "DELETE", "POST"}),
        raise_on_status=False,
    )


def _wait_until_ready(administration: Administration) -> None:
    """Ask until Keycloak answers; what waiting cannot cure is told at once."""
    url = administration.url.rstrip("/")
    host = urlsplit(url).hostname or ""
    bundle = administration.ca_bundle
    asked = f"{url}/realms/{administration.realm}"
    if not bundle.is_file():
        raise IdentityError(
            f"The certificate authorities' file {bundle} is not there, and {url} is never asked without "
            "verifying its certificate: give the installation's CA bundle."
        )
    deadline = time.monotonic() + administration.patience_seconds
    pause = 0.2
    while True:
        try:
            with requests.Session() as session:
                session.mount("https://", _adapter(administration, Retry(0)))
                status = session.get(asked, verify=str(bundle), timeout=10).status_code
            if status not in _PASSING:
                break
            seen = f"it answers {status}"
        except requests.exceptions.SSLError as error:
            seen = why_not(error, host)
            # An ingress or a load balancer that has just been changed hangs up for a moment.
            if not was_cut(error):
                raise UntrustedError(
                    f"The certificate of {url} cannot be trusted: {seen}. It was verified against {bundle}; "
                    "use the installation's own CA bundle, or renew the certificate."
                ) from None
        except requests.exceptions.RequestException as error:
            seen = why_not(error, host)
        if time.monotonic() + pause > deadline:
            raise UnreachableError(
                f"Keycloak at {url} does not answer ({seen}), asked for "
                f"{administration.patience_seconds:g} s. Look at its pod and at the ingress, or check "
                "`domain` and `where.https_port` in swath.yaml."
            )
        time.sleep(pause)
        pause = min(pause * 1.5, 2)
    if status == 404:
        raise UnreachableError(
            f"At {url} something answers, but it has no realm {administration.realm!r}: expected Keycloak. "
            "Check the domain and port of swath.yaml."
        )


@contextmanager
def _explained(administration: Administration) -> Iterator[None]:
    try:
        yield
    except KeycloakAuthenticationError:
        raise AdministrationRefusedError(_wrong_account(administration)) from None
    except KeycloakConnectionError as error:
        raise UnreachableError(
            f"Keycloak at {administration.url} stopped answering: {_reason(error)}. What was done stays; "
            "apply again to go on."
        ) from None
    except KeycloakError as error:
        body = error.response_body or b""
        if b'"invalid_grant"' in body or b'"invalid_client"' in body or b'"unauthorized_client"' in body:
            raise AdministrationRefusedError(_wrong_account(administration)) from None
        if error.response_code == 403:
            raise AdministrationRefusedError(
                f"The administrator {administration.account!r} may not do that in Keycloak "
                f"({_said(error)}): it needs the roles manage-realm, manage-users, manage-clients and "
                "manage-identity-providers of the realm."
            ) from None
        if error.response_code in _PASSING:
            raise UnreachableError(
                f"Keycloak at {administration.url} answers {error.response_code}. What was done stays; "
                "apply again to go on."
            ) from None
        raise IdentityError(
            f"Keycloak refused a change ({error.response_code}): {_said(error).rstrip('.')}. "
            "What was done stays."
        ) from error


def _wrong_account(administration: Administration) -> str:
    return (
        f"Keycloak at {administration.url} refused the administrator {administration.account!r}: name or "
        "password are wrong. They are those of the Secret `keycloak`; after a change by hand, put the new "
        "ones there."
    )


def _said(error: KeycloakError) -> str:
    """Return what Keycloak said, from whichever field it used."""
    body = error.response_body or b""
    try:
        content = json.loads(body)
    except ValueError:
        return str(error.error_message)[:300]
    found = [content.get(key) for key in ("errorMessage", "error_description", "error", "message")]
    return next((str(part) for part in found if part), str(error.error_message)[:300])


def _reason(error: BaseException) -> str:
    """Return the innermost reason in one line, without addresses of objects."""
    inner: Any = error
    while True:
        deeper = getattr(inner, "reason", None) or (inner.args[0] if getattr(inner, "args", ()) else None)
        if not isinstance(deeper, BaseException):
            break
        inner = deeper
    return str(inner).rsplit("> ", 1)[-1].rsplit("object at", 1)[-1].strip()[:300]

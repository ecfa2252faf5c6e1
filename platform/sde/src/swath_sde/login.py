"""``kubectl`` by single sign-on: a credential plug-in that logs in with the browser and keeps the tokens.

``kubectl`` calls ``python -m swath_sde.login``, as the kubeconfig of ``swath config kubectl`` says, and takes
the ID token from its output (``client.authentication.k8s.io/v1``).
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import json
import os
import secrets
import sys
import tempfile
import time
import webbrowser
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import requests

from swath_sde.address import AtAddress, loopback_of
from swath_sde.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CA_VARIABLE", "Login", "LoginError", "id_token", "main"]

CA_VARIABLE = "SWATH_LOGIN_CA"
"""Environment variable with the certificate authorities (PEM) that the issuer is verified against."""

_SPARE_SECONDS = 30
"""A token with less time left is renewed."""


class LoginError(PlatformError):
    """Nobody logged in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where to log in, and where to keep what comes of it."""

    issuer: str
    """Issuer of the tokens."""
    client_id: str
    """Public client with PKCE and a loopback redirect."""
    ca_bundle: Path
    """Certificate authorities that the issuer is verified against."""
    kept: Path
    """File of the tokens; made with mode 0600."""
    wait_seconds: float = 180
    """How long the browser is waited for."""


def id_token(login: Login, show: Callable[[str], object]) -> str:
    """Return a valid ID token: the kept one, a renewed one, or one of a new log-in.

    Parameters
    ----------
    show
        Called with the address to log in at.

    Raises
    ------
    LoginError
        The issuer cannot be reached or trusted, or nobody logged in within the time allowed.
    """
    tokens = _read(login.kept)
    if _left(tokens.get("id_token")) > _SPARE_SECONDS:
        return str(tokens["id_token"])
    with requests.Session() as session:
        session.trust_env = False  # the bundle of the environment would win over the installation's
        session.verify = str(login.ca_bundle)
        if (address := loopback_of(login.issuer)) is not None:
            session.mount("https://", AtAddress(urlsplit(login.issuer).hostname or "", address))
        try:
            tokens = _renewed(session, login, tokens.get("refresh_token")) or _logged_in(session, login, show)
        except requests.exceptions.RequestException as error:
            raise LoginError(
                f"{login.issuer} cannot be asked: {error}. Is the platform up, and its certificate authority "
                "the one in this kubeconfig? `swath config kubectl` writes it anew."
            ) from None
    _keep(login.kept, tokens)
    return str(tokens["id_token"])


def _renewed(session: requests.Session, login: Login, refresh: str | None) -> dict[str, str] | None:
    if not refresh:
        return None
    fields = {"grant_type": "refresh_token", "client_id": login.client_id, "refresh_token": refresh}
    answer = session.post(f"{login.issuer}/protocol/openid-connect/token", data=fields, timeout=30)
    # The session may have ended, for instance as access was taken away: then one has to log in again.
    return dict(answer.json()) if answer.status_code == 200 else None


def _logged_in(session: requests.Session, login: Login, show: Callable[[str], object]) -> dict[str, str]:
    verifier, state, nonce = (secrets.token_urlsafe(48) for _ in range(3))
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    arrived: dict[str, list[str]] = {}
    with HTTPServer(("127.0.0.1", 0), _callback(arrived, state)) as server:
        redirect = f"http://127.0.0.1:{server.server_port}/callback"
        question = {
            "client_id": login.client_id,
            "response_type": "code",
            "scope": "openid",
            "redirect_uri": redirect,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        show(f"{login.issuer}/protocol/openid-connect/auth?{urlencode(question)}")
        server.timeout = 1
        deadline = time.monotonic() + login.wait_seconds
        while not arrived:
            if time.monotonic() > deadline:
                raise LoginError(f"nobody logged in at {login.issuer} within {login.wait_seconds:g} s")
            server.handle_request()
    if "code" not in arrived:
        raise LoginError(f"{login.issuer} refused the log-in: {' '.join(arrived.get('error', ['no code']))}")
    fields = {
        "grant_type": "authorization_code",
        "client_id": login.client_id,
        "code": arrived["code"][0],
        "redirect_uri": redirect,
        "code_verifier": verifier,
    }
    answer = session.post(f"{login.issuer}/protocol/openid-connect/token", data=fields, timeout=30)
    if answer.status_code != 200:
        raise LoginError(f"{login.issuer} gave no tokens for its own code ({answer.status_code})")
    tokens = dict(answer.json())
    # It came over verified TLS from the issuer itself (OpenID Connect Core, 3.1.3.7, item 6).
    if _claims(tokens["id_token"]).get("nonce") != nonce:
        raise LoginError(f"{login.issuer} answered with a token of another log-in; nothing was kept")
    return tokens


def _callback(arrived: dict[str, list[str]], state: str) -> type[BaseHTTPRequestHandler]:
    class Callback(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            answer = parse_qs(parts.query)
            mine = parts.path == "/callback" and answer.get("state") == [state]
            self.send_response(200 if mine else 400)
            self.send_header("Content-Type", "text/plain; charset=utf-8")
            self.end_headers()
            said = "Logged in. Go back to the terminal." if "code" in answer else "Not logged in."
            self.wfile.write((said if mine else "This is not the answer that was waited for.").encode())
            if mine:
                arrived.update(answer)

        def log_message(self, *words: Any) -> None:
            """Write nothing: the address holds a code."""

    return Callback


def _claims(token: str) -> dict[str, Any]:
    body = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4))))


def _left(token: str | None) -> float:
    """Return for how many seconds a token is still good."""
    try:
        return float(_claims(token or "")["exp"]) - time.time()
    except (ValueError, LookupError):
        return 0


def _read(kept: Path) -> dict[str, str]:
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # never logged in, or not readable: log in again
        return {}
    return found if isinstance(found, dict) else {}


def _keep(kept: Path, tokens: dict[str, str]) -> None:
    kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    content = {name: tokens[name] for name in ("id_token", "refresh_token") if name in tokens}
    # mkstemp makes it with mode 0600; the name is taken when it is whole.
    descriptor, partial = tempfile.mkstemp(dir=kept.parent, prefix=f".{kept.name}.")
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    Path(partial).replace(kept)


def _show(address: str) -> None:
    sys.stderr.write(f"Log in at: {address}\n")
    with contextlib.suppress(webbrowser.Error):
        webbrowser.open(address)


def main(arguments: list[str] | None = None) -> int:
    """Print an ``ExecCredential``; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m swath_sde.login", description=__doc__)
    parser.add_argument("--issuer", required=True, help="issuer of the tokens")
    parser.add_argument("--client-id", default="kubernetes", help="public client of the issuer")
    parser.add_argument("--kept", type=Path, required=True, help="file that the tokens are kept in")
    given = parser.parse_args(arguments)
    authorities = os.environ.get(CA_VARIABLE, "")
    if "BEGIN CERTIFICATE" not in authorities:
        sys.stderr.write(
            f"{CA_VARIABLE} holds no certificate authority; a kubeconfig of `swath config kubectl` has one\n"
        )
        return 2
    with tempfile.NamedTemporaryFile("w", suffix=".crt", encoding="utf-8") as bundle:
        bundle.write(authorities)
        bundle.flush()
        login = Login(
            issuer=given.issuer.rstrip("/"),
            client_id=given.client_id,
            ca_bundle=Path(bundle.name),
            kept=given.kept.expanduser(),
        )
        try:
            token = id_token(login, _show)
        except LoginError as error:
            sys.stderr.write(f"{error}\n")
            return error.exit_status
    ends = datetime.fromtimestamp(_claims(token)["exp"], UTC)
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": token, "expirationTimestamp": ends.strftime("%Y-%m-%dT%H:%M:%SZ")},
    }
    sys.stdout.write(json.dumps(credential) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

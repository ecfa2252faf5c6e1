"""Reaching servers: whose name this machine cannot resolve, and why one is not reached."""

from __future__ import annotations

import socket
import ssl
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import requests
    from urllib3.util import Retry

__all__ = ["AtAddress", "loopback_of", "was_cut", "why_not"]

_NOT_YET, _EXPIRED = 9, 10
"""What OpenSSL calls a certificate whose time has not come, or is over (X509_verify_cert_error_string(3))."""


class AtAddress(HTTPAdapter):
    """Connects to an address in the place of a host; server name, certificate and ``Host`` are the host's.

    Parameters
    ----------
    host
        Name that the certificate must be for.
    address
        IP address to connect to.
    retries
        What is repeated, and how often.
    """

    def __init__(self, host: str, address: str, retries: Retry | int = 0) -> None:
        self._host, self._address = host, address
        super().__init__(max_retries=retries)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **other: Any) -> None:
        """Make the connections ask for the host's certificate."""
        names = {"server_hostname": self._host, "assert_hostname": self._host}
        super().init_poolmanager(connections, maxsize, block=block, **names, **other)

    def send(self, request: requests.PreparedRequest, *args: Any, **other: Any) -> requests.Response:
        """Send a request to the address."""
        parts = urlsplit(str(request.url))
        request.headers["Host"] = parts.netloc
        port = f":{parts.port}" if parts.port else ""
        request.url = urlunsplit(parts._replace(netloc=f"{self._address}{port}"))
        return super().send(request, *args, **other)


def loopback_of(url: str) -> str | None:
    """Return 127.0.0.1 for a host below ``localhost`` that this machine does not resolve (RFC 6761, 6.3)."""
    host = urlsplit(url).hostname or ""
    if not host.endswith(".localhost"):
        return None
    try:
        socket.getaddrinfo(host, None)
    except OSError:
        return "127.0.0.1"
    return None


def why_not(error: BaseException, host: str) -> str:
    """Return why a server was not reached or not trusted, and what to do about it.

    Parameters
    ----------
    error
        What was raised, by whichever library.
    host
        Name of the server.
    """
    inner = _innermost(error)
    told = " ".join(str(inner).split()) or type(inner).__name__
    if isinstance(inner, ssl.SSLCertVerificationError) and inner.verify_code in {_NOT_YET, _EXPIRED}:
        clock = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        when = "has expired" if inner.verify_code == _EXPIRED else "is not valid yet"
        return (
            f"its certificate {when}, by this machine's clock ({clock}): if that is right, "
            f"`swath apply --only secrets` makes a new one; if not, set the clock ({told})"
        )
    if isinstance(inner, socket.gaierror):
        return (
            f"the name {host} leads nowhere ({told}): let a wildcard record of the domain lead to the "
            "cluster, or correct `domain` in swath.yaml"
        )
    return told


def was_cut(error: BaseException) -> bool:
    """Tell whether the other side hung up before it had shown a certificate, which says nothing of trust."""
    return isinstance(_innermost(error), ssl.SSLEOFError | ssl.SSLZeroReturnError)


def _innermost(error: BaseException) -> BaseException:
    """Return the error that began it: libraries wrap one another's."""
    seen = {id(error)}
    while True:
        parts = (getattr(error, "reason", None), *error.args[:1], error.__cause__, error.__context__)
        deeper = next(
            (part for part in parts if isinstance(part, BaseException) and id(part) not in seen), None
        )
        if deeper is None:
            return error
        seen.add(id(deeper))
        error = deeper

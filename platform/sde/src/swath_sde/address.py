"""Reaching a server whose name this machine cannot resolve; TLS is for the name all the same."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from requests.adapters import HTTPAdapter

if TYPE_CHECKING:
    import requests
    from urllib3.util import Retry

__all__ = ["AtAddress", "loopback_of"]


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

"""Which failures may pass by themselves: a network that hiccups, a server that is overloaded."""

import errno

__all__ = ["transient"]

_ERRNOS = frozenset(
    {
        errno.EAGAIN,
        errno.EBUSY,
        errno.ECONNABORTED,
        errno.ECONNREFUSED,
        errno.ECONNRESET,
        errno.EHOSTUNREACH,
        errno.EINTR,
        errno.EIO,
        errno.ENETDOWN,
        errno.ENETRESET,
        errno.ENETUNREACH,
        errno.EPIPE,
        errno.ESTALE,
        errno.ETIMEDOUT,
    }
)

_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Of HTTP: too early, too often, too slow, and the server's own troubles (RFC 9110, section 15; RFC 6585)."""

_NAMES = frozenset(
    {
        "ClientConnectionError",
        "ClientConnectorError",
        "ClientOSError",
        "ClientPayloadError",
        "ConnectTimeoutError",
        "EndpointConnectionError",
        "IncompleteRead",
        "ReadTimeoutError",
        "ResponseParserError",
        "ServerDisconnectedError",
    }
)
"""Classes of aiohttp, botocore and http.client, by name: none of them need be installed."""


def transient(error: BaseException) -> bool:
    """Tell whether a failure, or what it was caused by, may pass by itself."""
    seen: set[int] = set()
    found: BaseException | None = error
    while found is not None and id(found) not in seen:
        seen.add(id(found))
        if isinstance(found, TimeoutError | ConnectionError) or type(found).__name__ in _NAMES:
            return True
        if isinstance(found, OSError) and found.errno in _ERRNOS:
            return True
        if _status(found) in _STATUSES:
            return True
        found = found.__cause__ or (None if found.__suppress_context__ else found.__context__)
    return False


def _status(error: BaseException) -> int | None:
    """Return the HTTP status that a client library's error carries."""
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return status
    response = getattr(error, "response", None)  # of botocore
    if isinstance(response, dict):
        told = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return told if isinstance(told, int) else None
    return None

"""Addresses of products: what is a URL, what of it may be shown, and names below it."""

from __future__ import annotations

import re
from hashlib import sha256
from urllib.parse import parse_qsl, quote, urlsplit, urlunsplit

__all__ = ["NETWORK", "is_url", "protocol", "shown"]

NETWORK = ("s3", "s3a", "http", "https")
"""Protocols that are read by :mod:`swath.io.remote`; fsspec's other ones are read as fsspec reads them."""

_URL = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]+)://")

_HIDDEN = "…"
"""Stands for what is not shown."""


def protocol(text: str) -> str:
    """Return the protocol of a URL in small letters, ``""`` of a path."""
    found = _URL.match(text)
    return found[1].lower() if found else ""


def is_url(text: str) -> bool:
    """Tell a URL from a path."""
    return bool(protocol(text))


def shown(text: str) -> str:
    """Return an address as it may be told to people and written to logs and reports.

    A signed URL is a secret as long as it holds: of the values of its query no more is told than what tells
    one from another (three bytes of their hash), of a user name and password nothing.
    """
    if not is_url(text):
        return text
    parts = urlsplit(text)
    host = parts.netloc.rpartition("@")[2]
    netloc = f"{_HIDDEN}@{host}" if host != parts.netloc else host
    values = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(
        f"{quote(name)}={_HIDDEN}{sha256(value.encode()).hexdigest()[:6]}" for name, value in values
    )
    return urlunsplit((parts.scheme, netloc, parts.path, query, parts.fragment))

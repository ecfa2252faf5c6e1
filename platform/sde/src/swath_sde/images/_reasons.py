"""What package clients say when something is missing, and what to do about it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["reason_in"]

_MIRROR = (
    "have it mirrored there, or configure {client} with an index that serves it; "
    "then the same command goes on"
)

_REASONS = (
    (
        r"No matching distribution found for (?P<what>\S+)",
        "The package index that pip uses does not serve {what}: " + _MIRROR.format(client="pip"),
    ),
    (
        r"THESE PACKAGES DO NOT MATCH THE HASHES",
        (
            "The package index that pip uses serves another file than the lock names: compare it with the "
            "publisher's before you change the lock"
        ),
    ),
    (
        r"npm (?:error|ERR!) 404 +'?(?P<what>[^' ]+)'? is not in this registry",
        "The registry that npm uses does not serve {what}: " + _MIRROR.format(client="npm"),
    ),
    (
        r"npm (?:error|ERR!) 404 Not Found - GET (?P<what>\S+)",
        "The registry that npm uses does not serve {what}: " + _MIRROR.format(client="npm"),
    ),
    (
        r"Could not find artifact (?P<what>\S+)",
        "The Maven repositories of this machine do not serve {what}: " + _MIRROR.format(client="Maven"),
    ),
    (
        r"E: Unable to locate package (?P<what>\S+)",
        "The Debian mirror does not serve {what}: " + _MIRROR.format(client="apt"),
    ),
    (
        r"[Nn]o space left on device",
        (
            "The disk is full: `swath image prune` makes room, or set SWATH_HOME to a larger disk; what is "
            "finished is kept"
        ),
    ),
)
"""Pattern of a line, and what to tell; ``what`` is what is missing."""


def reason_in(lines: Sequence[str]) -> str | None:
    """Return what went wrong, as far as a program's last words tell, and what to do about it."""
    for line in reversed(lines):
        for pattern, told in _REASONS:
            if match := re.search(pattern, line):
                return told.format(**match.groupdict())
    return None

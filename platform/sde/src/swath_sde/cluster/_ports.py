"""Ports on this machine's loopback."""

from __future__ import annotations

import hashlib
import socket

__all__ = ["free_port", "is_free", "own_port"]


def is_free(port: int) -> bool:
    """Return whether nobody listens on a loopback port, nor on that port of all addresses."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(first: int = 6443, tries: int = 400) -> int:
    """Return the first free port from ``first`` on."""
    for port in range(first, first + tries):
        if is_free(port):
            return port
    raise OSError(f"no free port between {first} and {first + tries}")


def own_port(name: str) -> int:
    """Return a free port that follows from a name: two clusters that start at once rarely want the same.

    It is between 16384 and 24983: below those that the system gives to outgoing connections.
    """
    return free_port(16384 + int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % 8200)

"""File systems of this machine: which of fsspec's they are, and what was under a name at a time."""

from __future__ import annotations

import os
from typing import Any

__all__ = ["is_local", "local_stamp"]


def is_local(filesystem: Any) -> bool:
    """Tell whether a file system of fsspec is that of this machine."""
    protocol = filesystem.protocol
    return "file" in ((protocol,) if isinstance(protocol, str) else tuple(protocol))


def local_stamp(filesystem: Any, path: str) -> tuple[int, ...]:
    """Return numbers that differ where another file or folder is put under a name; none of other machines."""
    if not is_local(filesystem):
        return ()
    try:
        told = os.stat(path)  # noqa: PTH116 -- the path is text
    except OSError:
        return ()  # told by whoever reads it
    return told.st_ino, told.st_size, told.st_mtime_ns

"""One process at a time changes a cluster."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from swath_sde.cluster.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["locked"]


@contextmanager
def locked(state: Path) -> Iterator[None]:
    """Hold a cluster while the block runs; the system lets go of it however the process ends.

    Raises
    ------
    NodeError
        Another process holds it.
    """
    with (state / "cluster.lock").open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise NodeError(
                f"process {file.read().strip() or '?'} is changing this cluster ({state}): "
                "wait until it has ended"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield

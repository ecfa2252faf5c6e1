"""One command at a time that changes an installation from this machine."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from swath_sde.errors import BusyError
from swath_sde.places import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["exclusively"]


@contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Hold an installation for as long as the block runs; the system lets go of it when the process ends.

    Raises
    ------
    BusyError
        Another command of this machine holds it.
    """
    with (state_folder(name) / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BusyError(
                f"another command (process {holder}) is changing the installation {name}: "
                "wait until it has ended"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield

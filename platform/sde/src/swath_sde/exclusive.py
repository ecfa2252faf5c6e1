"""One command at a time that changes an installation from this machine."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from swath_sde.errors import BusyError
from swath_sde.places import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from swath_sde.errors import PlatformError

__all__ = ["exclusively", "holding", "in_turn"]


@contextmanager
def exclusively(name: str) -> Iterator[None]:
    """Hold an installation for as long as the block runs; the system lets go of it when the process ends.

    Raises
    ------
    BusyError
        Another command of this machine holds it.
    """

    def busy(holder: str) -> BusyError:
        return BusyError(
            f"another command (process {holder or 'unknown'}) is changing the installation {name}: "
            "wait until it has ended"
        )

    with holding(state_folder(name) / "lock", busy):
        yield


@contextmanager
def holding(path: Path, busy: Callable[[str], PlatformError]) -> Iterator[None]:
    """Lock a file for as long as the block runs, with this process's number in it.

    Parameters
    ----------
    path
        The file; it is made where there is none.
    busy
        Returns what is raised when another process holds it, given that one's number as the file has it.
    """
    with path.open("a+", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise busy(file.read().strip()) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextmanager
def in_turn(path: Path, waits: Callable[[], None]) -> Iterator[None]:
    """Lock a file for as long as the block runs, after whoever holds it now.

    Parameters
    ----------
    path
        The file; it is made where there is none, and stays.
    waits
        Called once where another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waits()
            fcntl.flock(file, fcntl.LOCK_EX)
        yield

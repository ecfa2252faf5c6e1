"""What was really read: bytes, requests and chunks, counted where the reading happens.

Counts belong to one process. Over a cluster, run :func:`counts` on each worker and add them up.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Counts", "Reading", "count", "counts", "reading"]


@dataclass(frozen=True, slots=True)
class Counts:
    """Amounts read; they add up and subtract field by field."""

    bytes: int = 0
    """Stored (encoded) bytes."""
    requests: int = 0
    """Reads of a store: a whole file or one range each."""
    chunks: int = 0
    """Stored chunks of image data: codec tiles of a JPEG 2000 image, chunks of a Zarr array."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.bytes + other.bytes, self.requests + other.requests, self.chunks + other.chunks)

    def __sub__(self, other: Counts) -> Counts:
        return Counts(self.bytes - other.bytes, self.requests - other.requests, self.chunks - other.chunks)


_lock = threading.Lock()
_total = Counts()


def count(amounts: Counts) -> None:
    """Add to what this process has read; called by whoever reads."""
    global _total  # noqa: PLW0603 -- one total a process is the point
    with _lock:
        _total = _total + amounts


def counts() -> Counts:
    """Return all that this process has read since it started."""
    return _total


class Reading:
    """What was read since this was made, and until :meth:`stop`."""

    def __init__(self) -> None:
        self._start = counts()
        self._end: Counts | None = None

    @property
    def counts(self) -> Counts:
        """What was read so far."""
        return (self._end or counts()) - self._start

    def stop(self) -> None:
        """Let later reading count no more."""
        self._end = counts()


@contextmanager
def reading() -> Iterator[Reading]:
    """Count what this process reads inside the ``with`` block; ask the result during or after it."""
    watch = Reading()
    try:
        yield watch
    finally:
        watch.stop()

"""Waiting for a remote store in a worker of ``dask.distributed``, without keeping others from their work.

A worker has as many tasks in work as it has threads, and its scheduler gives it no more. A task that waits
for bytes leaves its place to another one for that time (dask calls it seceding): the next tasks then begin,
and ask for theirs. So a worker asks for several chunks at once, in the order in which the scheduler wants
them, whichever cluster it belongs to. When the bytes are there, the task takes a place again before it
decodes them, so that no more tasks compute at a time than before.

Of a file that holds several chunks (a shard), tasks ask together: while one of them reads the index of the
file, or the bytes of those before, the others gather, and near chunks of theirs are then one request.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from swath.errors import SwathError

if TYPE_CHECKING:
    from collections.abc import Hashable

    from swath.product._ahead import BundledSource, RangedSource

__all__ = ["WAITING", "wait_apart"]

WAITING = 8
"""Tasks of a process that wait at a time for bytes without a place of their own: each holds a stored chunk,
and the chunk that is made from it later. Others wait in their place, so that no more are begun."""

_PLACES = threading.BoundedSemaphore(WAITING)


_GATHERING = threading.Lock()
"""Held while the two below are looked at or changed."""


@dataclass(eq=False)
class _Together:
    """Chunks of one file whose tasks ask together."""

    places: list[tuple[int, ...]] = field(default_factory=list)
    there: threading.Event = field(default_factory=threading.Event)
    """Set when their bytes are there, or could not be had."""


_NEXT: dict[Hashable, _Together] = {}
"""Of a file: those who gather."""
_UNDER_WAY: dict[Hashable, _Together] = {}
"""Of a file: those whose bytes are on their way."""


def wait_apart(source: RangedSource, place: tuple[int, ...]) -> None:
    """Have a store read what a chunk is; in a worker of ``dask.distributed``, others work in the meantime.

    Elsewhere nothing is done. What fails here fails again where it is read, and is told there.
    """
    library = _library()
    # The thread must hold no lock here: it would keep it while it waits for a place.
    if library is None or not _PLACES.acquire(blocking=False):
        return
    try:
        library.secede()
        try:
            with contextlib.suppress(SwathError):
                if getattr(source, "shards", None) is None:
                    source.store.fetch(source.ranges(place))
                else:
                    _ask_together(cast("BundledSource", source), place)
        finally:
            library.rejoin()
    finally:
        _PLACES.release()


def _ask_together(source: BundledSource, place: tuple[int, ...]) -> None:
    """Have a store read a chunk of a file, with those of other tasks that want some of it meanwhile."""
    # Each task has a source of its own; what they read into is shared by all of a process.
    key = source.store.location, source.path, source.bundle(place)
    with _GATHERING:
        before, found = _UNDER_WAY.get(key), _NEXT.get(key)
        mine = found or _NEXT.setdefault(key, _Together())
        mine.places.append(place)
    if found is not None:
        found.there.wait()
        return
    try:
        if before is not None:
            before.there.wait()
        source.store.warm(source.before([place]))
    finally:
        with _GATHERING:
            _UNDER_WAY[key] = _NEXT.pop(key)
        try:
            source.store.fetch([one for ranges in source.bundled(mine.places) for one in ranges])
        finally:
            with _GATHERING:
                del _UNDER_WAY[key]
            mine.there.set()


def _library() -> Any:
    """Return ``distributed`` where this thread is one of a worker's, and runs a task; None elsewhere."""
    library = sys.modules.get("distributed")
    threads = sys.modules.get("distributed.threadpoolexecutor")
    if library is None or threads is None or not hasattr(threads.thread_state, "executor"):
        return None
    worker = sys.modules["distributed.worker"]
    return library if getattr(worker.thread_state, "key", None) is not None else None

"""Waiting for a remote store in a worker of ``dask.distributed``, without keeping others from their work.

A worker has as many tasks in work as it has threads, and its scheduler gives it no more. A task that waits
for bytes leaves its place to another one for that time (dask calls it seceding): the next tasks then begin,
and ask for theirs. So a worker asks for several chunks at once, in the order in which the scheduler wants
them, whichever cluster it belongs to. When the bytes are there, the task takes a place again before it
decodes them, so that no more tasks compute at a time than before.
"""

from __future__ import annotations

import contextlib
import sys
import threading
from typing import TYPE_CHECKING, Any

from swath.errors import SwathError

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath.io.store import Range, Store

__all__ = ["WAITING", "wait_apart"]

WAITING = 8
"""Tasks of a process that wait at a time for bytes without a place of their own: each holds a stored chunk,
and the chunk that is made from it later. Others wait in their place, so that no more are begun."""

_PLACES = threading.BoundedSemaphore(WAITING)


def wait_apart(store: Store, ranges: Callable[[], list[Range]]) -> None:
    """Have a store read some ranges; in a worker of ``dask.distributed``, others work in the meantime.

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
                store.fetch(ranges())
        finally:
            library.rejoin()
    finally:
        _PLACES.release()


def _library() -> Any:
    """Return ``distributed`` where this thread is one of a worker's, and runs a task; None elsewhere."""
    library = sys.modules.get("distributed")
    threads = sys.modules.get("distributed.threadpoolexecutor")
    if library is None or threads is None or not hasattr(threads.thread_state, "executor"):
        return None
    worker = sys.modules["distributed.worker"]
    return library if getattr(worker.thread_state, "key", None) is not None else None

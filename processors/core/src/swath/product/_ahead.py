"""Reading ahead: what a graph will read is asked for while its first chunks are still on their way.

Dask computes with as many threads as there are CPUs, each of which reads one chunk at a time. That leaves a
remote store idle most of the time. So before a graph is computed by threads, the tasks in it that read are
looked up, and their ranges given to the store in the order in which they will be wanted: the store merges
near ones, asks for many at once, and holds no more than its bound of memory.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol

from dask.callbacks import Callback

from swath.errors import SwathError

if TYPE_CHECKING:
    from swath.io.store import Range, Store

__all__ = ["RangedSource", "ahead", "reads"]

_ASKERS = 16
"""Sources that are asked at once for their ranges: some have to read an index first."""


class RangedSource(Protocol):
    """What can tell which bytes of its store a chunk is."""

    @property
    def store(self) -> Store:
        """The product."""

    def ranges(self, place: tuple[int, ...]) -> list[Range]:
        """Return the ranges that reading the chunk at a place will ask for."""


Place = Callable[..., tuple[int, ...]]
"""Tells the place of the chunk from the arguments of a reading task after the source."""

_READERS: dict[Any, Place] = {}


def reads(place: Place) -> Callable[[Any], Any]:
    """Mark the body of reading tasks: its first argument is the source, ``place`` tells the chunk."""

    def mark(function: Any) -> Any:
        _READERS[function] = place
        return function

    return mark


class _Ahead(Callback):
    """Gives remote stores what a graph will read before dask's threads compute it."""

    def _start_state(self, dsk: Mapping[Any, Any], state: Mapping[str, Any]) -> None:
        # What fails here fails again where it is read, and is told there.
        with contextlib.suppress(SwathError):
            for store, wanted in _wanted(_in_order(dsk, state)):
                store.ahead(wanted)

    def _finish(self, dsk: Mapping[Any, Any], _state: Mapping[str, Any], _failed: Any) -> None:
        for store in {id(source.store): source.store for source, _ in _found(dsk.values())}.values():
            store.drop()


_AHEAD = _Ahead()  # type: ignore[no-untyped-call] # dask's


def ahead() -> None:
    """Read ahead from now on, whatever is computed by threads of this process."""
    _AHEAD.register()


def _in_order(dsk: Mapping[Any, Any], state: Mapping[str, Any]) -> Iterator[Any]:
    """Return the tasks that need nothing else, in the order in which they will run."""
    for key in reversed(state["ready"]):
        yield dsk[key]


def _found(tasks: Iterable[Any]) -> Iterator[tuple[RangedSource, tuple[int, ...]]]:
    """Return source and place of each reading task, also of those that were fused with others."""
    for task in tasks:
        arguments = getattr(task, "args", ())
        inner = arguments[0].values() if arguments and isinstance(arguments[0], dict) else (task,)
        for part in inner:
            place = _reader(part)
            if place is None:
                continue
            source = part.args[0]
            if hasattr(source, "ranges") and source.store.remote:
                yield source, place(*part.args[1:])


def _reader(task: Any) -> Place | None:
    """Return how a task tells the place of the chunk that it reads; None where it reads none."""
    function = getattr(task, "func", None)
    function = getattr(function, "function", function)  # of a run, where it is wrapped to be tried again
    try:
        return _READERS.get(function)
    except TypeError:  # no key of a mapping: some objects can be called that cannot be hashed
        return None


def _wanted(tasks: Iterable[Any]) -> list[tuple[Store, list[Range]]]:
    """Return the ranges of each store, in the order of the tasks."""
    found = list(_found(tasks))
    if not found:
        return []
    with ThreadPoolExecutor(_ASKERS, thread_name_prefix="swath-ahead") as pool:
        told = list(pool.map(lambda pair: pair[0].ranges(pair[1]), found))
    stores: dict[int, tuple[Store, list[Range]]] = {}
    for (source, _), ranges in zip(found, told, strict=True):
        stores.setdefault(id(source.store), (source.store, []))[1].extend(ranges)
    return list(stores.values())

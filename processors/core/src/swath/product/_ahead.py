"""Reading ahead: what a graph will read is asked for while its first chunks are still on their way.

Dask computes with as many threads as there are CPUs, each of which reads one chunk at a time. That leaves a
remote store idle most of the time. So before a graph is computed by threads, the tasks in it that read are
looked up, and their ranges given to the store in the order in which they will be wanted: the store merges
near ones, asks for many at once, and holds no more than its bound of memory.

Workers of ``dask.distributed`` learn from their scheduler what to do next, and not before. There, a reading
task lets others have its place while its bytes are on their way: see :mod:`swath.product._waiting`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from dask.callbacks import Callback

from swath.errors import SwathError
from swath.product._waiting import wait_apart

if TYPE_CHECKING:
    from swath.io.store import Range, Store

__all__ = ["RangedSource", "ahead", "reads"]

_ASKERS = 16
"""Sources that are asked at once for their ranges: some have to read an index first."""

_INDICES = 256
"""Files whose indices are read at once before all else; those of later ones are read by their sources."""


class RangedSource(Protocol):
    """What can tell which bytes of its store a chunk is."""

    @property
    def store(self) -> Store:
        """The product."""

    def ranges(self, place: tuple[int, ...]) -> list[Range]:
        """Return the ranges that reading the chunk at a place will ask for."""


@runtime_checkable
class BundledSource(RangedSource, Protocol):
    """What has several chunks in one file, and an index there that tells where they are."""

    path: str
    """Tells it from others of its store."""

    def bundle(self, place: tuple[int, ...]) -> Hashable:
        """Return what the chunks of one file have in common."""

    def before(self, places: Sequence[tuple[int, ...]]) -> list[Range]:
        """Return what has to be read first to know the ranges of chunks of one file."""

    def bundled(self, places: Sequence[tuple[int, ...]]) -> list[list[Range]]:
        """Return the ranges of each of some chunks of one file, all of which will be read."""


Found = tuple[RangedSource, tuple[int, ...]]
"""A source, and the place of a chunk of it that will be read."""

Place = Callable[..., tuple[int, ...]]
"""Tells the place of the chunk from the arguments of a reading task after the source."""

_READERS: dict[Any, Place] = {}


def reads(place: Place) -> Callable[[Any], Any]:
    """Mark the body of reading tasks: its first argument is the source, ``place`` tells the chunk."""

    def mark(function: Any) -> Any:
        @wraps(function)
        def body(source: Any, *arguments: Any) -> Any:
            if hasattr(source, "ranges") and source.store.remote:
                wait_apart(source, place(*arguments))
            return function(source, *arguments)

        _READERS[body] = place
        return body

    return mark


class _Ahead(Callback):
    """Gives remote stores what a graph will read before dask's threads compute it."""

    def _start_state(self, dsk: Mapping[Any, Any], state: Mapping[str, Any]) -> None:
        # What fails here fails again where it is read, and is told there.
        with contextlib.suppress(SwathError):
            for store, wanted in _wanted(list(_found(_in_order(dsk, state)))):
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


def _found(tasks: Iterable[Any]) -> Iterator[Found]:
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


def _wanted(found: Sequence[Found]) -> list[tuple[Store, list[Range]]]:
    """Return the ranges of each store, in the order of the chunks."""
    if not found:
        return []
    bundles: dict[Any, list[int]] = {}
    for number, (source, place) in enumerate(found):
        key = (id(source), source.bundle(place)) if isinstance(source, BundledSource) else number
        bundles.setdefault(key, []).append(number)
    told: dict[int, list[Range]] = {}

    def tell(numbers: list[int]) -> None:
        source, places = found[numbers[0]][0], [found[number][1] for number in numbers]
        ranges = (
            source.bundled(places)
            if isinstance(source, BundledSource)
            else [source.ranges(place) for place in places]
        )
        told.update(zip(numbers, ranges, strict=True))

    with ThreadPoolExecutor(_ASKERS, thread_name_prefix="swath-ahead") as pool:
        _warm(pool, [[found[number] for number in numbers] for numbers in bundles.values()])
        list(pool.map(tell, bundles.values()))
    stores: dict[int, tuple[Store, list[Range]]] = {}
    for number, (source, _) in enumerate(found):
        stores.setdefault(id(source.store), (source.store, []))[1].extend(told[number])
    return list(stores.values())


def _warm(pool: ThreadPoolExecutor, bundles: list[list[Found]]) -> None:
    """Read all indices at once that tell the ranges of chunks, near ones by one request."""

    def before(chunks: list[Found]) -> tuple[Store, list[Range]]:
        source = chunks[0][0]
        places = [place for _, place in chunks]
        return source.store, source.before(places) if isinstance(source, BundledSource) else []

    stores: dict[int, tuple[Store, list[Range]]] = {}
    for store, ranges in pool.map(before, bundles[:_INDICES]):
        stores.setdefault(id(store), (store, []))[1].extend(ranges)
    for store, ranges in stores.values():
        if ranges:
            store.warm(ranges)

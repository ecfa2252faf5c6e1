"""Ranges of remote files: merged, many at once, read ahead within a bound of memory, the small ones kept."""

from __future__ import annotations

import asyncio
import threading
import weakref
from collections import OrderedDict, deque
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from swath.errors import InputError, StoreError
from swath.io.remote._ranges import MOST, Wanted, merge, pieces
from swath.io.remote._retry import asked, patience

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterable

    from swath.io.remote._transport import Page, Reply, Transport

__all__ = ["HELD", "WHOLE", "Files", "open_files"]

AT_ONCE = 32
"""Requests that are under way at a time, for one product."""

AHEAD = 64 << 20
"""Bytes that are read ahead and wait for whoever wants them."""

KEPT = 32 << 20
"""Bytes of small ranges (headers, indices, metadata) that are kept to be read again."""

SMALL = 1 << 20
"""Bytes of a range that is kept."""

HELD = AHEAD + KEPT + 2 * MOST
"""Most bytes that a product's files hold in a process. The last request may go beyond what is read ahead, and
an answer is there in pieces and as a whole for a moment."""

WHOLE = 1 << 62
"""End of a range that goes to the end of a file whose length need not be known."""

T = TypeVar("T")


@dataclass(eq=False)
class _Span:
    """A range that is there, on its way, or will be asked for."""

    path: str
    start: int
    stop: int
    uses: int = 0
    """How often it is still wanted; where it is 0 from the start, it is kept as long as there is room."""
    future: Future[bytes] | None = field(default=None, repr=False)
    """Nothing where it was not asked for yet."""
    held: int = 0
    """Bytes by which it counts among those that are read ahead."""

    @property
    def length(self) -> int:
        """Bytes that it takes, as far as known."""
        if self.future is not None and self.future.done() and self.future.exception() is None:
            return len(self.future.result())
        return 0 if self.stop >= WHOLE else self.stop - self.start

    @property
    def guess(self) -> int:
        """Bytes that it will take."""
        return SMALL if self.stop >= WHOLE else self.stop - self.start


class Files:
    """Files of one kind of server, for one product. Safe to use from several threads, and picklable.

    Tasks of one product that are unpickled in one process, while there is another one of them, share one of
    these: what one of them asks for ahead, or has found out, is there for all.

    Parameters
    ----------
    protocol
        ``s3``, ``http`` or ``https``.
    place
        Tells products apart.
    """

    def __init__(self, protocol: str, place: str = "") -> None:
        self._protocol, self._place = protocol, place
        self._lock = threading.RLock()
        self._patience = patience()
        self._asker: Transport | None = None
        self._gate: asyncio.Semaphore | None = None
        self._spans: dict[str, list[_Span]] = {}
        self._kept: OrderedDict[int, _Span] = OrderedDict()
        self._queue: deque[_Span] = deque()
        self._held = 0
        self._sizes: dict[str, int] = {}
        self._tags: dict[str, str] = {}

    def __reduce__(self) -> tuple[Callable[[str, str], Files], tuple[str, str]]:
        return _shared, (self._protocol, self._place)

    @property
    def transport(self) -> Transport:
        """Who asks the server."""
        with self._lock:
            if self._asker is None:
                self._asker = _transport(self._protocol, self._patience.timeout)
            return self._asker

    def size(self, path: str) -> int:
        """Return the bytes of a file. One request, unless something of it was read before.

        Raises
        ------
        GoneError
            There is no such file; so do all others here.
        StoreError, ProductError
            The server fails or refuses; so do all others here.
        """
        if path not in self._sizes:
            self._sizes[path] = self._run(self._ask(path, partial(self.transport.size, path)))
        return self._sizes[path]

    def know(self, path: str, size: int) -> None:
        """Take over from a list what a file's size is."""
        self._sizes[path] = size

    def known(self, path: str) -> int | None:
        """Return the bytes of a file where that was told before."""
        return self._sizes.get(path)

    def read(self, path: str, start: int, stop: int = WHOLE, *, peek: bool = False) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive) of a file; of fewer, what there are.

        A ``peek`` is not what was announced by :meth:`ahead`: it uses up nothing of it.
        """
        stop = min(stop, self._sizes.get(path, stop))
        if start >= stop:
            return b""
        span = self._wanted(path, start, stop)
        assert span.future is not None  # noqa: S101 -- it was asked for just now at the latest
        try:
            data = _result(span.future)
        except BaseException:
            self._forget(span)  # who asks again shall not get the old failure
            raise
        if not peek:
            self._used(span)
        return (
            data if (start, stop) == (span.start, span.stop) else data[start - span.start : stop - span.start]
        )

    def tail(self, path: str, length: int) -> bytes:
        """Return the last bytes of a file; one request, which tells the file's size, too."""
        size = self._sizes.get(path)
        if size is not None:
            return self.read(path, max(size - length, 0), size, peek=True)
        reply = self._run(self._ask(path, partial(self.transport.get, path, -length, None)))
        self._learn(path, reply)
        future: Future[bytes] = Future()
        future.set_result(reply.data)
        self._add(_Span(path, reply.first, reply.total, future=future))
        return reply.data

    def pages(self, path: str, more: str = "") -> Page:
        """Return a page of the names below a folder."""
        return self._run(self._ask(path, partial(self.transport.list, path, more)))

    def warm(self, wanted: Iterable[Wanted]) -> None:
        """Read small ranges at once and keep them; what fails is told to whoever reads it."""
        futures = []
        with self._lock:
            for request in merge(self._clipped(wanted)):
                if self._covering(request.path, request.start, request.stop) is None:
                    span = _Span(request.path, request.start, request.stop)
                    self._start(span)
                    self._add(span)
                    futures.append(span.future)
        wait([future for future in futures if future is not None])

    def ahead(self, wanted: Iterable[Wanted]) -> None:
        """Begin to read what will be wanted, in this order, as far as :data:`AHEAD` lets it."""
        with self._lock:
            for request in merge(self._clipped(wanted)):
                found = self._covering(request.path, request.start, request.stop)
                if found is not None:
                    found.uses += request.uses if found.uses else 0
                else:
                    span = _Span(request.path, request.start, request.stop, request.uses)
                    self._spans.setdefault(request.path, []).append(span)
                    self._queue.append(span)
            self._feed()

    def fetch(self, wanted: Iterable[Wanted]) -> None:
        """Begin to read what will be wanted, and return when it is there; readers are told what fails."""
        asked = self._clipped(wanted)
        self.ahead(asked)
        with self._lock:
            spans = [self._covering(*one) for one in asked]
        wait([span.future for span in spans if span is not None and span.future is not None])

    def drop(self) -> None:
        """Give up what was read ahead and not used."""
        with self._lock:
            self._queue.clear()
            for span in [span for spans in self._spans.values() for span in spans if span.uses]:
                self._forget(span)
                if span.future is not None:
                    span.future.cancel()

    def _clipped(self, wanted: Iterable[Wanted]) -> list[Wanted]:
        return [(path, start, min(stop, self._sizes.get(path, stop))) for path, start, stop in wanted]

    def _wanted(self, path: str, start: int, stop: int) -> _Span:
        """Return a range that holds a wanted one, asked for now where nobody did before."""
        with self._lock:
            span = self._covering(path, start, stop)
            if span is None:
                span = _Span(path, start, stop)
                self._start(span)
                if stop - start <= SMALL or stop >= WHOLE:
                    self._add(span)
            elif span.future is None:
                self._start(span)
            return span

    def _covering(self, path: str, start: int, stop: int) -> _Span | None:
        for span in reversed(self._spans.get(path, [])):
            if span.start <= start and stop <= span.stop:
                return span
        return None

    def _start(self, span: _Span) -> None:
        if span.uses:
            span.held = span.guess
            self._held += span.held
        loop = _loop()
        span.future = asyncio.run_coroutine_threadsafe(self._range(span.path, span.start, span.stop), loop)

    def _add(self, span: _Span) -> None:
        """Keep a range, and let the oldest ones go where there are too many."""
        with self._lock:
            self._spans.setdefault(span.path, []).append(span)
            self._kept[id(span)] = span
            total = sum(kept.length for kept in self._kept.values())
            while len(self._kept) > 1 and (total > KEPT or len(self._kept) > 512):
                _, oldest = self._kept.popitem(last=False)
                total -= oldest.length
                self._forget(oldest)

    def _used(self, span: _Span) -> None:
        with self._lock:
            if span.uses:
                span.uses -= 1
                if not span.uses:
                    self._forget(span)
                    self._feed()

    def _forget(self, span: _Span) -> None:
        with self._lock:
            spans = self._spans.get(span.path, [])
            if span in spans:
                spans.remove(span)
                self._held -= span.held
            self._kept.pop(id(span), None)

    def _feed(self) -> None:
        while self._queue:
            span = self._queue[0]
            if span.future is None and self._held and self._held + span.guess > AHEAD:
                return
            self._queue.popleft()
            if span.future is None:
                self._start(span)

    async def _range(self, path: str, start: int, stop: int) -> bytes:
        """Read a range, a long one in several pieces at once."""
        if stop >= WHOLE or (start == 0 and stop == self._sizes.get(path) and stop <= MOST):
            # Without a range, a checksum that the server has of the file is compared by its client.
            return (await self._piece(path, start, None)).data
        parts = await asyncio.gather(*(self._piece(path, *piece) for piece in pieces(start, stop, MOST)))
        return b"".join(part.data for part in parts)

    async def _piece(self, path: str, start: int, stop: int | None) -> Reply:
        reply = await self._ask(path, partial(self.transport.get, path, start, stop))
        self._learn(path, reply)
        last = reply.total if stop is None else min(stop, reply.total)
        if reply.first > start or reply.first + len(reply.data) < last:
            raise StoreError(
                f"{self.transport.shown(path)}: bytes {start} to {last} were asked for, others came. "
                "The server cannot be relied on: get the product onto this machine first."
            )
        whole = reply.first == start and reply.first + len(reply.data) == last
        data = reply.data if whole else reply.data[start - reply.first : last - reply.first]
        return type(reply)(data, start, reply.total, reply.tag)

    def _learn(self, path: str, reply: Reply) -> None:
        same = self._sizes.setdefault(path, reply.total) == reply.total
        if not same or (reply.tag and self._tags.setdefault(path, reply.tag) != reply.tag):
            raise StoreError(
                f"{self.transport.shown(path)} was changed while it was read: what was read before does not "
                "belong to it any more. Open the product again."
            )

    async def _ask(self, path: str, ask: Callable[[], Awaitable[T]]) -> T:
        if self._gate is None:
            self._gate = asyncio.Semaphore(AT_ONCE)
        async with self._gate:
            return await asked(self.transport.shown(path), ask, self._patience)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return _result(asyncio.run_coroutine_threadsafe(coroutine, _loop()))


def _result(future: Future[T]) -> T:
    try:
        return future.result()
    except KeyboardInterrupt:
        future.cancel()
        raise


def _loop() -> asyncio.AbstractEventLoop:
    from fsspec.asyn import get_loop  # noqa: PLC0415 -- imported where something is remote

    loop: asyncio.AbstractEventLoop = get_loop()
    return loop


def _transport(protocol: str, timeout: float) -> Transport:
    try:
        if protocol in ("http", "https"):
            from swath.io.remote._http import Http  # noqa: PLC0415 -- an extra

            return Http(protocol, timeout)
        from swath.io.remote._s3 import S3  # noqa: PLC0415 -- an extra

        return S3(timeout)
    except ImportError as error:
        raise InputError(
            f"{protocol}:// cannot be reached from here ({error}): install the extra swath[remote]"
        ) from None


_SHARED: weakref.WeakValueDictionary[tuple[str, str], Files] = weakref.WeakValueDictionary()
_SHARING = threading.Lock()


def _shared(protocol: str, place: str) -> Files:
    """Return the files of a product that was pickled; new ones when nobody holds those that were made."""
    with _SHARING:
        found = _SHARED.get((protocol, place))
        if found is None:
            found = _SHARED[protocol, place] = Files(protocol, place)
        return found


def open_files(protocol: str, place: str = "") -> Files:
    """Return the files of a kind of server, refusing at once where its client is not installed."""
    files = Files(protocol, place)
    files.transport  # noqa: B018 -- made now, so that what is missing is told now
    return files

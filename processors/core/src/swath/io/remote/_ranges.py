"""Which requests answer a number of wanted ranges: near ones of a file are one request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["GAP", "MOST", "Request", "Wanted", "merge", "pieces"]

GAP = 1 << 18
"""Bytes that nobody wants, and that are read all the same, where it saves a request: at 100 MB/s they take
3 ms, a request takes 10 to 100."""

MOST = 1 << 23
"""Bytes of one request. Larger ranges are read in several, at once: one connection alone is slow."""

Wanted = tuple[str, int, int]
"""A file, and the first and last (exclusive) byte of a range in it."""

_LOOK = 256
"""Wanted ranges that are brought together at a time, so that what is wanted first is read first."""


@dataclass(frozen=True, slots=True)
class Request:
    """A range that answers one or several wanted ones."""

    path: str
    start: int
    """First byte."""
    stop: int
    """Last byte, exclusive."""
    uses: int
    """How many wanted ranges it answers."""


def merge(wanted: Iterable[Wanted], *, gap: int = GAP, most: int = MOST) -> list[Request]:
    """Return the requests that answer wanted ranges, in the order in which those are wanted.

    Ranges of one file with at most ``gap`` bytes between them become one request, as long as it has at most
    ``most`` bytes. A range that is wanted twice is read once.
    """
    asked = [(path, start, stop) for path, start, stop in wanted if start < stop]
    requests: list[Request] = []
    for first in range(0, len(asked), _LOOK):
        requests += _merged(asked[first : first + _LOOK], gap, most)
    return requests


def _merged(asked: list[Wanted], gap: int, most: int) -> list[Request]:
    made: list[tuple[int, Request]] = []
    order = sorted(range(len(asked)), key=lambda number: asked[number])
    for number in order:
        path, start, stop = asked[number]
        if made:
            when, last = made[-1]
            end = max(stop, last.stop)
            if last.path == path and (
                stop <= last.stop or (start <= last.stop + gap and end - last.start <= most)
            ):
                made[-1] = min(when, number), Request(path, last.start, end, last.uses + 1)
                continue
        made.append((number, Request(path, start, stop, 1)))
    return [request for _, request in sorted(made, key=lambda pair: pair[0])]


def pieces(start: int, stop: int, most: int = MOST) -> list[tuple[int, int]]:
    """Cut a range into pieces of about the same length, none longer than ``most``."""
    number = max(-(-(stop - start) // most), 1)
    step = -(-(stop - start) // number)
    return [(begin, min(begin + step, stop)) for begin in range(start, stop, step)] or [(start, stop)]

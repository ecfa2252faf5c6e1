"""One request and its answer, whatever the protocol; nothing is asked twice here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Protocol

__all__ = ["DeniedError", "FailedError", "GoneError", "Page", "Reply", "Transport", "checked", "range_header"]


@dataclass(frozen=True, slots=True)
class Reply:
    """Bytes of a file."""

    data: bytes
    first: int
    """Place of the first byte in the file."""
    total: int
    """Bytes of the whole file."""
    tag: str = ""
    """Changes when the file does; empty where the server does not tell reliably."""


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list of files."""

    sizes: dict[str, int]
    """Name below the place that was listed → bytes, in the order of the names."""
    more: str = ""
    """What to ask for the next page with; empty where this is the last."""


class GoneError(Exception):
    """There is no such file."""


class DeniedError(Exception):
    """The server refuses, and will refuse again; the text says why."""


class FailedError(Exception):
    """The request failed; it may succeed when it is made again."""

    def __init__(
        self, told: str, *, wait: float | None = None, final: bool = False, remedy: str = ""
    ) -> None:
        super().__init__(told)
        self.wait = wait
        """Seconds that the server asks to wait."""
        self.final = final
        """Whether asking again is of no use."""
        self.remedy = remedy
        """What the user can do; empty where nothing but trying again later is known."""


class Transport(Protocol):
    """Asks one kind of server. Each call is one request, and raises one of the three errors above."""

    async def get(self, path: str, start: int, stop: int | None) -> Reply:
        """Return bytes ``start`` to ``stop`` (exclusive), to the end where None; of fewer, what there are.

        A negative ``start`` counts from the end, as in a slice; ``stop`` is then None.
        """

    async def size(self, path: str) -> int:
        """Return the bytes of a file."""

    async def list(self, path: str, more: str) -> Page:
        """Return a page of the names of all files below a folder, in all its folders."""

    def below(self, path: str, name: str) -> str:
        """Return the path of a file below a folder."""

    def shown(self, path: str) -> str:
        """Return a path as an error may tell it."""


def range_header(start: int, stop: int | None) -> dict[str, str]:
    """Return the header that asks for a range; none for a whole file (RFC 9110, section 14)."""
    if start == 0 and stop is None:
        return {}
    if start < 0:
        return {"Range": f"bytes={start}"}
    return {"Range": f"bytes={start}-{'' if stop is None else stop - 1}"}


_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)$")


def checked(data: bytes, told: str | None, length: int | None, *, partial: bool, tag: str = "") -> Reply:
    """Return an answer whose length is what its header says.

    Parameters
    ----------
    data
        The body.
    told, length
        Headers ``Content-Range`` and ``Content-Length``.
    partial
        Whether the answer is a part of the file (status 206).
    tag
        See :class:`Reply`.

    Raises
    ------
    FailedError
        It is shorter, or its headers make no sense.
    """
    first, expected, total = 0, length if length is not None else len(data), length or len(data)
    if partial:
        found = _CONTENT_RANGE.match(told or "")
        if not found:
            raise FailedError(f"a part of the file without saying which (Content-Range: {told})")
        first, last, total = (int(number) for number in found.groups())
        expected = last + 1 - first
    if len(data) != expected:
        raise FailedError(f"{len(data)} bytes where {expected} were announced (truncated)")
    return Reply(data, first, total, tag)

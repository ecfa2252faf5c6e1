"""Ranges of a deflate stream without inflating it from its start each time."""

from __future__ import annotations

import threading
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Inflater"]

_BLOCK = 1 << 18
"""Packed bytes that are fetched at a time, and bytes that are decompressed at a time."""

_STRIDE = 1 << 22
"""Decompressed bytes between two remembered states; each state costs some 40 kB of memory."""

_MOST = 1024
"""States that are remembered of one stream: where there are more, every other one is given up."""


class Inflater:
    """Reads ranges of one deflate stream, remembering the decoder's state every few megabytes on the way.

    A range is inflated from the nearest state before it; the part of the stream before the furthest state is
    thus inflated once, whatever the order of the ranges.

    Parameters
    ----------
    packed, size
        Bytes of the stream, and bytes that it decompresses to.
    block
        Packed bytes that are fetched at a time; 256 KiB where not given.
    """

    def __init__(self, packed: int, size: int, block: int | None = None) -> None:
        self._packed = packed
        self._block = block or _BLOCK
        self._size = size
        self._lock = threading.Lock()
        self._stride = _STRIDE
        # Decompressed position -> (packed position, decoder's state there).
        self._states: dict[int, tuple[int, Any]] = {0: (0, zlib.decompressobj(-zlib.MAX_WBITS))}

    def read(self, start: int, stop: int, fetch: Callable[[int, int], bytes]) -> bytes:
        """Return decompressed bytes ``start`` to ``stop``; fewer where the stream ends early.

        ``fetch(begin, end)`` returns packed bytes. Raises ``zlib.error`` where the stream is corrupt.
        """
        with self._lock:
            position = max(place for place in self._states if place <= start)
            packed, state = self._states[position]
            decoder = state.copy()
        out = bytearray()
        while position < stop and not decoder.eof:
            block = decoder.unconsumed_tail or fetch(packed, min(packed + self._block, self._packed))
            if not decoder.unconsumed_tail:
                packed += len(block)
            data = decoder.decompress(block, _BLOCK)
            if not block and not data:
                break
            first = max(start - position, 0)
            out += data[first : stop - position]
            position += len(data)
            self._remember(position, packed, decoder)
        return bytes(out)

    def _remember(self, position: int, packed: int, decoder: Any) -> None:
        """Keep the state where it is far from those kept, and clean (nothing fetched is waiting in it)."""
        if decoder.unconsumed_tail or decoder.eof:
            return
        with self._lock:
            if position - max(place for place in self._states if place <= position) < self._stride:
                return
            self._states[position] = (packed, decoder.copy())
            if len(self._states) > _MOST:
                self._stride *= 2
                self._states = {place: self._states[place] for place in sorted(self._states)[::2]}

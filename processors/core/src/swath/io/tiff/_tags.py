"""A TIFF's directory of tags, and where it says that the blocks of the first image lie.

Sources: TIFF, revision 6.0 (Adobe, 1992), sections 2, 8 and 15; BigTIFF as libtiff has it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.errors import ProductError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from swath.io.store import Store

__all__ = ["MAX_BLOCK", "NUMBERS", "Blocks", "Tag", "TagFile"]

WIDTH, HEIGHT, BITS, SAMPLES, ROWS = 256, 257, 258, 277, 278
STRIP_OFFSETS, STRIP_SIZES, TILE_WIDTH, TILE_HEIGHT, TILE_OFFSETS, TILE_SIZES = 273, 279, 322, 323, 324, 325

_SIZES = {
    1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8,
}  # fmt: skip
"""Bytes of a value, by its type."""

_WHOLE = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
"""Types of whole numbers."""

NUMBERS = {**_WHOLE, 12: "f8"}
"""Types of numbers that are understood."""

MAX_BLOCK = 1 << 28
"""More bytes than any block has, packed or not."""

_MAX_VALUES = 1 << 26
"""Bytes of the values of one tag."""


@dataclass(frozen=True, slots=True)
class Tag:
    """A tag, and where its values are."""

    kind: int
    """Type of the values."""
    count: int
    """Number of values."""
    place: int
    """First byte of the values in the file."""
    inline: bytes | None
    """The values where they lie in the directory itself."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """How an image is cut into blocks, and where they lie."""

    tiled: bool
    """Whether the blocks are tiles; else they are strips, as wide as the image."""
    shape: tuple[int, int]
    """Rows and columns of a tile or strip."""
    offsets: npt.NDArray[np.int64]
    """First byte of each block."""
    sizes: npt.NDArray[np.int64]
    """Bytes of each block; 0 where it is not stored."""


class TagFile:
    """A TIFF, of which the directory is read; values are read where they are asked for."""

    def __init__(self, store: Store, name: str, read: Callable[[int, int], bytes]) -> None:
        self._store, self.name, self._take = store, name, read
        head = self._head = read(0, 16)
        self.size = store.size(name)
        self.order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = self._number("H", head, 2) if self.order and len(head) >= 8 else 0
        if version not in (42, 43):
            raise self.error("is no TIFF (it does not start with II*, MM* or their large kin)")
        self._big = version == 43

    def error(self, told: str) -> ProductError:
        """Return the error that says what is wrong with the file."""
        return ProductError(f"{self._store.location}: {self.name} {told}; get the product again")

    def _number(self, kind: str, data: bytes, at: int) -> int:
        try:
            return int(struct.unpack_from(f"{self.order}{kind}", data, at)[0])
        except struct.error:
            raise self.error("is truncated within its directory") from None

    def _read(self, start: int, length: int) -> bytes:
        if start + length > self.size:
            raise self.error(
                f"is truncated: its directory goes on to byte {start + length}, it has {self.size}"
            )
        return self._take(start, start + length)

    def tags(self) -> dict[int, Tag]:
        """Return the tags of the first image; types that are not known are left out."""
        first = self._number("Q", self._head, 8) if self._big else self._number("I", self._head, 4)
        counted, entry, inline = (8, 20, 8) if self._big else (2, 12, 4)
        number = self._number("Q" if self._big else "H", self._read(first, counted), 0)
        if not 0 < number <= 1000:
            raise self.error(f"has a directory of {number} tags")
        data = self._read(first + counted, number * entry)
        found: dict[int, Tag] = {}
        for at in range(0, len(data), entry):
            tag, kind = self._number("H", data, at), self._number("H", data, at + 2)
            count = self._number("Q" if self._big else "I", data, at + 4)
            if kind not in _SIZES:
                continue
            length, within = count * _SIZES[kind], at + entry - inline
            if length <= inline:
                place = first + counted + within
                found[tag] = Tag(kind, count, place, data[within : within + length])
            else:
                place = self._number("Q" if self._big else "I", data, within)
                found[tag] = Tag(kind, count, place, None)
        return found

    def values(self, number: int, tag: Tag) -> bytes:
        """Return the bytes of the values of a tag; they must lie in the file."""
        if tag.inline is not None:
            return tag.inline
        length = tag.count * _SIZES[tag.kind]
        if length > _MAX_VALUES:
            raise self.error(f"has {length} bytes in its tag {number}")
        return self._read(tag.place, length)

    def many(
        self, tags: Mapping[int, Tag], number: int, types: Mapping[int, str] = _WHOLE
    ) -> npt.NDArray[Any]:
        """Return the numbers of a tag, by default whole ones."""
        tag = tags.get(number)
        if tag is None or tag.kind not in types:
            raise self.error(f"lacks the tag {number}")
        return np.frombuffer(self.values(number, tag), self.order + types[tag.kind])

    def one(self, tags: Mapping[int, Tag], number: int, default: int | None = None) -> int:
        """Return the only value of a tag."""
        if number not in tags and default is not None:
            return default
        if number in tags and tags[number].count != 1:
            raise self.error(f"has {tags[number].count} values of the tag {number}, expected one")
        return int(self.many(tags, number)[0])

    def blocks(self, tags: Mapping[int, Tag], shape: tuple[int, int], *, planes: int, most: int) -> Blocks:
        """Return the blocks of an image of so many rows and columns.

        ``planes`` is the number of bands that have blocks of their own; a block has at most ``most`` rows or
        columns. Blocks that are not there, or lie outside the file, are refused.
        """
        height, width = shape
        tiled = TILE_OFFSETS in tags
        block = (
            (self.one(tags, TILE_HEIGHT), self.one(tags, TILE_WIDTH))
            if tiled
            else (min(self.one(tags, ROWS, height), height), width)
        )
        if not (0 < block[0] <= most and 0 < block[1] <= most):
            raise self.error(f"has blocks of {block[0]} x {block[1]} pixels")
        offsets = self.many(tags, TILE_OFFSETS if tiled else STRIP_OFFSETS).astype(np.int64)
        sizes = self.many(tags, TILE_SIZES if tiled else STRIP_SIZES).astype(np.int64)
        self._check(offsets, sizes, -(-height // block[0]) * -(-width // block[1]) * planes)
        return Blocks(tiled, block, offsets, sizes)

    def _check(self, offsets: npt.NDArray[np.int64], sizes: npt.NDArray[np.int64], number: int) -> None:
        if len(offsets) != number or len(sizes) != number:
            raise self.error(
                f"has {len(offsets)} offsets and {len(sizes)} sizes of blocks, expected {number} of each"
            )
        stops = offsets + sizes
        if (offsets < 0).any() or (sizes < 0).any() or (stops < 0).any():
            raise self.error("has blocks at places that cannot be")
        if (stops > self.size).any():
            first = int(np.argmax(stops > self.size))
            raise self.error(
                f"is truncated: block {first} of {number} ends at byte {stops[first]}, but the file has "
                f"{self.size}"
            )

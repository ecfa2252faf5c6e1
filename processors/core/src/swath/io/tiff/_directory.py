"""TIFFs of any kind: where the blocks of the first image lie, and each block as a TIFF of its own.

What packs the pixels (DEFLATE, LZW, ZSTD, LERC, JPEG, …), how many bands lie in a block and in which order is
left to GDAL: it decodes a block as the only one of a small file that is put together in memory. So a block is
one range of bytes, wherever the file is, and what reading it costs is known before.

Sources: TIFF, revision 6.0 (Adobe, 1992), sections 2, 8 and 15; BigTIFF as libtiff has it; OGC 19-008r4
(GeoTIFF 1.1).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.errors import ProductError

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["Directory", "read_directory"]

_SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of a value, by its type."""

_WHOLE = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}
"""Types of whole numbers."""

_WIDTH, _HEIGHT, _SAMPLES, _ROWS, _PLANAR = 256, 257, 277, 278, 284
_STRIP_OFFSETS, _STRIP_SIZES, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_SIZES = (
    273,
    279,
    322,
    323,
    324,
    325,
)

_REPLACED = frozenset(
    {_WIDTH, _HEIGHT, _ROWS, _STRIP_OFFSETS, _STRIP_SIZES, _TILE_OFFSETS, _TILE_SIZES, 288, 289, 330}
)
"""Tags that are written anew, or lead to other places of the file."""

_OF_THE_WHOLE = frozenset({34735, 34736, 34737, 42112, 42113, 50844})
"""Tags of the reference system and of GDAL's own metadata, which a single block does without."""

_WINDOW = 1 << 14
"""Bytes that are read at once: the directory of a COG lies in the first ones, and that of other files, with
the values of its tags, together somewhere else."""

_MAX_SIDE = 10_000_000
_MAX_BLOCK = 1 << 28
"""More bytes than any block has, packed or not."""

_MAX_VALUES = 1 << 26
"""Bytes of the values of one tag."""

Value = tuple[int, int, bytes]
"""Type, count, and the bytes of a tag's values."""


@dataclass(frozen=True)
class Directory:
    """The first image of a TIFF, and where its blocks lie. Picklable."""

    name: str
    """Name of the file in the product."""
    order: str
    """``<`` or ``>``, as struct has it."""
    shape: tuple[int, int]
    """Rows and columns."""
    block_shape: tuple[int, int]
    """Rows and columns of a tile or strip; the last strip is cut at the image's edge, tiles are not."""
    samples: int
    """Bands."""
    planar: bool
    """Whether each band has blocks of its own."""
    tiled: bool
    tags: dict[int, Value] = field(repr=False)
    """All tags that say how pixels are packed, and where the image lies."""
    offsets: npt.NDArray[np.int64] = field(repr=False)
    """First byte of each block; blocks go row by row, and band after band where these are apart."""
    sizes: npt.NDArray[np.int64] = field(repr=False)
    """Bytes of each block; 0 where it is not stored."""

    @property
    def blocks(self) -> tuple[int, int]:
        """Number of blocks down and across."""
        return -(-self.shape[0] // self.block_shape[0]), -(-self.shape[1] // self.block_shape[1])

    def index(self, row: int, column: int, band: int) -> int:
        """Return which block holds a place of a band (from 0)."""
        down, across = self.blocks
        return (band * down * across if self.planar else 0) + row * across + column

    def header(self) -> bytes:
        """Return a TIFF of the whole image without its blocks: what GDAL needs to tell its metadata."""
        return self._file(self.shape, np.zeros(len(self.offsets), np.int64), b"", frozenset())

    def block(self, row: int, data: bytes) -> bytes:
        """Return a TIFF of one block, in the row of blocks ``row``, from the block's bytes."""
        height, width = self.block_shape
        if not self.tiled:
            height = min(height, self.shape[0] - row * height)
        number = self.samples if self.planar else 1
        stored = np.array([len(data), *([0] * (number - 1))], np.int64)
        return self._file((height, width), stored, data, _OF_THE_WHOLE)

    def _file(
        self, shape: tuple[int, int], sizes: npt.NDArray[np.int64], data: bytes, without: frozenset[int]
    ) -> bytes:
        places = (_TILE_OFFSETS, _TILE_SIZES) if self.tiled else (_STRIP_OFFSETS, _STRIP_SIZES)
        rows = {} if self.tiled else {_ROWS: min(self.block_shape[0], shape[0])}
        whole = {_WIDTH: shape[1], _HEIGHT: shape[0], **rows}
        tags = {tag: value for tag, value in self.tags.items() if tag not in without}
        tags |= {tag: (4, 1, struct.pack(f"{self.order}I", number)) for tag, number in whole.items()}
        tags[places[1]] = (4, len(sizes), sizes.astype(f"{self.order}u4").tobytes())
        tags[places[0]] = (4, len(sizes), bytes(4 * len(sizes)))
        start = 8 + 2 + 12 * len(tags) + 4
        extra = bytearray()
        entries = bytearray()
        at: dict[int, int] = {}
        for tag, (kind, count, value) in sorted(tags.items()):
            at[tag] = start + len(extra) if len(value) > 4 else 8 + 2 + len(entries) + 8
            inline = value.ljust(4, b"\0") if len(value) <= 4 else struct.pack(f"{self.order}I", at[tag])
            entries += struct.pack(f"{self.order}HHI", tag, kind, count) + inline
            if len(value) > 4:
                extra += value + b"\0" * (len(value) % 2)
        first = start + len(extra)
        mark = b"II" if self.order == "<" else b"MM"
        head = mark + struct.pack(f"{self.order}HIH", 42, 8, len(tags)) + entries + bytes(4) + extra
        made = bytearray(head + data)
        # Only now is it known where the data start; blocks that are not stored keep the place 0.
        if data:
            struct.pack_into(f"{self.order}I", made, at[places[0]], first)
        return bytes(made)


def read_directory(store: Store, name: str) -> Directory:
    """Read the directory of the first image. Its pixels are not read.

    Raises
    ------
    ProductError
        It is no TIFF, is cut off, or claims what cannot be.
    """
    file = _File(store, name)
    tags = file.tags()
    width, height = file.one(tags, _WIDTH), file.one(tags, _HEIGHT)
    samples = file.one(tags, _SAMPLES, 1)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE and 0 < samples <= 65535):
        raise file.error(f"has {height} x {width} pixels of {samples} bands, which no image has")
    tiled = _TILE_OFFSETS in tags
    block = (
        (file.one(tags, _TILE_HEIGHT), file.one(tags, _TILE_WIDTH))
        if tiled
        else (min(file.one(tags, _ROWS, height), height), width)
    )
    if not (0 < block[0] <= _MAX_SIDE and 0 < block[1] <= _MAX_SIDE):
        raise file.error(f"has blocks of {block[0]} x {block[1]} pixels")
    found = Directory(
        name=name,
        order=file.order,
        shape=(height, width),
        block_shape=block,
        samples=samples,
        planar=file.one(tags, _PLANAR, 1) == 2 and samples > 1,
        tiled=tiled,
        tags={tag: value for tag, value in tags.items() if tag not in _REPLACED},
        offsets=file.many(tags, _TILE_OFFSETS if tiled else _STRIP_OFFSETS),
        sizes=file.many(tags, _TILE_SIZES if tiled else _STRIP_SIZES),
    )
    _check(file, found)
    return found


def _check(file: _File, found: Directory) -> None:
    """Refuse blocks that are not there, or lie outside the file."""
    number = found.blocks[0] * found.blocks[1] * (found.samples if found.planar else 1)
    if len(found.offsets) != number or len(found.sizes) != number:
        raise file.error(
            f"has {len(found.offsets)} offsets and {len(found.sizes)} sizes of blocks, expected {number} of "
            f"each"
        )
    stops = found.offsets + found.sizes
    if (found.offsets < 0).any() or (found.sizes < 0).any() or (stops < 0).any():
        raise file.error("has blocks at places that cannot be")
    if (stops > file.size).any():
        first = int(np.argmax(stops > file.size))
        raise file.error(
            f"is truncated: block {first} of {number} ends at byte {stops[first]}, but the file has "
            f"{file.size}"
        )
    bits = sum(file.many_of(found.tags, 258, [1]))
    together = bits if not found.planar else bits // max(found.samples, 1)
    unpacked = found.block_shape[0] * found.block_shape[1] * max(together, 1) // 8
    if unpacked > _MAX_BLOCK or (found.sizes > _MAX_BLOCK).any():
        raise file.error(
            f"has blocks of more than {_MAX_BLOCK} bytes; make it a COG (swath convert, gdal_translate)"
        )


class _File:
    """A TIFF's directory; what lies near what was read last is not read again."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self.size = store.size(name)
        self._first, self._window = 0, store.read_range(name, 0, _WINDOW)
        head = self._head = self._window[:16]
        self.order = {b"II": "<", b"MM": ">"}.get(head[:2], "")
        version = self._number("H", head, 2) if self.order else 0
        if version not in (42, 43):
            raise self.error("is no TIFF (it does not start with II*, MM* or their large kin)")
        self._big = version == 43

    def error(self, told: str) -> ProductError:
        """Return the error that says what is wrong with the file."""
        return ProductError(f"{self._store.location}: {self._name} {told}; get the product again")

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
        if not self._first <= start <= start + length <= self._first + len(self._window):
            stop = start + max(length, _WINDOW)
            self._first, self._window = start, self._store.read_range(self._name, start, stop)
        at = start - self._first
        return self._window[at : at + length]

    def tags(self) -> dict[int, Value]:
        """Return the tags of the first image with their values; types that are not known are left out."""
        first = self._number("Q", self._head, 8) if self._big else self._number("I", self._head, 4)
        counted, entry, inline = (8, 20, 8) if self._big else (2, 12, 4)
        number = self._number("Q" if self._big else "H", self._read(first, counted), 0)
        if not 0 < number <= 1000:
            raise self.error(f"has a directory of {number} tags")
        data = self._read(first + counted, number * entry)
        found: dict[int, Value] = {}
        for at in range(0, len(data), entry):
            tag, kind = self._number("H", data, at), self._number("H", data, at + 2)
            count = self._number("Q" if self._big else "I", data, at + 4)
            if kind not in _SIZES:
                continue
            length = count * _SIZES[kind]
            if length > _MAX_VALUES:
                raise self.error(f"has {length} bytes in its tag {tag}")
            place = at + entry - inline
            if length <= inline:
                value = data[place : place + length]
            else:
                value = self._read(self._number("Q" if self._big else "I", data, place), length)
            found[tag] = (kind, count, value)
        return found

    def many(self, tags: dict[int, Value], tag: int) -> npt.NDArray[np.int64]:
        """Return the whole numbers of a tag."""
        if tag not in tags or tags[tag][0] not in _WHOLE:
            raise self.error(f"lacks the tag {tag}")
        kind, _, value = tags[tag]
        return np.frombuffer(value, self.order + _WHOLE[kind]).astype(np.int64)

    def many_of(self, tags: dict[int, Value], tag: int, default: list[int]) -> list[int]:
        """Return the whole numbers of a tag, or others where it is not there."""
        return [int(value) for value in self.many(tags, tag)] if tag in tags else default

    def one(self, tags: dict[int, Value], tag: int, default: int | None = None) -> int:
        """Return the only value of a tag."""
        if tag not in tags and default is not None:
            return default
        values: Any = self.many(tags, tag)
        if len(values) != 1:
            raise self.error(f"has {len(values)} values of the tag {tag}, expected one")
        return int(values[0])

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
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from swath.io.tiff._tags import (
    BITS,
    HEIGHT,
    MAX_BLOCK,
    ROWS,
    SAMPLES,
    STRIP_OFFSETS,
    STRIP_SIZES,
    TILE_OFFSETS,
    TILE_SIZES,
    WIDTH,
    TagFile,
)

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["Directory", "read_directory"]

_PLANAR = 284

_WRITTEN_ANEW = frozenset({WIDTH, HEIGHT, ROWS, STRIP_OFFSETS, STRIP_SIZES, TILE_OFFSETS, TILE_SIZES})
"""Tags of the image's size and of its blocks' places."""

_LEADING_AWAY = frozenset({288, 289, 330})
"""Tags of other places of the file."""

_OF_THE_WHOLE = frozenset({34735, 34736, 34737, 42112, 42113, 50844})
"""Tags of the reference system and of GDAL's own metadata, which a single block does without."""

_WINDOW = 1 << 14
"""Bytes that are read at once: the directory of a COG lies in the first ones, and that of other files, with
the values of its tags, together somewhere else."""

_MAX_SIDE = 10_000_000

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
        places = (TILE_OFFSETS, TILE_SIZES) if self.tiled else (STRIP_OFFSETS, STRIP_SIZES)
        rows = {} if self.tiled else {ROWS: min(self.block_shape[0], shape[0])}
        whole = {WIDTH: shape[1], HEIGHT: shape[0], **rows}
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
    window = _Window(store, name)
    file = TagFile(store, name, window.read)
    places = file.tags()
    tags = {
        tag: (told.kind, told.count, file.values(tag, told))
        for tag, told in places.items()
        if tag not in _WRITTEN_ANEW
    }
    width, height = file.one(places, WIDTH), file.one(places, HEIGHT)
    samples = file.one(places, SAMPLES, 1)
    if not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE and 0 < samples <= 65535):
        raise file.error(f"has {height} x {width} pixels of {samples} bands, which no image has")
    planar = file.one(places, _PLANAR, 1) == 2 and samples > 1
    blocks = file.blocks(places, (height, width), planes=samples if planar else 1, most=_MAX_SIDE)
    bits = int(file.many(places, BITS).sum()) if BITS in places else 1
    together = bits if not planar else bits // max(samples, 1)
    unpacked = blocks.shape[0] * blocks.shape[1] * max(together, 1) // 8
    if unpacked > MAX_BLOCK or (blocks.sizes > MAX_BLOCK).any():
        raise file.error(
            f"has blocks of more than {MAX_BLOCK} bytes; make it a COG (swath convert, gdal_translate)"
        )
    return Directory(
        name=name,
        order=file.order,
        shape=(height, width),
        block_shape=blocks.shape,
        samples=samples,
        planar=planar,
        tiled=blocks.tiled,
        tags={tag: value for tag, value in tags.items() if tag not in _LEADING_AWAY},
        offsets=blocks.offsets,
        sizes=blocks.sizes,
    )


class _Window:
    """Bytes of a file; what lies near what was read last is not read again."""

    def __init__(self, store: Store, name: str) -> None:
        self._store, self._name = store, name
        self._first, self._bytes = 0, store.read_range(name, 0, _WINDOW)

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive); fewer where the file ends early."""
        if start < self._first or stop > self._first + len(self._bytes):
            data = self._store.read_range(self._name, start, max(stop, start + _WINDOW))
            self._first, self._bytes = start, data
        return self._bytes[start - self._first : stop - self._first]

"""The first image of a TIFF: its size, its type, and where its strips or tiles lie.

Sources: TIFF, revision 6.0 (Adobe, 1992), sections 2, 8, 13, 14 and 15; BigTIFF as libtiff has it; GDAL's
documentation of its GTiff driver for complex integers (sample format 5) and ZSTD (50000).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.errors import ProductError

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath.io.store import Store

__all__ = ["COMPRESSIONS", "FRONT", "Header", "read_header"]

COMPRESSIONS = {1: "none", 5: "lzw", 8: "deflate", 32946: "deflate", 50000: "zstd"}
"""Ways of packing that are read, by their number."""

FRONT = 1 << 16
"""Bytes at the start of a file that are read at once where each request takes long."""

_MAX_SIDE = 1_000_000
"""More rows or columns than any product's image has."""

_MAX_BLOCK = 1 << 28
"""More bytes than any block has, unpacked."""

_TYPES = {1: "u1", 3: "u2", 4: "u4", 12: "f8", 13: "u4", 16: "u8", 18: "u8"}
"""Types of tags that are understood."""

_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _OFFSETS, _SAMPLES, _ROWS, _COUNTS = (
    256,
    257,
    258,
    259,
    273,
    277,
    278,
    279,
)
_PREDICTOR, _TILE_WIDTH, _TILE_HEIGHT, _TILE_OFFSETS, _TILE_COUNTS, _FORMAT, _TIE_POINTS = (
    317, 322, 323, 324, 325, 339, 33922,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Header:
    """An image of one component, in strips (blocks as wide as the image) or tiles."""

    name: str
    """Name of the file in the product."""
    shape: tuple[int, int]
    """Rows and columns."""
    block_shape: tuple[int, int]
    """Rows and columns of a strip or tile."""
    stored: np.dtype[Any]
    """Type of the numbers in the file; a complex number is two of them."""
    complex_samples: bool
    """Whether a sample is complex, real part first."""
    compression: str
    """One of :data:`COMPRESSIONS`."""
    predictor: int
    """1 none, 2 differences of whole numbers; others are not read."""
    offsets: npt.NDArray[np.int64] = field(repr=False)
    """First byte of each block, row by row."""
    sizes: npt.NDArray[np.int64] = field(repr=False)
    """Bytes of each block; 0 where it is not stored and all zero."""
    tie_points: npt.NDArray[np.float64] = field(repr=False)
    """Ground control points (point, 6): column, row, 0, longitude, latitude, height; there may be none."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of a sample: complex64 where it is complex."""
        return np.dtype(np.complex64) if self.complex_samples else self.stored.newbyteorder("=")

    @property
    def blocks(self) -> tuple[int, int]:
        """Number of blocks down and across."""
        return -(-self.shape[0] // self.block_shape[0]), -(-self.shape[1] // self.block_shape[1])

    @property
    def block_bytes(self) -> int:
        """Bytes of a whole block, unpacked."""
        return (
            self.block_shape[0]
            * self.block_shape[1]
            * self.stored.itemsize
            * (2 if self.complex_samples else 1)
        )


def read_header(store: Store, name: str) -> Header:
    """Read the directory of the first image. Its pixels are not read.

    Raises
    ------
    ProductError
        It is no TIFF, cut, or of a kind that no product has.
    """
    with store.opened(name) as read:
        return _read(_File(store, name, read))


def _read(file: _File) -> Header:
    tags = file.tags()
    bits, samples = file.one(tags, _BITS, 1), file.one(tags, _SAMPLES, 1)
    width, height = file.one(tags, _WIDTH), file.one(tags, _HEIGHT)
    if samples != 1 or not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise file.error(f"has {height} x {width} pixels of {samples} components, expected an image of one")
    stored, is_complex = file.sample_type(file.one(tags, _FORMAT, 1), bits)
    compression = file.one(tags, _COMPRESSION, 1)
    if compression not in COMPRESSIONS:
        raise file.error(f"is packed by method {compression}, expected one of {sorted(COMPRESSIONS)}")
    tiled = _TILE_OFFSETS in tags
    block = (
        (file.one(tags, _TILE_HEIGHT), file.one(tags, _TILE_WIDTH))
        if tiled
        else (min(file.one(tags, _ROWS, height), height), width)
    )
    if not (0 < block[0] <= _MAX_SIDE and 0 < block[1] <= _MAX_SIDE):
        raise file.error(f"has blocks of {block} pixels")
    header = Header(
        name=file.name,
        shape=(height, width),
        block_shape=block,
        stored=stored,
        complex_samples=is_complex,
        compression=COMPRESSIONS[compression],
        predictor=file.one(tags, _PREDICTOR, 1),
        offsets=file.many(tags, _TILE_OFFSETS if tiled else _OFFSETS).astype(np.int64),
        sizes=file.many(tags, _TILE_COUNTS if tiled else _COUNTS).astype(np.int64),
        tie_points=file.tie_points(tags),
    )
    _check(file, header)
    return header


def _check(file: _File, header: Header) -> None:
    """Refuse blocks that are not there, or lie outside the file."""
    number = header.blocks[0] * header.blocks[1]
    if len(header.offsets) != number or len(header.sizes) != number:
        raise file.error(
            f"has {len(header.offsets)} offsets and {len(header.sizes)} sizes of blocks, "
            f"expected {number} of each"
        )
    stops = header.offsets + header.sizes
    if (header.offsets < 0).any() or (header.sizes < 0).any() or (stops < 0).any():
        raise file.error("has blocks at places that cannot be")
    if (stops > file.size).any():
        first = int(np.argmax(stops > file.size))
        raise file.error(
            f"is truncated: block {first} of {number} ends at byte {stops[first]}, "
            f"but the file has {file.size}"
        )
    if header.block_bytes > _MAX_BLOCK:
        raise file.error(f"has blocks of {header.block_bytes} bytes, expected at most {_MAX_BLOCK}")
    if header.compression == "none" and (header.sizes > header.block_bytes).any():
        raise file.error("has blocks of more bytes than their pixels need")


Tag = tuple[int, int, int]
"""Type, count, and the place of the values in the file."""


class _File:
    """A TIFF's directory; values are read where they are asked for."""

    def __init__(self, store: Store, name: str, read: Callable[[int, int], bytes]) -> None:
        self._store, self.name, self._take = store, name, read
        start = read(0, 16)
        self.size = store.size(name)
        self._order = {b"II": "<", b"MM": ">"}.get(start[:2], "")
        version = struct.unpack_from(f"{self._order}H", start, 2)[0] if self._order and len(start) >= 8 else 0
        if version not in (42, 43):
            raise self.error("is no TIFF (it does not start with II*, MM* or their large kin)")
        self._big = version == 43
        self._first = (
            self._unpack("Q", start, 8) if self._big and len(start) == 16 else self._unpack("I", start, 4)
        )

    def error(self, told: str) -> ProductError:
        """Return the error that says what is wrong with the file."""
        return ProductError(f"{self._store.location}: {self.name} {told}; get the product again")

    def _unpack(self, kind: str, data: bytes, at: int = 0) -> int:
        try:
            return int(struct.unpack_from(f"{self._order}{kind}", data, at)[0])
        except struct.error:
            raise self.error("is cut within its directory") from None

    def _read(self, start: int, length: int) -> bytes:
        if start + length > self.size:
            raise self.error(
                f"is truncated: its directory goes on to byte {start + length}, it has {self.size}"
            )
        return self._take(start, start + length)

    def tags(self) -> dict[int, Tag]:
        """Return the tags of the first image."""
        counted, entry, inline = (8, 20, 12) if self._big else (2, 12, 8)
        number = self._unpack("Q" if self._big else "H", self._read(self._first, counted))
        if number > 1000:
            raise self.error(f"has a directory of {number} tags")
        data = self._read(self._first + counted, number * entry)
        found: dict[int, Tag] = {}
        for at in range(0, len(data), entry):
            tag, kind = self._unpack("H", data, at), self._unpack("H", data, at + 2)
            count = self._unpack("Q" if self._big else "I", data, at + 4)
            if kind not in _TYPES:
                continue
            length = count * int(_TYPES[kind][1])
            place = self._first + counted + at + inline
            if length > (8 if self._big else 4):
                place = self._unpack("Q" if self._big else "I", data, at + inline)
            found[tag] = (kind, count, place)
        return found

    def many(self, tags: dict[int, Tag], tag: int) -> npt.NDArray[Any]:
        """Return the values of a tag; its bytes must lie in the file, which bounds their number."""
        if tag not in tags:
            raise self.error(f"lacks the tag {tag}")
        kind, count, place = tags[tag]
        dtype = np.dtype(self._order + _TYPES[kind])
        return np.frombuffer(self._read(place, count * dtype.itemsize), dtype)

    def one(self, tags: dict[int, Tag], tag: int, default: int | None = None) -> int:
        """Return the only value of a tag."""
        if tag not in tags and default is not None:
            return default
        if tag in tags and tags[tag][1] != 1:
            raise self.error(f"has {tags[tag][1]} values of the tag {tag}, expected one")
        return int(self.many(tags, tag)[0])

    def tie_points(self, tags: dict[int, Tag]) -> npt.NDArray[np.float64]:
        """Return the ground control points (point, 6)."""
        points = self.many(tags, _TIE_POINTS) if _TIE_POINTS in tags else np.empty(0)
        if len(points) % 6:
            raise self.error(f"has {len(points)} numbers of control points, expected six for each")
        return points.astype(np.float64).reshape(-1, 6)

    def sample_type(self, kind: int, bits: int) -> tuple[np.dtype[Any], bool]:
        """Return the type of the stored numbers, and whether two of them are one complex sample."""
        letter = {1: "u", 2: "i", 3: "f", 5: "i", 6: "f"}.get(kind, "")
        is_complex = kind in (5, 6)
        each = bits // 2 if is_complex else bits
        sizes = (32, 64) if letter == "f" else (8, 16, 32)
        if not letter or each not in sizes or (is_complex and each == 64):
            raise self.error(f"has samples of format {kind} with {bits} bits, which no product has")
        return np.dtype(f"{self._order}{letter}{each // 8}"), is_complex

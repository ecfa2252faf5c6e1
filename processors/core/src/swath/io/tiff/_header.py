"""The first image of a TIFF: its size, its type, and where its strips or tiles lie.

Sources: TIFF, revision 6.0 (Adobe, 1992), sections 2, 8, 13, 14 and 15; BigTIFF as libtiff has it; GDAL's
documentation of its GTiff driver for complex integers (sample format 5) and ZSTD (50000).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.io.tiff._tags import BITS, HEIGHT, MAX_BLOCK, NUMBERS, SAMPLES, WIDTH, TagFile

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swath.io.store import Store
    from swath.io.tiff._tags import Tag

__all__ = ["COMPRESSIONS", "FRONT", "Header", "read_header"]

COMPRESSIONS = {1: "none", 5: "lzw", 8: "deflate", 32946: "deflate", 50000: "zstd"}
"""Ways of packing that are read, by their number."""

FRONT = 1 << 16
"""Bytes at the start of a file that are read at once where each request takes long."""

_MAX_SIDE = 1_000_000
"""More rows or columns than any product's image has."""

_COMPRESSION, _PREDICTOR, _FORMAT, _TIE_POINTS = 259, 317, 339, 33922


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
        return _read(TagFile(store, name, read))


def _read(file: TagFile) -> Header:
    tags = file.tags()
    bits, samples = file.one(tags, BITS, 1), file.one(tags, SAMPLES, 1)
    width, height = file.one(tags, WIDTH), file.one(tags, HEIGHT)
    if samples != 1 or not (0 < width <= _MAX_SIDE and 0 < height <= _MAX_SIDE):
        raise file.error(f"has {height} x {width} pixels of {samples} components, expected an image of one")
    stored, is_complex = _sample_type(file, file.one(tags, _FORMAT, 1), bits)
    compression = file.one(tags, _COMPRESSION, 1)
    if compression not in COMPRESSIONS:
        raise file.error(f"is packed by method {compression}, expected one of {sorted(COMPRESSIONS)}")
    blocks = file.blocks(tags, (height, width), planes=1, most=_MAX_SIDE)
    header = Header(
        name=file.name,
        shape=(height, width),
        block_shape=blocks.shape,
        stored=stored,
        complex_samples=is_complex,
        compression=COMPRESSIONS[compression],
        predictor=file.one(tags, _PREDICTOR, 1),
        offsets=blocks.offsets,
        sizes=blocks.sizes,
        tie_points=_tie_points(file, tags),
    )
    if header.block_bytes > MAX_BLOCK:
        raise file.error(f"has blocks of {header.block_bytes} bytes, expected at most {MAX_BLOCK}")
    if header.compression == "none" and (header.sizes > header.block_bytes).any():
        raise file.error("has blocks of more bytes than their pixels need")
    return header


def _tie_points(file: TagFile, tags: Mapping[int, Tag]) -> npt.NDArray[np.float64]:
    """Return the ground control points (point, 6)."""
    points = file.many(tags, _TIE_POINTS, NUMBERS) if _TIE_POINTS in tags else np.empty(0)
    if len(points) % 6:
        raise file.error(f"has {len(points)} numbers of control points, expected six for each")
    return points.astype(np.float64).reshape(-1, 6)


def _sample_type(file: TagFile, kind: int, bits: int) -> tuple[np.dtype[Any], bool]:
    """Return the type of the stored numbers, and whether two of them are one complex sample."""
    letter = {1: "u", 2: "i", 3: "f", 5: "i", 6: "f"}.get(kind, "")
    is_complex = kind in (5, 6)
    each = bits // 2 if is_complex else bits
    sizes = (32, 64) if letter == "f" else (8, 16, 32)
    if not letter or each not in sizes or (is_complex and each == 64):
        raise file.error(f"has samples of format {kind} with {bits} bits, which no product has")
    return np.dtype(f"{file.order}{letter}{each // 8}"), is_complex

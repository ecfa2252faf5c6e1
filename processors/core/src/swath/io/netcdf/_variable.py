"""Variables of netCDF files: where their chunks lie, what each costs, and how it is decoded."""

from __future__ import annotations

import itertools
import math
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.errors import MetadataError, ProductError
from swath.io.metering import Counts, count

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swath.io.store import Range, Store

__all__ = [
    "CONTIGUOUS_BLOCK",
    "DEFLATE",
    "FLETCHER",
    "SHUFFLE",
    "Block",
    "File",
    "Variable",
    "refuse_too_many",
]

DEFLATE, SHUFFLE, FLETCHER = 1, 2, 3
"""Numbers of HDF5's filters that are known here."""

CONTIGUOUS_BLOCK = 1 << 20
"""Bytes of a block of rows that a variable without chunks is read in."""

_MAX_BLOCKS = 1 << 20
"""More chunks than any variable of a product has."""


@dataclass(frozen=True, slots=True)
class Block:
    """Where a chunk lies in the file."""

    offset: int
    size: int
    mask: int
    """Bit k is set where the filter k was left out for this chunk."""


@dataclass(frozen=True)
class Variable:
    """A variable of a file. Picklable, and read by any number of threads."""

    store: Store
    file: str
    """Name of the file in the store."""
    name: str
    """With its groups: ``group/name``."""
    dimensions: tuple[str, ...]
    whole: tuple[int, ...]
    """Length of each dimension."""
    dtype: np.dtype[Any]
    """Of the stored values, in this machine's byte order."""
    attributes: Mapping[str, Any]
    blocks: tuple[int, ...]
    """Length along each dimension of what is read at once: a chunk, or a block of rows."""
    stored: np.dtype[Any]
    """As ``dtype``, in the file's byte order."""
    filters: tuple[int, ...] = ()
    """Numbers of the filters, in the order in which they were applied."""
    index: Mapping[tuple[int, ...], Block] | None = None
    """Position of a chunk → where it lies; None where the variable is in ``values``."""
    fill: Any = 0
    """Value of chunks that were never written."""
    values: npt.NDArray[Any] | None = None
    """The variable itself, where only the HDF5 library could read it."""
    cut: bool = False
    """Whether the last block along each dimension is stored cut to the variable; chunks are stored whole."""

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of blocks along each dimension."""
        return tuple(math.ceil(n / size) for n, size in zip(self.whole, self.blocks, strict=True))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns; see :class:`swath.product.ChunkSource`."""
        return self.whole[-2], self.whole[-1]

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Rows and columns of a chunk."""
        return self.blocks[-2], self.blocks[-1]

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the stored bytes of a chunk, of all at that place where there are more dimensions.

        Raises
        ------
        ProductError
            The file ends before the chunk does.
        """
        leading = itertools.product(*(range(n) for n in self.counts[:-2]))
        return sum(self.block_bytes((*place, row, column)) for place in leading)

    def block_bytes(self, place: tuple[int, ...]) -> int:
        """Return the stored bytes of a block."""
        block = (self.index or {}).get(place)
        if block is None:
            return 0
        size = self.store.size(self.file)
        if block.offset + block.size > size:
            raise ProductError(
                f"{self.store.location}: {self.file} is truncated: {self.name} needs bytes up to "
                f"{block.offset + block.size}, and it has {size}; get the product again"
            )
        return block.size

    def ranges(self, place: tuple[int, ...]) -> list[Range]:
        """Return what reading a chunk asks for; of all at that place where only row and column are given."""
        counts = self.counts[: len(self.counts) - len(place)]
        wanted: list[Range] = []
        for leading in itertools.product(*(range(n) for n in counts)):
            block = (self.index or {}).get((*leading, *place))
            if block is not None:
                wanted.append((self.file, block.offset, block.offset + block.size))
        return wanted

    def read_block(self, place: tuple[int, ...]) -> npt.NDArray[Any]:
        """Read one block, cut to the variable, counted once."""
        bounds = [
            (at * size, min(n, (at + 1) * size))
            for at, size, n in zip(place, self.blocks, self.whole, strict=True)
        ]
        if self.values is not None:
            return self.values[tuple(slice(*pair) for pair in bounds)]
        count(Counts(chunks=1))
        shape = tuple(stop - start for start, stop in bounds)
        block = (self.index or {}).get(place)
        if block is None:
            return np.full(shape, self.fill, self.dtype)
        data = self.store.read_range(self.file, block.offset, block.offset + block.size)
        whole = shape if self.cut else self.blocks
        values = np.frombuffer(self._decoded(data, block, whole), self.stored).reshape(whole)
        return values[tuple(slice(n) for n in shape)].astype(self.dtype)

    def _decoded(self, data: bytes, block: Block, whole: tuple[int, ...]) -> bytes:
        """Undo the filters, the last one first; refuse what has not the length that it must have."""
        length = math.prod(whole) * self.stored.itemsize
        try:
            for position in reversed(range(len(self.filters))):
                if block.mask >> position & 1:
                    continue
                number = self.filters[position]
                if number == DEFLATE:
                    # No more than there can be: a chunk made to deceive unpacks to any length.
                    data = zlib.decompressobj().decompress(data, length + 8)
                elif number == SHUFFLE:
                    planes = np.frombuffer(data, np.uint8).reshape(self.stored.itemsize, -1)
                    data = planes.T.tobytes()
                else:
                    data = data[:-4]  # a checksum of four bytes
        except (zlib.error, ValueError) as error:
            raise self._corrupt(str(error)) from error
        if len(data) != length:
            raise self._corrupt(f"{len(data)} bytes where {length} should be")
        return data

    def _corrupt(self, told: str) -> ProductError:
        return ProductError(
            f"{self.store.location}: {self.file} is corrupt: a chunk of {self.name} cannot be decoded "
            f"({told}); "
            "get the product again"
        )


@dataclass(frozen=True)
class File:
    """A netCDF-4 file, of which the headers were read."""

    attributes: Mapping[str, Any]
    variables: dict[str, Variable]
    """Name, with groups before it, → variable."""
    groups: dict[str, Mapping[str, Any]]
    """Path of each group but the root → attributes."""


def refuse_too_many(where: str, name: str, number: int) -> None:
    """Refuse a variable of more chunks than there can be.

    Raises
    ------
    MetadataError
        There are too many.
    """
    if number > _MAX_BLOCKS:
        raise MetadataError(
            f"{where}: {name} claims {number} chunks, expected at most {_MAX_BLOCKS}; get the product again"
        )

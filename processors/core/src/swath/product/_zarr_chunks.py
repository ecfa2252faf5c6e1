"""What a chunk of a Zarr array costs and where it is stored, in a file of its own or in a shard."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from swath.io.store import MissingFileError

if TYPE_CHECKING:
    from swath.io.store import Range, Store

__all__ = ["ZarrChunks"]

_ABSENT = 2**64 - 1
"""Offset and length of a chunk that a shard does not hold."""


@dataclass(frozen=True)
class ZarrChunks:
    """Chunks of a Zarr array; see :class:`swath.product.ChunkSource`."""

    store: Store
    path: str
    metadata: Any = field(repr=False)
    """Zarr's metadata of the array."""
    whole: tuple[int, ...]
    """Length of each dimension."""
    chunks: tuple[int, ...]
    """Length of a chunk along each dimension."""
    shards: tuple[int, ...] | None = None
    """Length of a file that holds several chunks along each dimension."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.whole[-2], self.whole[-1]

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Rows and columns of a chunk."""
        return self.chunks[-2], self.chunks[-1]

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the stored bytes of a chunk; 0 where all of it is the fill value and it is not stored.

        Of a chunk in a shard: with the shard's index, which has to be read with it.
        """
        pairs = zip(self.whole[:-2], self.chunks[:-2], strict=True)
        leading = itertools.product(*(range(math.ceil(n / size)) for n, size in pairs))
        return sum(self._stored((*place, row, column)) for place in leading)

    def ranges(self, place: tuple[int, ...]) -> list[Range]:
        """Return what reading a chunk asks for."""
        if self.shards is None:
            return [(f"{self.path}/{self.metadata.encode_chunk_key(place)}", 0, None)]
        key, entry, _ = self._entry(place)
        if entry is None or entry[1] == _ABSENT:
            return []
        return [(f"{self.path}/{key}", entry[0], entry[0] + entry[1])]

    def _stored(self, place: tuple[int, ...]) -> int:
        if self.shards is None:
            return self._size(self.metadata.encode_chunk_key(place))
        _, entry, length = self._entry(place)
        if entry is None:
            return 0
        return length if entry[1] == _ABSENT else length + entry[1]

    def _entry(self, place: tuple[int, ...]) -> tuple[str, tuple[int, int] | None, int]:
        """Return the shard of a chunk, its offset and length in it, and the bytes of the shard's index.

        The offset and length are :data:`_ABSENT` where the chunk is not stored, None where the shard is not.
        """
        assert self.shards is not None  # noqa: S101 -- both callers have looked
        inside = tuple(whole // part for whole, part in zip(self.shards, self.chunks, strict=True))
        shard = tuple(at // number for at, number in zip(place, inside, strict=True))
        within = tuple(at % number for at, number in zip(place, inside, strict=True))
        key = self.metadata.encode_chunk_key(shard)
        # The index at the end: offset and length of each chunk, then a checksum of four bytes.
        length = 16 * math.prod(inside) + 4
        try:
            index = self.store.read_end(f"{self.path}/{key}", length)
        except MissingFileError:
            return key, None, length
        if len(index) < length:
            return key, None, length
        offset, stored = np.frombuffer(index[:-4], "<u8").reshape(*inside, 2)[within].tolist()
        return key, (offset, stored), length

    def _size(self, key: str) -> int:
        try:
            return self.store.size(f"{self.path}/{key}")
        except MissingFileError:
            return 0

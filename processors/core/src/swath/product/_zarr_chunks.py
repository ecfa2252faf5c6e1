"""What a chunk of a Zarr array costs and where it is stored, in a file of its own or in a shard."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from swath.io.store import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swath.io.store import Range, Store
    from swath.io.zarr_shards import Shards

__all__ = ["ZarrChunks"]

_SPARE = 1 << 20
"""Bytes of a shard that nobody wants, and that are read all the same where that saves the round trip for its
index: at 100 MB/s they take 10 ms."""


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
    shards: Shards | None = None
    """How files hold several chunks each; None where each chunk is a file."""

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
            return [(self._file(place), 0, None)]
        return self._inside(place)

    def bundle(self, place: tuple[int, ...]) -> tuple[int, ...]:
        """Return the place of the file that has a chunk."""
        return place if self.shards is None else self.shards.shard(place)

    def before(self, places: Sequence[tuple[int, ...]]) -> list[Range]:
        """Return what has to be read first to know the ranges of some chunks of one file: its index."""
        if self.shards is None or self._whole(places) is not None:
            return []
        name = self._file(places[0])
        size = self.store.known_size(name)
        return [] if size is None else [self.shards.index_range(name, size)]

    def bundled(self, places: Sequence[tuple[int, ...]]) -> list[list[Range]]:
        """Return the ranges of some chunks of one file, all of which will be read.

        A shard of which nearly all is wanted is one range: that saves the round trip for its index.
        """
        if self.shards is None:
            return [self.ranges(place) for place in places]
        whole = self._whole(places)
        return [self._inside(place) for place in places] if whole is None else [[whole]] * len(places)

    def _whole(self, places: Sequence[tuple[int, ...]]) -> Range | None:
        """Return the range of a whole shard, if hardly more is read by it than is wanted of it."""
        assert self.shards is not None  # noqa: S101 -- both callers have looked
        name = self._file(places[0])
        size = self.store.known_size(name)
        if not size:
            return None
        # At the edges of the array a shard has places where nothing can be.
        counts, shard = self.shards.counts, self.shards.shard(places[0])
        there = math.prod(
            min(number, math.ceil(n / part) - number * at)
            for number, at, n, part in zip(counts, shard, self.whole, self.chunks, strict=True)
        )
        return (name, 0, size) if size * (1 - len(set(places)) / there) <= _SPARE else None

    def _inside(self, place: tuple[int, ...]) -> list[Range]:
        assert self.shards is not None  # noqa: S101 -- the callers have looked
        name = self._file(place)
        try:
            found = self.shards.find(self.store, name, place)
        except ValueError:
            return []  # told by whoever reads it
        return [] if found is None else [(name, *found)]

    def _file(self, place: tuple[int, ...]) -> str:
        return f"{self.path}/{self.metadata.encode_chunk_key(self.bundle(place))}"

    def _stored(self, place: tuple[int, ...]) -> int:
        name = self._file(place)
        if self.shards is None:
            return self._size(name)
        ranges = self._inside(place)
        if not ranges and not self._size(name):
            return 0
        return self.shards.index_bytes + sum((stop or 0) - start for _, start, stop in ranges)

    def _size(self, name: str) -> int:
        try:
            return self.store.size(name)
        except MissingFileError:
            return 0

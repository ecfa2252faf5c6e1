"""Chunks of images: some lines of a burst, or of an image without bursts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath.io.metering import Counts, count
from swath.io.tiff import Header, packed_bytes, packed_runs, read_rows

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from swath.io.store import Range, Store

__all__ = ["CHUNK_BYTES", "Lines"]

CHUNK_BYTES = 16 << 20
"""Most bytes of a chunk, unless one block of the file has more; a chunk has whole lines, as the file has."""


class Lines:
    """Chunks of lines ``start`` to ``stop`` of an image; see :class:`swath.product.ChunkSource`."""

    leading: tuple[int, ...] = ()

    def __init__(self, store: Store, header: Header, start: int, stop: int) -> None:
        self._store, self._header = store, header
        self._start, self._stop = start, stop
        line = header.shape[1] * header.dtype.itemsize
        block = header.block_shape[0]
        self._lines = max(CHUNK_BYTES // (line * block), 1) * block

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        header = self._header
        edges = int(header.offsets[0]), int(header.offsets[-1]), int(header.sizes.sum())
        return (
            type(self).__name__,
            self._store.identity,
            header.name,
            header.shape,
            edges,
            self._start,
            self._stop,
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Lines and samples."""
        return self._stop - self._start, self._header.shape[1]

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Lines and samples of a chunk."""
        return min(self._lines, self.shape[0]), self.shape[1]

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples."""
        return self._header.dtype

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the bytes of the strips or tiles that hold a chunk."""
        del column  # a chunk has all columns
        return packed_bytes(self._header, *self._range(row))

    @property
    def store(self) -> Store:
        """The product."""
        return self._store

    def ranges(self, place: tuple[int, ...]) -> list[Range]:
        """Return what reading a chunk asks for."""
        return [
            (self._header.name, start, stop)
            for start, stop in packed_runs(self._header, *self._range(place[0]))
        ]

    def read(self, row: int, column: int) -> npt.NDArray[Any]:
        """Read a chunk."""
        del column
        count(Counts(chunks=1))
        return read_rows(self._store, self._header, *self._range(row))

    def _range(self, row: int) -> tuple[int, int]:
        start = self._start + row * self.chunk_shape[0]
        return start, min(start + self.chunk_shape[0], self._stop)

"""Chunks of JPEG 2000 images: a chunk is a codec tile."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.io.jpeg2000 import Header, TileIndex, index_tiles, read_tile

if TYPE_CHECKING:
    from swath.io.store import Range, Store

__all__ = ["FlagImage", "Image"]


class Image:
    """Chunks of an image of one component; see :class:`swath.product.ChunkSource`."""

    leading: tuple[int, ...] = ()

    def __init__(self, store: Store, header: Header) -> None:
        self._store, self._header = store, header
        self._prepare(None)

    def _prepare(self, index: TileIndex | None) -> None:
        self._lock = threading.Lock()
        self._index = index

    def __getstate__(self) -> tuple[Store, Header, TileIndex | None]:
        return self._store, self._header, self._index

    def __setstate__(self, state: tuple[Store, Header, TileIndex | None]) -> None:
        self._store, self._header = state[:2]
        self._prepare(state[2])

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        header = self._header
        return (
            type(self).__name__,
            self._store.identity,
            header.name,
            header.start,
            header.stop,
            header.siz.encode(),
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self._header.shape

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Rows and columns of a codec tile."""
        return self._header.tile_shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples."""
        return self._header.dtype

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the bytes of a codec tile. The first call finds all tiles, by their headers."""
        return self._find().tile_bytes(row * self._header.tiles[1] + column)

    def read(self, row: int, column: int) -> npt.NDArray[Any]:
        """Read and decode a codec tile."""
        return read_tile(self._store, self._find(), self._header, row, column)

    @property
    def store(self) -> Store:
        """The product."""
        return self._store

    def ranges(self, place: tuple[int, ...]) -> list[Range]:
        """Return what reading a codec tile asks for."""
        row, column = place
        return [
            (self._header.name, start, stop)
            for start, stop in self._find().runs(row * self._header.tiles[1] + column)
        ]

    def _find(self) -> TileIndex:
        with self._lock:
            if self._index is None:
                self._index = index_tiles(self._store, self._header)
            return self._index


class FlagImage(Image):
    """Chunks of an image whose components are one flag each: component k becomes bit k of a byte."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """A byte of flags."""
        return np.dtype(np.uint8)

    def read(self, row: int, column: int) -> npt.NDArray[Any]:
        """Read a codec tile and fold its components."""
        flags = np.atleast_3d(super().read(row, column)) != 0
        return np.packbits(flags, axis=-1, bitorder="little")[..., 0]

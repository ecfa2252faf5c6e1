"""Blocks of Zarr arrays as dask reads and writes them, chunk by chunk, without Zarr's own machinery."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xarray as xr
from dask.highlevelgraph import HighLevelGraph

from swath.io.metering import Counts, count
from swath.io.store import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from swath.io.store import Store
    from swath.io.zarr_chunks import ChunkCodec

__all__ = ["ChunkFiles", "StoredBlocks", "coded", "lazy_blocks"]

_CODED = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned", "dtype")
"""Attributes by which CF's decoding changes values."""


@dataclass(frozen=True)
class StoredBlocks:
    """Chunks of an array in a product, read and decoded by CF."""

    store: Store
    path: str
    """Of the array in the store."""
    whole: tuple[int, ...]
    """Length of each dimension."""
    codec: ChunkCodec
    attributes: Mapping[str, Any] | None
    """Attributes by which values are decoded, None where they are taken as stored."""
    metered: bool
    """Whether chunks count as chunks: those of images do."""

    def read(self, place: tuple[int, ...]) -> npt.NDArray[Any]:
        """Read one chunk; what is beyond the array's edge is cut off."""
        name = f"{self.path}/{self.codec.name(place)}"
        if self.metered:
            # A chunk that is not stored (all fill value) was touched all the same.
            count(Counts(chunks=1))
        lengths = tuple(
            min(size, n - at * size) for at, size, n in zip(place, self.codec.shape, self.whole, strict=True)
        )
        try:
            data = self.store.read(name)
        except MissingFileError:
            stored = self.codec.empty(lengths)
        else:
            chunk = self.codec.decode(data, f"{self.store.location}: {name}")
            stored = chunk if lengths == chunk.shape else chunk[tuple(slice(length) for length in lengths)]
        if not stored.dtype.isnative:
            stored = stored.astype(stored.dtype.newbyteorder("="))
        if self.attributes is None:
            return stored
        dimensions = [f"d{k}" for k in range(stored.ndim)]
        variable = xr.Variable(dimensions, stored, dict(self.attributes))
        return np.asarray(xr.conventions.decode_cf_variable(self.path, variable, decode_times=False).values)


def coded(attributes: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the attributes by which values are decoded, None where there are none."""
    found = {name: attributes[name] for name in _CODED if name in attributes}
    return found or None


def lazy_blocks(blocks: StoredBlocks, name: str, dtype: np.dtype[Any]) -> da.Array:
    """Return a dask array of one task a chunk; ``dtype`` is that of the decoded values."""
    chunks = tuple(
        tuple(min(size, n - start) for start in range(0, n, size))
        for n, size in zip(blocks.whole, blocks.codec.shape, strict=True)
    )
    places = itertools.product(*(range(len(lengths)) for lengths in chunks))
    tasks = {(name, *place): (_read, blocks, place) for place in places}
    graph = HighLevelGraph.from_collections(name, tasks)  # type: ignore[arg-type] # keys of any length
    return da.Array(graph, name, chunks, dtype=dtype)  # type: ignore[no-untyped-call] # dask's


def _read(blocks: StoredBlocks, place: tuple[int, ...]) -> npt.NDArray[Any]:
    """Read one chunk; the body of every reading task."""
    return blocks.read(place)


@dataclass(frozen=True)
class ChunkFiles:
    """An array's chunks as ``dask.array.store`` fills them: each assignment is one whole chunk, one file."""

    folder: str
    """Of the array."""
    whole: tuple[int, ...]
    codec: ChunkCodec

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each dimension."""
        return self.whole

    def __setitem__(self, region: tuple[slice, ...], block: npt.NDArray[Any]) -> None:
        sizes = self.codec.shape
        place = tuple(part.start // size for part, size in zip(region, sizes, strict=True))
        expected = tuple(
            slice(at * size, min((at + 1) * size, n))
            for at, size, n in zip(place, sizes, self.whole, strict=True)
        )
        if any((a.start, a.stop) != (b.start, b.stop) for a, b in zip(region, expected, strict=True)):
            raise ValueError(f"{region} is no chunk of {sizes}: two tasks would write one file")
        packed = self.codec.encode(np.asarray(block)) if block.size else None
        if packed is None:
            return
        target = Path(self.folder, self.codec.name(place))
        if self.codec.separator == "/":
            target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(packed)

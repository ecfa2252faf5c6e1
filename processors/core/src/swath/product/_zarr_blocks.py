"""Zarr arrays of numbers read and written chunk by chunk, without Zarr's own machinery."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from xarray.backends import BackendArray
from xarray.core import indexing

from swath.io.metering import Counts, count
from swath.io.store import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

    from swath.io.store import Store
    from swath.io.zarr_chunks import ChunkCodec
    from swath.io.zarr_shards import Shards

__all__ = ["ChunkFiles", "StoredNumbers"]


class StoredNumbers(BackendArray):
    """An array of a product as xarray reads it lazily; what it tells of itself is named as Zarr names it."""

    def __init__(
        self,
        files: Store,
        path: str,
        document: Mapping[str, Any],
        codec: ChunkCodec,
        metered: AbstractSet[str],
        *,
        held: Shards | None = None,
    ) -> None:
        self.files = files
        self.path = path
        self.metadata = codec
        self.shape: tuple[int, ...] = tuple(document["shape"])
        self.chunks = codec.shape
        self.dtype = codec.dtype.newbyteorder("=")
        self.fill_value = codec.fill
        self.shards = None if held is None else held.shape
        self._held = held
        self._metered = metered

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        """Return what xarray asks for; only the chunks that hold it are read."""
        basic = indexing.IndexingSupport.BASIC
        return indexing.explicit_indexing_adapter(key, self.shape, basic, self._basic)

    def _basic(self, key: tuple[int | slice, ...]) -> Any:
        boxes = [_box(part, length) for part, length in zip(key, self.shape, strict=True)]
        return self._region([(low, high) for low, high, _ in boxes])[tuple(inside for *_, inside in boxes)]

    def _region(self, spans: list[tuple[int, int]]) -> npt.NDArray[Any]:
        """Return a box of the array, put together from its chunks."""
        counts = [
            range(low // size, -(-high // size)) if high > low else range(0)
            for (low, high), size in zip(spans, self.chunks, strict=True)
        ]
        shape = tuple(high - low for low, high in spans)
        places = list(itertools.product(*counts))
        box = None
        for place in places:
            chunk = self._chunk(place)
            cut, at = [], []
            for number, size, (low, high) in zip(place, self.chunks, spans, strict=True):
                first, last = max(number * size, low), min((number + 1) * size, high)
                cut.append(slice(first - number * size, last - number * size))
                at.append(slice(first - low, last - low))
            if len(places) == 1:
                return chunk[tuple(cut)] if chunk.flags.writeable else chunk[tuple(cut)].copy()
            if box is None:
                box = np.empty(shape, self.dtype)
            box[tuple(at)] = chunk[tuple(cut)]
        return np.empty(shape, self.dtype) if box is None else box

    def _chunk(self, place: tuple[int, ...]) -> npt.NDArray[Any]:
        held = self._held
        file = place if held is None else held.shard(place)
        name = f"{self.path}/{self.metadata.encode_chunk_key(file)}"
        if self.path in self._metered:
            # A chunk that is not stored (all fill value) was touched all the same.
            count(Counts(chunks=1))
        try:
            if held is None:
                data = self.files.read(name)
            else:
                found = held.find(self.files, name, place)
                if found is None:
                    return self.metadata.empty()
                data = self.files.read_range(name, *found)
        except MissingFileError:
            return self.metadata.empty()
        return self.metadata.decode(data, f"{self.files.location}: {name}").astype(self.dtype, copy=False)


def _box(part: int | slice, length: int) -> tuple[int, int, int | slice]:
    """Return the first and last (exclusive) index that a key touches, and the key within them.

    Steps are positive: xarray turns the others round before it asks.
    """
    if not isinstance(part, slice):
        index = part % length
        return index, index + 1, 0
    touched = range(*part.indices(length))
    if not touched:
        return 0, 0, slice(0, 0)
    return touched[0], touched[-1] + 1, slice(None, None, touched.step)


@dataclass(frozen=True)
class ChunkFiles:
    """An array's chunks as ``dask.array.store`` fills them: each assignment is one whole chunk, one file."""

    folder: str
    """Of the array."""
    shape: tuple[int, ...]
    """Length of each dimension."""
    codec: ChunkCodec

    def __setitem__(self, region: tuple[slice, ...], block: npt.NDArray[Any]) -> None:
        sizes = self.codec.shape
        place = tuple(part.start // size for part, size in zip(region, sizes, strict=True))
        expected = tuple(
            slice(at * size, min((at + 1) * size, n))
            for at, size, n in zip(place, sizes, self.shape, strict=True)
        )
        if any((a.start, a.stop) != (b.start, b.stop) for a, b in zip(region, expected, strict=True)):
            raise ValueError(f"{region} is no chunk of {sizes}: two tasks would write one file")
        packed = self.codec.encode(np.asarray(block)) if block.size else None
        if packed is None:
            return
        target = Path(self.folder, self.codec.encode_chunk_key(place))
        if self.codec.separator == "/":
            target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(packed)

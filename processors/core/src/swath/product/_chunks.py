"""Stored chunks: what reading one costs is known before it is read, and one task reads one chunk."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import dask.array as da
import numpy as np
import numpy.typing as npt
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from swath.product._ahead import reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import xarray as xr

    from swath.io.store import Store

__all__ = [
    "ENCODING_KEY",
    "ChunkSource",
    "ReadableSource",
    "ahead_bytes",
    "chunk_source",
    "lazy_array",
    "lazy_chunks",
    "stored_array",
    "stored_bytes",
]  # fmt: skip

_ASKERS = 16
"""Sizes that are asked for at once."""

ENCODING_KEY = "chunk_source"
"""Key of a lazily read variable's ``encoding`` under which its :class:`ChunkSource` is found."""


@runtime_checkable
class ChunkSource(Protocol):
    """Where a variable's chunks come from; chunk (i, j) is block (i, j) of its last two dimensions."""

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of the whole."""

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Rows and columns of a chunk; those at the lower and right edges may be smaller."""

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the stored (encoded) bytes that reading a chunk costs, without reading it.

        For a variable of more than two dimensions: of all chunks at that place together.
        """


class ReadableSource(ChunkSource, Protocol):
    """A chunk source that also reads."""

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""

    @property
    def leading(self) -> tuple[int, ...]:
        """Lengths of the dimensions before rows and columns; a chunk holds them whole."""

    def read(self, row: int, column: int) -> npt.NDArray[Any]:
        """Read one chunk, counted once by :mod:`swath.io.metering`."""


def lazy_array(source: ReadableSource, *, scale_factor: float | None = None, add_offset: float = 0.0,
               fill_value: int | None = None) -> da.Array:  # fmt: skip
    """Return a dask array with one task for each stored chunk, decoded where ``scale_factor`` is given.

    Decoded values are ``stored * scale_factor + add_offset`` in float64, NaN where stored is ``fill_value``.
    """
    rows, columns = (_lengths(n, size) for n, size in zip(source.shape, source.chunk_shape, strict=True))
    name = _name(source, scale_factor, add_offset, fill_value)
    coding = None if scale_factor is None else (scale_factor, add_offset, fill_value)
    prefix = (0,) * len(source.leading)
    tasks = {
        (name, *prefix, row, column): (_read, source, row, column, coding)
        for row in range(len(rows))
        for column in range(len(columns))
    }
    dtype = source.dtype if coding is None else np.dtype(np.float64)
    chunks = (*((n,) for n in source.leading), rows, columns)
    graph = HighLevelGraph.from_collections(name, tasks)  # type: ignore[arg-type] # keys of any length
    return da.Array(graph, name, chunks, dtype=dtype)  # type: ignore[no-untyped-call] # dask's


def chunk_source(array: xr.DataArray | xr.Variable) -> ChunkSource | None:
    """Return where the chunks of a lazily read variable come from, or None where there is no such place.

    None for what is in memory, was computed, or was cut or rechunked after opening.
    """
    source: Any = array.encoding.get(ENCODING_KEY)
    if (
        source is None
        or array.ndim < 2
        or array.chunks is None
        or tuple(array.shape[-2:]) != tuple(source.shape)
    ):
        return None
    expected = tuple(_lengths(n, size) for n, size in zip(source.shape, source.chunk_shape, strict=True))
    found: ChunkSource = source
    return found if tuple(array.chunks[-2:]) == expected else None


def lazy_chunks(variable: xr.Variable) -> tuple[tuple[int, ...], ...] | None:
    """Return a variable's chunks, None where it is in memory."""
    # What xarray does to find that out takes longer than all else that is asked of a small array.
    in_memory = isinstance(variable._data, np.ndarray)  # noqa: SLF001
    return None if in_memory else variable.chunks


def stored_array(variable: xr.Variable) -> da.Array | None:
    """Return the stored numbers of a variable that was decoded while it was read, and never changed.

    None of any other one. Written again, such a variable need not be packed: its source has the numbers.
    """
    source: Any = variable.encoding.get(ENCODING_KEY)
    scale_factor = variable.encoding.get("scale_factor")
    if scale_factor is None or lazy_chunks(variable) is None or not hasattr(source, "read"):
        return None
    add_offset, fill_value = (variable.encoding.get(key) for key in ("add_offset", "_FillValue"))
    decoded = _name(source, scale_factor, 0.0 if add_offset is None else add_offset, fill_value)
    told = np.dtype(variable.encoding.get("dtype", source.dtype))
    return lazy_array(source) if variable.data.name == decoded and told == source.dtype else None


def _name(source: ReadableSource, scale_factor: float | None, add_offset: float, fill_value: Any) -> str:
    """Return dask's name of a source's array, decoded or as stored."""
    return "read-" + str(tokenize(source, scale_factor, add_offset, fill_value))


def stored_bytes(source: ChunkSource, places: Iterable[tuple[int, int]]) -> int:
    """Return the stored bytes of several chunks together; of a remote store they are asked for at once."""
    store = getattr(source, "store", None)
    if store is None or not store.remote:
        return sum(source.chunk_bytes(*place) for place in places)
    with ThreadPoolExecutor(_ASKERS, thread_name_prefix="swath-sizes") as pool:
        return sum(pool.map(lambda place: source.chunk_bytes(*place), places))


def ahead_bytes(amounts: Iterable[tuple[ChunkSource, int]]) -> int:
    """Return the most bytes of stored chunks that a process holds which were read ahead of their decoding.

    Parameters
    ----------
    amounts
        Sources, each with the stored bytes that will be read of it. Those of stores that are not remote are
        read when they are decoded, and do not count.
    """
    stores: dict[int, tuple[Store, int]] = {}
    for source, number in amounts:
        store: Store | None = getattr(source, "store", None)
        if store is not None and store.held:
            stores[id(store)] = store, number + stores.get(id(store), (store, 0))[1]
    # A gap that saves a request is read, too, and an answer is there in pieces before it is one.
    return sum(min(store.held, 2 * number) for store, number in stores.values())


def source_encoding(source: ChunkSource, encoding: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return a variable's encoding that carries its chunk source."""
    return {**(encoding or {}), ENCODING_KEY: source}


@reads(lambda row, column, *_: (row, column))
def _read(
    source: ReadableSource, row: int, column: int, coding: tuple[float, float, int | None] | None
) -> npt.NDArray[Any]:
    """Read one chunk and decode it; the body of every reading task."""
    stored = source.read(row, column)
    if coding is None:
        return stored
    scale_factor, add_offset, fill_value = coding
    decoded = stored * np.float64(scale_factor)
    decoded += add_offset
    if fill_value is not None:
        decoded[stored == fill_value] = np.nan
    return decoded


def _lengths(total: int, size: int) -> tuple[int, ...]:
    """Cut a length into chunks of a size, the last one smaller where it does not fit."""
    return tuple(min(size, total - start) for start in range(0, total, size))

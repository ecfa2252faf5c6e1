"""Zarr stores laid out from prepared datasets: all documents first and once, then the chunks in parallel."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import xarray as xr

from swath.io.small_files import make_folders, write_files
from swath.io.zarr_chunks import ChunkCodec, blosc
from swath.io.zarr_documents import ArrayLayout, Documents, array_document, write_documents
from swath.product._encode import encoded
from swath.product._prepare import STORED_KEY, plain
from swath.product._shards import inner_chunks
from swath.product._zarr_blocks import ChunkFiles

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["StoredArray", "lay_out_store", "write_arrays"]

_WRITERS = 8
"""Arrays in memory that are written at once."""


@dataclass(frozen=True, slots=True)
class StoredArray:
    """An array that was laid out and has to be filled."""

    path: str
    """In the store."""
    data: Any
    """What is to be written, encoded: a numpy array, or a dask one whose chunks are whole stored files."""
    document: Mapping[str, Any]
    """Zarr's metadata of it."""

    @property
    def lazy(self) -> bool:
        """Whether the data are to be computed."""
        return isinstance(self.data, da.Array)

    @property
    def whole(self) -> bool:
        """Whether the data are in memory, one chunk, and no text of variable length."""
        held = isinstance(self.data, np.ndarray) and self.data.dtype.kind != "O" and self.data.size > 0
        return held and not any(c["name"] == "sharding_indexed" for c in self.document.get("codecs", []))


def lay_out_store(
    datasets: Mapping[str, xr.Dataset], directory: Path, *, zarr_format: int = 2, shards: bool = True
) -> list[StoredArray]:
    """Write the metadata of a whole product, consolidated once, and return the arrays to fill.

    Parameters
    ----------
    datasets
        Path of a group → its dataset, as :func:`swath.product.prepare_dataset` returns it. Groups between
        them and the root are made.
    directory
        Of the store; it exists.
    zarr_format
        2 or 3.
    shards
        In format 3: put several small chunks into one file where chunks are large.
    """
    groups: dict[str, dict[str, Any]] = {"": {}}
    arrays: dict[str, Any] = {}
    stored = []
    for node, dataset in datasets.items():
        path = node.strip("/")
        steps = path.split("/") if path else []
        for depth in range(len(steps)):
            groups.setdefault("/".join(steps[: depth + 1]), {})
        variables, attributes = xr.conventions.encode_dataset_coordinates(dataset)
        groups[path] = plain(attributes)
        for name, variable in variables.items():
            place = f"{path}/{name}".lstrip("/")
            array = _stored(place, variable, zarr_format, shards=shards)
            arrays[place] = array.document
            stored.append(array)
    write_documents(directory, Documents(zarr_format, dict(sorted(groups.items())), arrays))
    return stored


def _stored(path: str, variable: xr.Variable, zarr_format: int, *, shards: bool) -> StoredArray:
    files = tuple(variable.encoding.pop("chunks"))
    # Zarr has a type for truth values, which CF has not.
    known = variable.dtype.kind == "b"
    name, packed = variable.encoding.pop(STORED_KEY, ("", None))
    stored = variable if known else encoded(variable, path)
    data = packed if packed is not None and getattr(variable.data, "name", "") == name else stored.data
    if data.dtype.kind in "UOTS":
        data = _text(np.asarray(data), zarr_format)
    attributes = dict(stored.attrs)
    fill_value = attributes.pop("_FillValue", None)
    if zarr_format == 3 and fill_value is not None:
        from xarray.backends.zarr import FillValueCoder  # noqa: PLC0415 -- imports zarr

        # In format 3 xarray takes the mask from an attribute, encoded its own way.
        attributes["_FillValue"] = FillValueCoder.encode(fill_value, data.dtype)
    inner = inner_chunks(files) if zarr_format == 3 and shards and data.dtype.kind not in "UOT" else files
    outer = (
        None if inner == files else tuple(-(-n // size) * size for n, size in zip(files, inner, strict=True))
    )
    if outer is not None and isinstance(data, da.Array):
        data = data.rechunk(outer)  # type: ignore[no-untyped-call] # dask's
    layout = ArrayLayout(
        shape=data.shape,
        chunks=inner,
        dtype=data.dtype,
        dimensions=tuple(map(str, stored.dims)),
        shards=outer,
        fill_value=fill_value,
        attributes=plain(attributes),
    )
    return StoredArray(path, data, array_document(layout, zarr_format))


def _text(data: np.ndarray[Any, Any], zarr_format: int) -> np.ndarray[Any, Any]:
    """Return text as the format has it: of fixed length in 2, of variable length in 3."""
    if data.dtype.kind == "S":
        data = np.char.decode(data, "utf-8")
    fixed = np.array(data.tolist(), dtype=str).reshape(data.shape)
    return fixed if zarr_format == 2 else fixed.astype(object)


def write_arrays(stored: Iterable[StoredArray], directory: Path) -> None:
    """Write the chunks of arrays: those in memory, then those to be computed, on dask's scheduler."""
    import zarr  # noqa: PLC0415 -- slow to import
    from zarr.storage import LocalStore, StorePath  # noqa: PLC0415

    store = LocalStore(directory)
    stored = list(stored)
    write_files(directory, dict(_whole_files(array, directory) for array in stored if array.whole))
    ready: list[tuple[Any, Any]] = []
    lazy: list[tuple[Any, Any]] = []
    for array in stored:
        if array.whole:
            continue
        codec = ChunkCodec.of(array.document) if array.lazy else None
        target: Any
        if codec is not None:
            target = ChunkFiles(str(directory / array.path), array.data.shape, codec)
        else:
            target = zarr.Array.from_dict(StorePath(store, array.path), dict(array.document))
        (lazy if array.lazy else ready).append((array.data, target))

    def fill(pair: tuple[Any, Any]) -> None:
        data, target = pair
        target[...] = data

    with ThreadPoolExecutor(_WRITERS, thread_name_prefix="swath-arrays") as pool:
        for _ in pool.map(fill, ready):
            pass  # the first error is raised here
    if lazy:
        sources, targets = zip(*lazy, strict=True)
        da.store(list(sources), list(targets), lock=False)


def _whole_files(array: StoredArray, directory: Path) -> tuple[str, bytes]:
    """Return name and bytes of the one chunk of an array in memory: products have hundreds of them."""
    data = np.ascontiguousarray(array.data, array.data.dtype.newbyteorder("<"))
    zeros = ["0"] * array.data.ndim
    two = array.document["zarr_format"] == 2
    name = (".".join(zeros) or "0") if two else "/".join(["c", *zeros])
    if len(zeros) and not two:
        make_folders(directory, {f"{array.path}/{name.rpartition('/')[0]}"})
    return f"{array.path}/{name}", data.tobytes() if data.dtype.kind == "U" else blosc("zstd", 3, 2).encode(
        data
    )

"""Opening Zarr products in the layout of EOPF, format 2 or 3."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from swath.errors import MetadataError, ProductError, SwathError
from swath.io.store import open_store
from swath.io.zarr_chunks import ChunkCodec
from swath.io.zarr_documents import ROOTS, Documents, read_documents
from swath.io.zarr_shards import Shards
from swath.product._ahead import reads
from swath.product._chunks import source_encoding
from swath.product._grid_mapping import without_grid_mapping
from swath.product._overviews import overview_groups, plain_attributes
from swath.product._prepare import own_attributes
from swath.product._vocabulary import placed
from swath.product._zarr_blocks import StoredNumbers
from swath.product._zarr_chunks import ZarrChunks

if TYPE_CHECKING:
    import os
    from collections.abc import Collection, Mapping

    import zarr

    from swath.io.store import Store
    from swath.io.zarr import StoreView
    from swath.io.zarr_documents import Document

__all__ = ["EOPF_ZARR", "RESULT_STORE", "EopfZarrReader", "open_overviews"]

RESULT_STORE = "product.zarr"
"""Name of the Zarr store in the folder that a run leaves; the folder can be opened in its place."""

_IMAGES = (("y", "x"), ("rows", "columns"))
"""Last two dimensions of images, whose chunks are planned and counted."""

_DIMENSIONS = "_ARRAY_DIMENSIONS"
"""Attribute that names the dimensions in format 2."""

_MAX_CHUNKS = 1 << 20
"""More chunks than any array of a product has."""

_MAX_CHUNK = 1 << 32
"""Bytes that no product's chunk has, unpacked: Blosc packs at most half of that. Chunks are read whole."""

_MAX_IN_MEMORY = 1 << 28
"""Bytes of a coordinate, or of text: those are read when a product is opened."""

_TEXT = "SUOT"
"""Kinds of types whose fill value is no mark of missing values."""


class EopfZarrReader:
    """Reads EOPF Zarr; see :class:`swath.product.Reader`."""

    looks_for = f"an EOPF Zarr product (a group with one of {', '.join(ROOTS)})"

    def can_read(self, store: Store) -> bool:
        """Tell whether the root is a Zarr group, or the folder that a run leaves."""
        return any(store.exists(name) or store.exists(f"{RESULT_STORE}/{name}") for name in ROOTS)

    def open(self, store: Store) -> xr.DataTree:
        """Return the product as a lazy tree. Reads consolidated metadata and coordinates."""
        if not any(store.exists(name) for name in ROOTS):
            store = store.folder(RESULT_STORE)
        documents = read_documents(store)
        if "stac_discovery" not in documents.groups[""]:
            raise ProductError(
                f"{store.location} is a Zarr group but no EOPF product: its root lacks the attribute "
                f"stac_discovery. "
                "Open other Zarr with xarray.open_datatree"
            )
        levels = overview_groups(documents.groups)
        return placed(open_documents(store, _chosen(documents, documents.groups.keys() - levels)))


EOPF_ZARR = EopfZarrReader()


def open_overviews(location: str | os.PathLike[str]) -> xr.DataTree:
    """Open the overviews of a Zarr product that has them, lazily.

    Returns
    -------
    xarray.DataTree
        The groups of the levels, under the paths that they have in the product:
        ``measurements/reflectance/overviews/r10m/2`` is ``measurements/reflectance/r10m`` at half the size.

    Raises
    ------
    ProductError
        It is no Zarr product, or has no overviews.
    """
    store = open_store(location)
    if not any(store.exists(name) for name in ROOTS) and EOPF_ZARR.can_read(store):
        store = store.folder(RESULT_STORE)
    documents = read_documents(store)
    levels = overview_groups(documents.groups)
    if not levels:
        raise ProductError(
            f"{store.location} has no overviews: write it with overviews (swath convert --overviews)"
        )
    above = {str(parent) for path in levels for parent in PurePosixPath(path).parents if str(parent) != "."}
    kept = Documents(
        documents.zarr_format,
        {path: attributes for path, attributes in documents.groups.items() if path in {"", *above, *levels}},
        {path: array for path, array in documents.arrays.items() if path.rpartition("/")[0] in levels},
    )
    return open_documents(store, kept)


def _chosen(documents: Documents, groups: Collection[str]) -> Documents:
    """Return the documents of some groups, without what overviews add to their attributes."""
    return Documents(
        documents.zarr_format,
        {path: plain_attributes(documents.groups[path]) for path in documents.groups if path in groups},
        {path: array for path, array in documents.arrays.items() if path.rpartition("/")[0] in groups},
    )


def open_documents(store: Store, documents: Documents) -> xr.DataTree:
    """Return a Zarr group as a lazy tree, from its documents alone and the chunks of coordinates.

    Raises
    ------
    MetadataError
        A document makes no sense.
    """
    from swath.io.zarr import StoreView  # noqa: PLC0415 -- imports zarr, which is slow

    view = StoreView(store)
    inside: dict[str, dict[str, Document]] = {path: {} for path in documents.groups}
    for path, document in documents.arrays.items():
        group, _, name = path.rpartition("/")
        inside[group][name] = document
    _warm_coordinates(store, documents)
    datasets = {}
    for group, arrays in inside.items():
        try:
            datasets[f"/{group}"] = _dataset(group, documents.groups[group], arrays, view)
        except (SwathError, OSError):
            raise
        except Exception as error:
            raise MetadataError(
                f"{store.location}: its Zarr metadata cannot be read (in group /{group}, "
                f"{type(error).__name__}: {error}); get it again"
            ) from error
    return xr.DataTree.from_dict(datasets)


def _warm_coordinates(store: Store, documents: Documents) -> None:
    """Read the coordinates at once, where the store is remote: they are small, and in files of their own."""
    if not store.remote:
        return
    names = []
    for path, document in documents.arrays.items():
        own = path.rpartition("/")[2]
        told = document["attributes"].get(_DIMENSIONS) if documents.zarr_format == 2 else None
        if list(told or document.get("dimension_names") or []) == [own]:
            names += [f"{path}/0" if documents.zarr_format == 2 else f"{path}/c/0"]
    store.warm([(name, 0, None) for name in names])


def _dataset(
    group: str, attributes: Mapping[str, Any], arrays: Mapping[str, Document], view: StoreView
) -> xr.Dataset:
    """Return a group's arrays, decoded, lazy but for the coordinates that index a dimension."""
    opened = {name: _array(f"{group}/{name}".strip("/"), document, view) for name, document in arrays.items()}
    for array in opened.values():
        _refuse_impossible_chunks(array, view)
    raw = {name: _raw(array, arrays[name]) for name, array in opened.items()}
    decoded, attributes, coordinates = xr.conventions.decode_cf_variables(raw, dict(attributes))
    variables = {}
    for name, variable in without_grid_mapping(decoded).items():
        variable.attrs = own_attributes(variable.attrs)
        if variable.dims == (name,):
            coordinates = coordinates | {name}
            variables[name] = _fixed_text(_small(variable, opened.get(str(name)), view).compute())
            continue
        lazy = _chunked(variable, opened[name], arrays[name], view)
        text = lazy.dtype.kind in "OT"
        variables[name] = _fixed_text(_small(lazy, opened[name], view).compute()) if text else lazy
    values = {name: variable for name, variable in variables.items() if name not in coordinates}
    return xr.Dataset(
        values, {name: variables[name] for name in coordinates if name in variables}, attributes
    )


def _refuse_impossible_chunks(array: zarr.Array[Any] | StoredNumbers, view: StoreView) -> None:
    """Refuse more chunks than there can be, each of which is a task, or larger ones than can be read."""
    pairs = zip(array.shape, array.chunks, strict=True)
    number = math.prod(math.ceil(n / max(size, 1)) for n, size in pairs)
    if number > _MAX_CHUNKS:
        raise MetadataError(
            f"{view.files.location}: {array.path} claims {number} chunks, expected at most {_MAX_CHUNKS}; "
            "get the product again"
        )
    size = math.prod(map(min, array.shape, array.chunks)) * array.dtype.itemsize
    if size > _MAX_CHUNK:
        raise MetadataError(
            f"{view.files.location}: {array.path} claims chunks of {size} bytes, expected at most "
            f"{_MAX_CHUNK}; get the product again"
        )


def _small(
    variable: xr.Variable, array: zarr.Array[Any] | StoredNumbers | None, view: StoreView
) -> xr.Variable:
    """Return what is read when a product is opened, or refuse it where it claims more than that can be."""
    if array is not None and variable.nbytes > _MAX_IN_MEMORY:
        raise MetadataError(
            f"{view.files.location}: {array.path} claims {variable.nbytes} bytes of coordinates or text, "
            f"expected at "
            f"most {_MAX_IN_MEMORY}; get the product again"
        )
    return variable


def _array(path: str, document: Document, view: StoreView) -> zarr.Array[Any] | StoredNumbers:
    """Return the array of a document that was read already: nothing is read again.

    Zarr's own machinery is left to arrays that need it.
    """
    held = _shards(document)
    codec = ChunkCodec.of(document if held is None else held.inside(document))
    if codec is not None:
        return StoredNumbers(view.files, path, document, codec, view.metered, held=held)
    import zarr  # noqa: PLC0415 -- slow to import
    from zarr.storage import StorePath  # noqa: PLC0415

    return zarr.Array.from_dict(StorePath(view, path), dict(document))


def _shards(document: Document) -> Shards | None:
    return None if document["zarr_format"] == 2 else Shards.of(document)


def _raw(array: zarr.Array[Any] | StoredNumbers, document: Document) -> xr.Variable:
    """Return an array as stored, lazy, with its fill value where CF looks for it."""
    from xarray.backends.zarr import FillValueCoder, ZarrArrayWrapper  # noqa: PLC0415 -- imports zarr

    attributes = dict(document["attributes"])
    if document["zarr_format"] == 2:
        dimensions = attributes.pop(_DIMENSIONS)
        if array.fill_value is not None and array.dtype.kind not in _TEXT:
            attributes["_FillValue"] = array.fill_value
    else:
        dimensions = document["dimension_names"] or ()  # of one value other writers say null
        if "_FillValue" in attributes:
            attributes["_FillValue"] = FillValueCoder.decode(attributes["_FillValue"], array.dtype)
    stored = array if isinstance(array, StoredNumbers) else ZarrArrayWrapper(array)  # type: ignore[no-untyped-call] # xarray's
    data = xr.core.indexing.LazilyIndexedArray(stored)
    encoding = {"chunks": array.chunks, "shards": array.shards}
    return xr.Variable(dimensions, data, attributes, encoding)


def _chunked(
    variable: xr.Variable, array: zarr.Array[Any] | StoredNumbers, document: Document, view: StoreView
) -> xr.Variable:
    """Return a variable with one dask task a stored chunk, and its chunk source where it is an image."""
    held = _shards(document)
    # Shards whose index is unlike any that is known here are read by Zarr, a whole file at a time.
    chunks = array.shards if array.shards is not None and held is None else array.chunks
    source = ZarrChunks(view.files, array.path, array.metadata, array.shape, chunks, held)
    lazy = _lazy(variable, source)
    if variable.dims[-2:] in _IMAGES:
        lazy.encoding = source_encoding(source, lazy.encoding)
        view.metered.add(source.path)
    return lazy


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A variable that reads and decodes what is taken of it.

    Dask's cluster names graphs by what is in them, and would read all of a plain variable to do so.
    """

    variable: xr.Variable
    name: str
    """Of its dask array."""

    def __dask_tokenize__(self) -> str:
        return self.name


def _lazy(variable: xr.Variable, source: ZarrChunks) -> xr.Variable:
    """Return a variable as a dask array with one task a stored chunk."""
    bounds = [
        [(start, min(start + size, n)) for start in range(0, n, size)] or [(0, 0)]
        for n, size in zip(source.whole, source.chunks, strict=True)
    ]
    name = f"read-{tokenize(source.store.identity, source.path, source.whole, source.chunks)}"
    decoded = _Decoded(variable, name)
    tasks: dict[Any, Any] = {}
    places = itertools.product(*(range(len(axis)) for axis in bounds))
    regions = itertools.product(*([slice(*ends) for ends in axis] for axis in bounds))
    for place, region in zip(places, regions, strict=True):
        tasks[(name, *place)] = (_read, source, place, decoded, region)
    graph = HighLevelGraph.from_collections(name, tasks)
    chunks = tuple(tuple(stop - start for start, stop in axis) for axis in bounds)
    data = da.Array(graph, name, chunks, dtype=variable.dtype)  # type: ignore[no-untyped-call] # dask's
    return xr.Variable(variable.dims, data, variable.attrs, variable.encoding)


@reads(lambda place, *_: place)
def _read(
    source: ZarrChunks, place: tuple[int, ...], decoded: _Decoded, region: tuple[slice, ...]
) -> npt.NDArray[Any]:
    """Read one chunk and decode it; the body of every reading task."""
    del place  # it is for whoever reads ahead
    try:
        found: npt.NDArray[Any] = np.asarray(decoded.variable[region].values)
    except (SwathError, OSError):
        raise
    except Exception as error:
        raise ProductError(
            f"{source.store.location}: a chunk of {source.path} is corrupt or truncated "
            f"({type(error).__name__}: {error}); get the product again"
        ) from error
    return found


def _fixed_text(variable: xr.Variable) -> xr.Variable:
    """Return text of variable length, as format 3 has it, as numpy's own text, as format 2 has it."""
    if variable.dtype.kind not in "OT":
        return variable
    text = np.array(variable.values.tolist(), dtype=str).reshape(variable.shape)
    return xr.Variable(variable.dims, text, variable.attrs)

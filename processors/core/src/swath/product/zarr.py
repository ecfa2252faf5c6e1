"""Opening Zarr products in the layout of EOPF, format 2 or 3."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.errors import MetadataError, ProductError
from swath.io.store import open_store
from swath.product._chunks import source_encoding

if TYPE_CHECKING:
    from collections.abc import Hashable

    import zarr

    from swath.io.store import Store
    from swath.io.zarr import StoreView

__all__ = ["EOPF_ZARR", "RESULT_STORE", "EopfZarrReader"]

RESULT_STORE = "product.zarr"
"""Name of the Zarr store in the folder that a run leaves; the folder can be opened in its place."""

_ROOTS = (".zmetadata", ".zgroup", "zarr.json")


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

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.whole[-2], self.whole[-1]

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Rows and columns of a chunk."""
        return self.chunks[-2], self.chunks[-1]

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the stored bytes of a chunk; 0 where all of it is the fill value and it is not stored."""
        pairs = zip(self.whole[:-2], self.chunks[:-2], strict=True)
        leading = itertools.product(*(range(math.ceil(n / size)) for n, size in pairs))
        keys = (self.metadata.encode_chunk_key((*place, row, column)) for place in leading)
        names = [f"{self.path}/{key}" for key in keys]
        return sum(self.store.size(name) for name in names if self.store.exists(name))


class EopfZarrReader:
    """Reads EOPF Zarr; see :class:`swath.product.Reader`."""

    looks_for = f"an EOPF Zarr product (a group with one of {', '.join(_ROOTS)})"

    def can_read(self, store: Store) -> bool:
        """Tell whether the root is a Zarr group, or the folder that a run leaves."""
        return any(store.exists(name) or store.exists(f"{RESULT_STORE}/{name}") for name in _ROOTS)

    def open(self, store: Store) -> xr.DataTree:
        """Return the product as a lazy tree. Reads consolidated metadata and coordinates."""
        import zarr  # noqa: PLC0415 -- slow to import, and this reader is asked about each product

        from swath.io.zarr import StoreView  # noqa: PLC0415

        if not any(store.exists(name) for name in _ROOTS):
            store = open_store(f"{store.location}/{RESULT_STORE}")
        view = StoreView(store)
        try:
            root = zarr.open_group(view, mode="r")
            tree = xr.open_datatree(view, engine="zarr", chunks={})  # type: ignore[arg-type] # a Zarr store will do
        except (ValueError, KeyError, TypeError) as error:
            raise MetadataError(
                f"{store.location}: its Zarr metadata cannot be read ({error}); get it again"
            ) from error
        if "stac_discovery" not in tree.attrs:
            raise ProductError(
                f"{store.location} is a Zarr group but no EOPF product: its root lacks the attribute "
                f"stac_discovery. "
                "Open other Zarr with xarray.open_datatree"
            )
        datasets = {
            node.path: _with_sources(node.to_dataset(inherit=False), node.path, root, view)
            for node in tree.subtree
        }
        return xr.DataTree.from_dict(datasets)


EOPF_ZARR = EopfZarrReader()


def _with_sources(dataset: xr.Dataset, path: str, root: zarr.Group, view: StoreView) -> xr.Dataset:
    """Attach the chunk source of each image, and leave out what only Zarr products tell of themselves."""
    for name, variable in dataset.variables.items():
        for told in ("_eopf_attrs", "_CRS"):
            variable.attrs.pop(told, None)
        if variable.chunks is not None and variable.dims[-2:] == ("y", "x"):
            source = _source(f"{path}/{name}".strip("/"), name, root, view)
            variable.encoding = source_encoding(source, variable.encoding)
            view.metered.add(source.path)
    text = [name for name, variable in dataset.variables.items() if variable.dtype.kind in "OT"]
    return dataset.assign({name: _fixed_text(dataset[name]) for name in text}) if text else dataset


def _fixed_text(array: xr.DataArray) -> xr.DataArray:
    """Return text of variable length, as format 3 has it, as numpy's own text, as format 2 has it."""
    return xr.DataArray(np.array(array.values.tolist(), dtype=str), dims=array.dims, attrs=array.attrs)


def _source(path: str, name: Hashable, root: zarr.Group, view: StoreView) -> ZarrChunks:
    array: Any = root[path]
    if not hasattr(array, "chunks"):
        raise MetadataError(f"{view.files.location}: {path} is no array, though {name} is read from it")
    return ZarrChunks(view.files, path, array.metadata, array.shape, array.shards or array.chunks)

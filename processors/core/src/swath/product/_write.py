"""Writing products as Zarr in the layout of EOPF, all or nothing."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dask
import dask.threaded
import numpy as np
import xarray as xr
from dask.base import get_scheduler

from swath.errors import InputError, RunError, SwathError
from swath.io.commit import new_product
from swath.product._chunks import ENCODING_KEY, chunk_source

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["check_sources", "consolidate", "prepare_dataset", "write_product"]

_KEPT = ("dtype", "scale_factor", "add_offset", "_FillValue", "units", "calendar")
"""What of a variable's encoding is written as it was read."""


def write_product(
    tree: xr.DataTree, destination: str | os.PathLike[str], *, zarr_format: int = 2, overwrite: bool = False
) -> None:
    """Write a product as Zarr in the layout of EOPF, chunk by chunk; it appears when it is complete.

    Numbers are packed as the variables' encodings say (integers with scale, offset and fill value),
    compressed with Blosc (zstd 3, bit shuffle), in the chunks of the lazy arrays; metadata is consolidated.
    Memory is bounded by the chunks in flight.

    Parameters
    ----------
    tree
        A product, as :func:`swath.open_product` returns it.
    destination
        Directory that shall appear.
    zarr_format
        2, as EOPF products have it and GDAL reads it, or 3.
    overwrite
        Replace what exists under that name, once the new product is complete.

    Raises
    ------
    InputError
        The format is unknown, or a source file is found truncated before anything is written.
    DestinationError
        The destination exists, or cannot be one.
    RunError
        A chunk could not be decoded or computed; nothing is left.
    WriteError
        The system refused to write; nothing is left.
    """
    if zarr_format not in (2, 3):
        raise InputError(f"Zarr format {zarr_format!r} is unknown: give 2 or 3")
    check_sources(tree)
    datasets = {
        node.path: prepare_dataset(node.to_dataset(inherit=False), zarr_format=zarr_format)
        for node in tree.subtree
    }
    with new_product(destination, overwrite) as partial, _failures_named(), _own_threads():
        xr.DataTree.from_dict(datasets).to_zarr(
            str(partial), mode="w", zarr_format=zarr_format, consolidated=False, write_inherited_coords=True
        )
        consolidate(partial)


def check_sources(tree: xr.DataTree) -> int:
    """Make sure that all chunks of all sources are there, and return what reading them costs in bytes."""
    total = 0
    for node in tree.subtree:
        for array in node.data_vars.values():
            source = chunk_source(array)
            if source is not None:
                rows, columns = (
                    -(-n // size) for n, size in zip(source.shape, source.chunk_shape, strict=True)
                )
                total += sum(source.chunk_bytes(i, j) for i in range(rows) for j in range(columns))
    return total


def consolidate(directory: Path) -> None:
    """Put the metadata of all groups and arrays together at the root, so that opening is one read."""
    import zarr  # noqa: PLC0415 -- not needed to prepare

    with warnings.catch_warnings():
        # Format 3 has no words for consolidated metadata yet; readers that do not know it leave it aside.
        warnings.filterwarnings("ignore", message="Consolidated metadata is currently not part")
        zarr.consolidate_metadata(str(directory))


def prepare_dataset(dataset: xr.Dataset, *, zarr_format: int = 2) -> xr.Dataset:
    """Return a dataset encoded and described as those of EOPF products, ready for ``to_zarr``."""
    prepared = dataset.copy()
    for name in list(prepared.variables):
        variable = prepared.variables[name].copy(deep=False)
        variable.encoding = _encoding(variable, zarr_format)
        if name in dataset.data_vars:
            described = {"dimensions": [str(dim) for dim in variable.dims], **_packing(variable)}
            described["coordinates"] = sorted(str(n) for n in dataset[name].coords)
            variable.attrs = {**variable.attrs, "_eopf_attrs": described, **_reference_system(variable)}
            prepared[name] = (variable.dims, _regular(variable), variable.attrs, variable.encoding)
        else:
            data = _text(variable.data, zarr_format)
            prepared = prepared.assign_coords(
                {name: (variable.dims, data, variable.attrs, variable.encoding)}
            )
    return prepared


def _text(data: Any, zarr_format: int) -> Any:
    """Return text as format 3 has it: of variable length; its specification has none of fixed length."""
    return data.astype(object) if zarr_format == 3 and data.dtype.kind == "U" else data


def _packing(variable: xr.Variable) -> dict[str, Any]:
    """Return how a variable is packed, and its flags, as ``_eopf_attrs`` repeats them."""
    encoding, attributes = variable.encoding, variable.attrs
    packing = {key: float(encoding[key]) for key in ("scale_factor", "add_offset") if key in encoding}
    if packing and "_FillValue" in encoding:
        packing["fill_value"] = np.asarray(encoding["_FillValue"]).item()
    return packing | {
        key: attributes[key] for key in ("flag_masks", "flag_meanings", "units") if key in attributes
    }


def _reference_system(variable: xr.Variable) -> dict[str, Any]:
    """Return the reference system where GDAL's Zarr driver looks for it; it does not read ``proj:epsg``."""
    epsg = variable.attrs.get("proj:epsg")
    return {"_CRS": {"url": f"http://www.opengis.net/def/crs/EPSG/0/{epsg}"}} if epsg else {}


def _encoding(variable: xr.Variable, zarr_format: int) -> dict[str, Any]:
    encoding = {key: variable.encoding[key] for key in _KEPT if key in variable.encoding}
    chunks = _chunks(variable)
    if chunks is not None:
        encoding["chunks"] = chunks
    if variable.dtype.kind in "UOT":
        encoding.pop("dtype", None)
        return encoding
    if zarr_format == 2:
        # One of the two is needed; numcodecs ships no types.
        from numcodecs import Blosc  # type: ignore[import-untyped]  # noqa: PLC0415

        encoding["compressors"] = (Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE),)
    else:
        from zarr.codecs import BloscCodec  # noqa: PLC0415

        size = np.dtype(encoding.get("dtype", variable.dtype)).itemsize
        codec = BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle", typesize=size)
        encoding["compressors"] = (codec,)
    return encoding


def _chunks(variable: xr.Variable) -> tuple[int, ...] | None:
    """Return the chunks to write: those of the encoding while they fit, or else those of the lazy array."""
    if variable.chunks is None:
        return tuple(variable.shape) if variable.shape and variable.size else None
    told = variable.encoding.get("chunks")
    if told is not None and len(told) == variable.ndim and ENCODING_KEY not in variable.encoding:
        return tuple(min(int(size), n) for size, n in zip(told, variable.shape, strict=True))
    # A window cuts the first chunk: the largest one is the stored size.
    return tuple(max(lengths) for lengths in variable.chunks)


def _regular(variable: xr.Variable) -> Any:
    """Return the data in the chunks that are written, so that no two tasks write one chunk."""
    if variable.chunks is None:
        return variable.data
    return variable.data.rechunk(variable.encoding["chunks"])


@contextmanager
def _failures_named() -> Iterator[None]:
    """Tell a failure of a codec or of a user's own function as one of the run; others are told already."""
    try:
        yield
    except (SwathError, OSError):
        raise
    except Exception as error:
        raise RunError(
            f"a chunk could not be computed: {type(error).__name__}: {error}. Is the product corrupt?"
        ) from error


@contextmanager
def _own_threads() -> Iterator[None]:
    """Compute on threads of our own, so that all have ended before a partial product is removed.

    Where the user chose another scheduler (a cluster), that one is left in place.
    """
    chosen = get_scheduler()  # type: ignore[no-untyped-call] # dask's
    if chosen not in (None, dask.threaded.get):
        yield
        return
    pool = ThreadPoolExecutor(dask.config.get("num_workers", None) or os.cpu_count())
    try:
        with dask.config.set(scheduler="threads", pool=pool):
            yield
    finally:
        pool.shutdown(wait=True, cancel_futures=True)

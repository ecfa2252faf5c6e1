"""Writing products as Zarr in the layout of EOPF, all or nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import product
from typing import TYPE_CHECKING

import dask
import dask.local
import dask.threaded
from dask.base import get_scheduler
from dask.system import CPU_COUNT

from swath.errors import InputError, RunError, SwathError
from swath.io.commit import new_product
from swath.product._chunks import chunk_source, stored_bytes
from swath.product._layout import lay_out_store, write_arrays
from swath.product._overviews import add_overviews
from swath.product._prepare import prepare_dataset
from swath.product._vocabulary import without_extras

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    import xarray as xr

__all__ = ["check_sources", "computing", "on_a_cluster", "write_product"]


def write_product(
    tree: xr.DataTree, destination: str | os.PathLike[str], *, zarr_format: int = 2, overwrite: bool = False,
    shards: bool = True, overviews: bool = False, extras: bool = True,
) -> None:  # fmt: skip
    """Write a product as Zarr in the layout of EOPF, chunk by chunk; it appears when it is complete.

    Numbers are packed as the variables' encodings say (integers with scale, offset and fill value),
    compressed with Blosc (zstd 3, bit shuffle), in the chunks of the lazy arrays; metadata is consolidated.
    In format 3, large chunks become shards that hold small ones. Memory is bounded by the chunks in flight.

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
    shards
        In format 3: one file holds several chunks of about 366 pixels a side where the lazy array's chunks
        are larger. Turn it off for one chunk a file.
    overviews
        Write images that are on a grid again at half the size, a quarter, and so on, and tell them by the
        attributes of GeoZarr. They are no part of the product: opening it leaves them out, and
        :func:`swath.product.open_overviews` opens them.
    extras
        Say what other programs look for: grid mappings of CF, ``proj`` fields of each image, GDAL's reference
        systems. Turn it off for what products of eopf have, which ``eopf validate`` takes for granted.

    Raises
    ------
    InputError
        The format is unknown, there is nothing to make overviews of, or a source file is found truncated
        before anything is written.
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
    tree = add_overviews(tree) if overviews else tree
    datasets = {node.path: prepare_dataset(node.to_dataset(inherit=True)) for node in tree.subtree}
    if not extras:
        datasets = without_extras(datasets)
    with new_product(destination, overwrite) as partial, computing():
        write_arrays(lay_out_store(datasets, partial, zarr_format=zarr_format, shards=shards), partial)


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
                total += stored_bytes(source, product(range(rows), range(columns)))
    return total


@contextmanager
def computing() -> Iterator[None]:
    """Compute on threads of our own, and tell failures of computing as those of a run."""
    with _failures_named(), _own_threads():
        yield


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
    pool = ThreadPoolExecutor(dask.config.get("num_workers", None) or CPU_COUNT)
    try:
        with dask.config.set(scheduler="threads", pool=pool):
            yield
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def on_a_cluster() -> bool:
    """Tell whether the user chose a scheduler that may compute, and keep what it computed, elsewhere."""
    chosen = get_scheduler()  # type: ignore[no-untyped-call] # dask's
    return chosen not in (None, dask.threaded.get, dask.local.get_sync)

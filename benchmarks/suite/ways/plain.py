"""The way of xarray with dask and zarr, as a user writes it without Swath."""

# ruff: noqa: PLC0415 -- imports belong to what goes before

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from suite.job import CLASSES, CLEAR, GROUP, Job

if TYPE_CHECKING:
    from collections.abc import Callable

TEN = f"/{GROUP}/r10m"


def _open(path: Any) -> xr.DataTree:
    return xr.open_datatree(path, engine="zarr", chunks={})


def _codec() -> Any:
    from numcodecs import Blosc

    return Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE)


def _written(tree: xr.DataTree, job: Job) -> Any:
    out = job.out
    encoding = {
        node.path: {name: {"compressors": (_codec(),)} for name in node.data_vars} for node in tree.subtree
    }
    tree.to_zarr(out, zarr_format=2, encoding=encoding, consolidated=True)
    return out


def _named(tree: xr.DataTree) -> int:
    """Return the number of images: some write what describes a grid as a variable."""
    return sum(array.ndim > 1 for node in tree.subtree for array in node.data_vars.values())


def open_tile(job: Job) -> Callable[[], Any]:
    return lambda: _named(_open(job.tile))


def band(job: Job) -> Callable[[], Any]:
    tree = _open(job.tile)
    return lambda: tree[f"{TEN}/b04"].values


def mean(job: Job) -> Callable[[], Any]:
    tree = _open(job.tile)

    def run() -> float:
        bands = [tree[f"{TEN}/{band}"].astype(np.float32) for band in ("b02", "b03", "b04", "b08")]
        clear = tree[f"/{CLASSES}"] == CLEAR
        return float((sum(bands) / 4).where(clear).mean().compute())

    return run


def index(job: Job) -> Callable[[], Any]:
    tree = _open(job.tile)

    def run() -> tuple[Any, str]:
        red, nir = (tree[f"{TEN}/{band}"].astype(np.float32) for band in ("b04", "b08"))
        made = xr.Dataset({"ndvi": (nir - red) / (nir + red)})
        return _written(xr.DataTree(made), job), "ndvi"

    return run


def write(job: Job) -> Callable[[], Any]:
    from suite.inputs import in_memory

    tree = in_memory(job.tile)
    return lambda: (_written(tree, job), f"{GROUP}/r10m/b04")


def small_write(job: Job) -> Callable[[], Any]:
    from suite.inputs import small_arrays

    tree = small_arrays(job.groups)
    return lambda: (_written(tree, job), "g00/v3")


def small_open(job: Job) -> Callable[[], Any]:
    from suite.inputs import small_arrays

    out = _written(small_arrays(job.groups), job.aside)
    return lambda: _named(_open(out))

"""eopf's way: by its own readers and writers; run by the Python of its own environment.

*As it is* means that nothing is chosen: its reader takes chunks as dask merges them to about 128 MB. *Tuned*
is the fastest that we found: the stored chunks, and its writer that goes past xarray.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import eopf  # noqa: F401 -- as its users do
import numpy as np
import xarray as xr
from eopf.store import open_datatree
from eopf.store.fast_zarr_writer import EODataTreeFastZarrWriter
from eopf.store.zarr_reader import EODataTreeZarrReader
from eopf.store.zarr_writer import EODataTreeZarrWriter
from zarr.codecs import BloscCodec, BloscShuffle

from suite.inputs import in_memory, small_arrays
from suite.job import CLASSES, CLEAR, GROUP, Job

if TYPE_CHECKING:
    from collections.abc import Callable

TEN = f"/{GROUP}/r10m"
logging.disable(logging.WARNING)


def _open(path: Any, *, tuned: bool = False) -> xr.DataTree:
    return EODataTreeZarrReader().open_datatree(str(path), **({"chunks": {}} if tuned else {}))


def _written(tree: xr.DataTree, job: Job, *, tuned: bool = False) -> Any:
    """Write by its default writer, or by its fast one; with the codec that all have here."""
    out = job.out
    codec = BloscCodec(cname="zstd", clevel=3, shuffle=BloscShuffle.bitshuffle)
    encoding = {
        node.path: {name: {"compressors": (codec,)} for name in node.data_vars} for node in tree.subtree
    }
    writer = EODataTreeFastZarrWriter() if tuned else EODataTreeZarrWriter()
    writer.write(tree, str(out), encoding=encoding)
    return out


def _named(tree: xr.DataTree) -> int:
    """Return the number of images: some write what describes a grid as a variable."""
    return sum(array.ndim > 1 for node in tree.subtree for array in node.data_vars.values())


def open_tile(job: Job) -> Callable[[], Any]:
    return lambda: _named(_open(job.tile))


def open_safe(job: Job) -> Callable[[], Any]:
    return lambda: "b02" in open_datatree(str(job.safe))[TEN]


def band(job: Job, *, tuned: bool = False) -> Callable[[], Any]:
    tree = _open(job.tile, tuned=tuned)
    return lambda: tree[f"{TEN}/b04"].values


def band_tuned(job: Job) -> Callable[[], Any]:
    return band(job, tuned=True)


def mean(job: Job, *, tuned: bool = False) -> Callable[[], Any]:
    tree = _open(job.tile, tuned=tuned)

    def run() -> float:
        bands = [tree[f"{TEN}/{band}"].astype(np.float32) for band in ("b02", "b03", "b04", "b08")]
        clear = tree[f"/{CLASSES}"] == CLEAR
        return float((sum(bands) / 4).where(clear).mean().compute())

    return run


def mean_tuned(job: Job) -> Callable[[], Any]:
    return mean(job, tuned=True)


def index(job: Job, *, tuned: bool = False) -> Callable[[], Any]:
    tree = _open(job.tile, tuned=tuned)

    def run() -> tuple[Any, str]:
        red, nir = (tree[f"{TEN}/{band}"].astype(np.float32) for band in ("b04", "b08"))
        made = xr.Dataset({"ndvi": (nir - red) / (nir + red)}).drop_encoding()
        return _written(xr.DataTree(made), job, tuned=tuned), "ndvi"

    return run


def index_tuned(job: Job) -> Callable[[], Any]:
    return index(job, tuned=True)


def write(job: Job, *, tuned: bool = False) -> Callable[[], Any]:
    tree = in_memory(job.tile)
    return lambda: (_written(tree, job, tuned=tuned), f"{GROUP}/r10m/b04")


def write_tuned(job: Job) -> Callable[[], Any]:
    return write(job, tuned=True)


def small_write(job: Job, *, tuned: bool = False) -> Callable[[], Any]:
    tree = small_arrays(job.groups)
    return lambda: (_written(tree, job, tuned=tuned), "g00/v3")


def small_write_tuned(job: Job) -> Callable[[], Any]:
    return small_write(job, tuned=True)


def small_open(job: Job) -> Callable[[], Any]:
    out = _written(small_arrays(job.groups), job.aside)
    return lambda: _named(_open(out))


def convert(job: Job, *, tuned: bool = False) -> Callable[[], Any]:
    def run() -> tuple[Any, str]:
        return _written(open_datatree(str(job.safe)), job, tuned=tuned), f"{GROUP}/r10m/b02"

    return run


def convert_tuned(job: Job) -> Callable[[], Any]:
    return convert(job, tuned=True)

"""Swath's way: what a user of the package writes."""

# ruff: noqa: PLC0415 -- imports belong to what goes before

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import swath
from swath.product import chunk_source

from suite.job import GROUP, Job

if TYPE_CHECKING:
    from collections.abc import Callable

TEN = f"/{GROUP}/r10m"
WINDOW = 512


def open_tile(job: Job) -> Callable[[], Any]:
    return lambda: _named(swath.open_product(job.tile))


def open_safe(job: Job) -> Callable[[], Any]:
    return lambda: "b02" in swath.open_product(job.safe)[TEN]


def _named(tree: Any) -> int:
    """Return the number of images: some write what describes a grid as a variable."""
    return sum(array.ndim > 1 for node in tree.subtree for array in node.data_vars.values())


def band(job: Job) -> Callable[[], Any]:
    tree = swath.open_product(job.tile)
    return lambda: tree[f"{TEN}/b04"].values


def mean(job: Job) -> Callable[[], Any]:
    from suite.processors import MEAN

    tree = swath.open_product(job.tile)
    return lambda: float(swath.apply(MEAN, tree)["/mean"].mean().compute())


def index(job: Job) -> Callable[[], Any]:
    from suite.processors import NDVI

    tree = swath.open_product(job.tile)

    def run() -> tuple[Any, str]:
        out = job.out
        swath.write_product(swath.apply(NDVI, tree), out)
        return out, "ndvi"

    return run


def write(job: Job) -> Callable[[], Any]:
    from suite.inputs import in_memory

    tree = in_memory(job.tile)

    def run() -> tuple[Any, str]:
        out = job.out
        swath.write_product(tree, out)
        return out, f"{GROUP}/r10m/b04"

    return run


def small_write(job: Job) -> Callable[[], Any]:
    from suite.inputs import small_arrays

    tree = small_arrays(job.groups)

    def run() -> tuple[Any, str]:
        out = job.out
        swath.write_product(tree, out)
        return out, "g00/v3"

    return run


def small_open(job: Job) -> Callable[[], Any]:
    out, _ = small_write(job.aside)()
    return lambda: _named(swath.open_product(out))


def convert(job: Job) -> Callable[[], Any]:
    def run() -> tuple[Any, str]:
        out = job.out
        swath.write_product(swath.open_product(job.safe), out)
        return out, f"{GROUP}/r10m/b02"

    return run


def window(job: Job) -> Callable[[], Any]:
    from suite.processors import THREE_STEPS

    tree = swath.open_product(job.tile)
    chosen = f"rows 0:{WINDOW}, columns 0:{WINDOW}"
    return lambda: swath.apply(THREE_STEPS, tree, window=chosen)["/cut"].values


def window_chunks(job: Job) -> Callable[[], Any]:
    """Read the chunks that the window needs, and nothing more."""
    tree = swath.open_product(job.tile)
    arrays = [tree[f"{TEN}/{band}"].data.blocks[0, 0] for band in ("b04", "b08")]
    import dask

    def run() -> Any:
        dask.compute(*arrays)

    return run


def area(job: Job) -> Callable[[], Any]:
    """Compute a chain of three steps on ever larger windows; answer with CPU microseconds a pixel.

    The windows end a pixel before their chunks do: the halo of the chain is one pixel, and would reach into
    the next chunks, which then have to be decoded as well.
    """
    from suite.processors import THREE_STEPS

    tree = swath.open_product(job.tile)
    source = chunk_source(tree[f"{TEN}/b04"])
    assert source is not None
    chunk = source.chunk_shape[0]

    def run() -> list[float]:
        costs = []
        for chunks in (1, 2, 4):
            length = min(chunks * chunk, job.size) - 1
            made = swath.apply(THREE_STEPS, tree, window=f"rows 0:{length}, columns 0:{length}")["/cut"]
            seconds = []
            for _ in range(5):
                start = time.process_time()
                made.mean().compute()
                seconds.append(time.process_time() - start)
            costs.append(min(seconds) / length**2 * 1e6)
        return costs

    return run

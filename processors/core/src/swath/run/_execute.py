"""Carrying out a payload: plan, compute and write chunk by chunk, describe, commit."""

import json
import time
from collections.abc import Callable
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import platform, python_version
from typing import Any

import xarray as xr
from dask.array.optimization import optimize
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from swath.errors import PayloadError, RunError, SwathError
from swath.io.address import is_url
from swath.io.commit import check_apart, check_destination, new_product
from swath.io.metering import Counts
from swath.processing import Binding, Processor, chunk_graph, plan_of
from swath.product import locate
from swath.product.stac import ItemFile
from swath.run._engine import Engine, open_engine
from swath.run._files import REPORT, STORE, open_pixels, store_file, write_item, write_picture
from swath.run._geotiffs import write_cogs
from swath.run._payload import Payload
from swath.run._plan import bind_payload
from swath.run._report import RunReport
from swath.run._zarr import Target, lay_out, write_chunk

__all__ = ["execute"]

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""

_PACKAGES = ("swath", "dask", "numpy", "xarray", "zarr")


def execute(
    payload: Payload,
    *,
    processor: Processor | None = None,
    product: xr.DataTree | None = None,
    progress: Progress | None = None,
) -> RunReport:
    """Carry out a payload: one folder appears under the destination's name, complete, or none.

    Parameters
    ----------
    payload
        The job.
    processor
        Stands in for the installed processor of the payload's name.
    product
        Stands in for the product at the payload's path.
    progress
        Called as the work goes on.

    Raises
    ------
    InputError
        If anything of the payload is refused; nothing was written, and the destination is as it was.
    RunError
        If a chunk could not be computed; the destination is as it was.
    WriteError
        If the system refused to write; the destination is as it was.
    """
    began = time.monotonic()
    told = progress or _silent
    destination = _destination(payload)
    binding, attributes = bind_payload(payload, processor, product)
    plan = plan_of(binding)
    describe = partial(
        write_item,
        binding,
        identifier=destination.name,
        discovery=attributes.get("stac_discovery", {}),
        software={binding.processor.name: binding.processor.version, "swath": version("swath")},
    )
    with new_product(destination, payload.overwrite, checksums=True) as folder:
        describe([], folder)  # what the item lacks is found now, not when all has been computed
        target = lay_out(binding, attributes, folder / STORE, destination.name)
        with open_engine(payload.engine, payload.workers) as engine:
            workers = engine.workers
            read = _compute(binding, target, engine, partial(told, "chunks"))
        files = _describe_files(binding, folder, workers, told, cogs=payload.cogs)
        report = RunReport(
            product=destination,
            payload=payload,
            plan=plan,
            read=read,
            seconds=time.monotonic() - began,
            workers=workers,
            versions=_versions(),
        )
        (folder / REPORT).write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
        files.append(ItemFile(REPORT, "What was planned, read and done", ("metadata",)))
        describe(files, folder)
        told("checksums", 0, 0)
    return report


def _silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


def _destination(payload: Payload) -> Path:
    """Return where the product goes, refusing what would destroy its own source."""
    if payload.destination is None:
        raise PayloadError("The payload has no destination; name the folder that shall appear.")
    destination = check_destination(payload.destination, overwrite=payload.overwrite)
    source = payload.inputs.product
    check_apart(destination, source if is_url(source) else locate(source))
    return destination


def _compute(binding: Binding, target: Target, engine: Engine, done: Callable[[int, int], None]) -> Counts:
    """Compute all output chunks, each of them written by the task that follows it; none of them is kept."""
    made = chunk_graph(binding)
    # Another run of the same job on the same scheduler makes the same chunks, but writes them elsewhere.
    writing = f"write-{tokenize(target.path)}-{made.name}"
    layer: dict[Any, Any] = {
        (writing, *position): (partial(write_chunk, target, chunk), (made.name, *position))
        for position, chunk in made.chunks.items()
    }
    graph = HighLevelGraph(
        {**made.graph.layers, writing: layer},
        {**made.graph.dependencies, writing: {made.name}},
    )
    keys = list(layer)
    try:
        return engine.compute(dict(optimize(graph, keys)), keys, done)  # type: ignore[no-untyped-call]  # dask
    except SwathError:
        raise
    except Exception as error:
        raise RunError(
            f"{binding.processor.name} failed on a chunk of {target.name}: {type(error).__name__}: {error}"
        ) from error


def _describe_files(
    binding: Binding, folder: Path, workers: int, told: Progress, *, cogs: bool
) -> list[ItemFile]:
    """Write what stands beside the store."""
    pixels = open_pixels(binding, folder)
    files = [store_file(binding, pixels)]
    if cogs:
        files += write_cogs(binding, pixels, folder, workers=workers, done=partial(told, "GeoTIFFs"))
    told("quick look", 0, 0)
    return [*files, write_picture(binding, pixels, folder)]


def _versions() -> dict[str, str]:
    versions = {"python": python_version(), "platform": platform()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "unknown"
    return versions

"""Carrying out a payload: plan, compute and write chunk by chunk, describe, commit."""

import json
import logging
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from platform import platform, python_version

import xarray as xr

from swath.errors import InputError, PayloadError, SwathError
from swath.io.address import is_url
from swath.io.commit import check_apart, check_destination, new_product
from swath.io.journal import Journal
from swath.processing import Binding, Processor, plan_of
from swath.product import locate
from swath.product.stac import ItemFile
from swath.run._answering import Answering
from swath.run._compute import check_workers, compute_chunks
from swath.run._engine import open_engine
from swath.run._files import PAGE, REPORT, STORE, open_pixels, store_file, write_item, write_picture
from swath.run._geotiffs import write_cogs
from swath.run._job import job_hash
from swath.run._notebook import notebook_progress
from swath.run._page import write_page
from swath.run._payload import Payload
from swath.run._plan import bind_payload, fit_binding
from swath.run._profile import check_profiler, write_profile
from swath.run._report import RunReport
from swath.run._trace import carrier, flush, run_span
from swath.run._watch import Watch
from swath.run._zarr import lay_out

__all__ = ["execute"]

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and of how much."""

_PACKAGES = ("swath", "dask", "numpy", "xarray", "zarr")
_LOG = logging.getLogger("swath.run")


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
        Called as the work goes on. In a notebook, a bar below the cell by default.

    Raises
    ------
    InputError
        If anything of the payload is refused; nothing was written, and the destination is as it was.
    RunError
        If a chunk could not be computed; the destination is as it was.
    WriteError
        If the system refused to write; the destination is as it was.
    """
    run = secrets.token_hex(8)
    with (
        _told(payload, run),
        run_span("swath run", run=run, processor=payload.processor, engine=payload.engine),
        nullcontext(progress) if progress else notebook_progress() as told,
    ):
        return _execute(payload, run, processor, product, told or _silent)


def _execute(
    payload: Payload, run: str, processor: Processor | None, product: xr.DataTree | None, told: Progress
) -> RunReport:
    began = time.time()
    if payload.profile:
        check_profiler()
    destination = _destination(payload)
    with run_span("plan"):
        binding, attributes = bind_payload(payload, processor, product)
        plan = plan_of(binding)
        fit = fit_binding(binding, plan, payload)
        job = job_hash(binding, plan, product, payload.inputs.product)
    answering = Answering(told, {"product": destination.name, "run": run})
    notes = [fit.note] if fit and fit.note else []
    for note in notes:
        _LOG.warning(note, extra={"product": destination.name, "run": run})
    describe = partial(
        write_item,
        binding,
        identifier=destination.name,
        discovery=attributes.get("stac_discovery", {}),
        software={binding.processor.name: binding.processor.version, "swath": version("swath")},
    )
    with (
        new_product(
            destination, payload.overwrite, checksums=True, job=job, resume=payload.resume, keep=payload.keep
        ) as folder,
        _kept(payload, destination.name, run),
    ):
        _clear(folder)
        describe([], folder)  # what the item lacks is found now, not when all has been computed
        target = lay_out(binding, attributes, folder / STORE, destination.name)
        with (
            open_engine(payload.engine, fit.workers if fit else payload.workers, answering) as engine,
            run_span("compute", engine=payload.engine, workers=engine.workers),
        ):
            workers = engine.workers
            check_workers(plan, engine)
            computed = compute_chunks(
                binding,
                target,
                engine,
                journal=Journal(folder, job),
                watch=Watch(run, payload.retries, carrier(), payload.profile),
                done=partial(told, "chunks"),
            )
        files = _describe_files(binding, folder, workers, told, cogs=payload.cogs)
        report = RunReport(
            product=destination,
            payload=payload,
            run=run,
            plan=plan,
            fit=fit,
            computed=computed,
            began=began,
            seconds=time.time() - began,
            workers=workers,
            versions=_versions(),
            notes=tuple(notes),
        )
        files += _write_report(report, folder)
        describe(files, folder)
        told("checksums", 0, 0)
    _LOG.info("product written", extra={"product": destination.name, "run": run, "seconds": report.seconds})
    return report


@contextmanager
def _told(payload: Payload, run: str) -> Iterator[None]:
    """Log beginning and failure of a run, and send what was traced."""
    told = {"product": Path(payload.destination or "").name, "run": run, "processor": payload.processor}
    _LOG.info("run begins", extra={**told, "engine": payload.engine, "source": payload.inputs.product})
    try:
        yield
    except SwathError as error:
        _LOG.error("run failed: %s", error, extra={**told, "is_end": True})
        raise
    finally:
        flush()


@contextmanager
def _kept(payload: Payload, product: str, run: str) -> Iterator[None]:
    """Say, where the block fails, that what is done so far is kept, if it is."""
    try:
        yield
    except InputError:
        raise
    except BaseException:
        if payload.keep:
            _LOG.warning(
                "finished chunks are kept; the same command goes on from them",
                extra={"product": product, "run": run},
            )
        raise


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


def _clear(folder: Path) -> None:
    """Remove what a killed run has left beside its store: it is made from the store, and soon."""
    for entry in folder.iterdir():
        if entry.name == STORE:
            continue
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _describe_files(
    binding: Binding, folder: Path, workers: int, told: Progress, *, cogs: bool
) -> list[ItemFile]:
    """Write what stands beside the store."""
    pixels = open_pixels(binding, folder)
    files = [store_file(binding, pixels)]
    if cogs:
        with run_span("GeoTIFFs"):
            files += write_cogs(binding, pixels, folder, workers=workers, done=partial(told, "GeoTIFFs"))
    told("quick look", 0, 0)
    with run_span("quick look"):
        return [*files, write_picture(binding, pixels, folder)]


def _write_report(report: RunReport, folder: Path) -> list[ItemFile]:
    """Write what the run did, for machines and for people."""
    (folder / REPORT).write_text(json.dumps(report.to_dict(), indent=2) + "\n", encoding="utf-8")
    write_page(report, folder / PAGE)
    files = [
        ItemFile(REPORT, "What was planned, read and done", ("metadata",)),
        ItemFile(PAGE, "What was planned, read and done, as a page", ("metadata",), key="report-page"),
    ]
    if report.payload.profile:
        profiles = [told for notes in report.computed.notes for told in notes.profiles]
        files += write_profile(profiles, folder)
    return files


def _versions() -> dict[str, str]:
    versions = {"python": python_version(), "platform": platform()}
    for package in _PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = "unknown"
    return versions

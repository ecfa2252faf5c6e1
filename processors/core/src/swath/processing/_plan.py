"""What a run will read and make, known before anything is read."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from itertools import product
from typing import Any

import numpy as np
import xarray as xr
from dask.system import CPU_COUNT

from swath.processing._bind import Binding, BoundSource, WindowLike, bind
from swath.processing._plan_text import plan_html, plan_text
from swath.processing._processor import Parameters, Processor
from swath.product import WAITING, Grid, Window, ahead_bytes, stored_bytes

__all__ = ["Plan", "SourcePlan", "plan", "plan_of"]


@dataclass(frozen=True, slots=True)
class SourcePlan:
    """What is read of one variable of the product."""

    name: str
    path: str
    method: str
    """How it gets to the output grid; ``none`` where it is on it."""
    chunk_shape: tuple[int, int]
    chunks: tuple[tuple[int, int], ...]
    """Row and column of each stored chunk that is read, each once."""
    chunks_in_product: int
    bytes: int
    """Stored (encoded) bytes of those chunks."""
    stored: bool
    """False for a variable in memory, which is not read from anywhere."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a processor reads and makes on a window of a product."""

    processor: str
    version: str
    parameters: dict[str, Any]
    grid: Grid
    window: Window
    """Rows and columns of the output grid, half-open."""
    chunk_shape: tuple[int, int]
    """Rows and columns of an output chunk; the last ones may be smaller."""
    chunk_counts: tuple[int, int]
    """Rows and columns of output chunks."""
    outputs: dict[str, str]
    """Path in the output product → dtype in memory."""
    output_bytes: int
    """Uncompressed bytes of all outputs in memory."""
    sources: tuple[SourcePlan, ...]
    notes: tuple[str, ...]
    chunk_memory: int
    """Bytes that one output chunk needs while it is computed."""
    shared_memory: int
    """Bytes of source chunks that are kept because other output chunks of a row need them, too."""
    ahead_memory: int = 0
    """Bytes of a remote store that each process holds at most before it decodes them; 0 of a local one."""
    waiting_memory: int = 0
    """Bytes of chunks at most that a process of ``dask.distributed`` has besides, as tasks that wait for a
    remote store leave their place to others."""

    @property
    def chunks(self) -> int:
        """Number of stored chunks that are read."""
        return sum(len(source.chunks) for source in self.sources if source.stored)

    @property
    def bytes(self) -> int:
        """Stored bytes that are read."""
        return sum(source.bytes for source in self.sources)

    def peak_memory(self, workers: int | None = None) -> int:
        """Estimate the arrays' bytes in memory with a number of chunks in flight (default: one a CPU)."""
        number = workers or CPU_COUNT
        rows, columns = self.chunk_counts
        # Those that have more chunks in work than a row has need the source chunks of several rows.
        shared = self.shared_memory * max(min(math.ceil(number / max(columns, 1)), rows), 1)
        return shared + self.ahead_memory + self.chunk_memory * number

    def to_dict(self) -> dict[str, Any]:
        """Return the plan as plain data for JSON."""
        return {
            **{name: getattr(self, name) for name in ("processor", "version", "parameters", "outputs")},
            "grid": asdict(self.grid),
            "window": {"rows": list(self.window.rows), "columns": list(self.window.columns)},
            "chunk_shape": list(self.chunk_shape),
            "output_chunks": list(self.chunk_counts),
            "output_bytes": self.output_bytes,
            "chunks": self.chunks,
            "bytes": self.bytes,
            "peak_memory": self.peak_memory(),
            "sources": [asdict(source) for source in self.sources],
            "notes": list(self.notes),
        }

    def __str__(self) -> str:
        """Return the plan as a table for people."""
        return plan_text(self)

    def _repr_html_(self) -> str:
        """Return the plan as a notebook shows it."""
        return plan_html(self)


def plan(
    processor: Processor,
    product: xr.DataTree,
    parameters: Mapping[str, Any] | Parameters | None = None,
    window: WindowLike = None,
) -> Plan:
    """Plan a run from the declarations alone; nothing of the product's measurements is read.

    Parameters
    ----------
    processor
        What to run.
    product
        An opened product.
    parameters
        Values for the processor's parameter model; defaults where not given.
    window
        Window of the output grid, or what `swath.Window.parse` takes; the whole grid by default.

    Raises
    ------
    InputError
        If the product does not have what the processor reads, or parameters or window are refused.
    """
    return plan_of(bind(processor, product, parameters, window))


def plan_of(binding: Binding) -> Plan:
    """Plan a run whose processor and product have been brought together."""
    chain = binding.chain
    rows, columns = (stop - start for start, stop in (binding.window.rows, binding.window.columns))
    outputs = {path: chain.made[name] for name, path in chain.outputs.items()}
    sources = tuple(_source_plan(binding, source) for source in binding.sources)
    ahead = ahead_bytes(
        (source.chunks, planned.bytes)
        for source, planned in zip(binding.sources, sources, strict=True)
        if source.chunks is not None
    )
    notes = [
        f"The product has no {chain.sources[name].path}; its fill value stands in." for name in binding.absent
    ]
    notes += [f"{source.path} is in memory, not read." for source in sources if not source.stored]
    notes += [f"{source.path} does not cover the window." for source in sources if not source.chunks]
    return Plan(
        processor=binding.processor.name,
        version=binding.processor.version,
        parameters=binding.parameters.model_dump(mode="json"),
        grid=binding.grid,
        window=binding.window,
        chunk_shape=binding.chunk_shape,
        chunk_counts=binding.chunk_counts,
        outputs={path: str(np.dtype(output.dtype)) for path, output in outputs.items()},
        output_bytes=sum(np.dtype(output.dtype).itemsize for output in outputs.values()) * rows * columns,
        sources=sources,
        notes=tuple(notes),
        chunk_memory=_chunk_memory(binding),
        shared_memory=sum(_shared_memory(binding, source) for source in binding.sources),
        ahead_memory=ahead,
        waiting_memory=_waiting_memory(binding) if ahead else 0,
    )


def _source_plan(binding: Binding, source: BoundSource) -> SourcePlan:
    """Return which chunks of a source are read: what the output chunks need on each axis, combined."""
    rows, columns = (
        sorted(
            {
                index
                for span in binding.spans(axis)
                for index in range(*source.block_spans(axis, binding.needs(source, axis, span)))
            }
        )
        for axis in (0, 1)
    )
    chunks = tuple(product(rows, columns))
    same = all(axis.is_identity for axis in source.axes)
    return SourcePlan(
        name=source.name,
        path=source.path,
        method="none" if same else source.method,
        chunk_shape=source.chunk_shape,
        chunks=chunks,
        chunks_in_product=source.array.npartitions,
        bytes=stored_bytes(source.chunks, chunks) if source.chunks else 0,
        stored=source.chunks is not None,
    )


def _chunk_memory(binding: Binding) -> int:
    """Estimate from above what computing and storing one output chunk holds at its worst moment.

    The chain is gone through as :func:`swath.processing._compute.compute_chunk` does: arrays live as long as
    a later step or an output needs them, and each step adds its padded inputs, what it makes, and what it
    declares to need on the way.
    """
    chain, outputs = binding.chain, set(binding.chain.outputs)
    dtypes = {name: np.dtype(item.dtype).itemsize for name, item in chain.inputs.items()}
    dtypes |= {name: np.dtype(item.dtype).itemsize for name, item in chain.made.items()}

    def shape(margin: int) -> tuple[int, int]:
        rows, columns = binding.chunk_shape
        return rows + 2 * margin, columns + 2 * margin

    live = {name: dtypes[name] * math.prod(shape(chain.margins[name])) for name in chain.inputs}
    # One source at a time is decoded and resampled in double precision.
    decoding = max(
        (source.array.chunksize[0] * source.array.chunksize[1] * 16 for source in binding.sources), default=0
    )
    peak = sum(live.values()) + decoding
    for number, step in enumerate(chain.steps):
        seen = shape(chain.margins[step.outputs[0].name] + step.halo)
        padded = sum(dtypes[item.name] for item in step.inputs) * math.prod(seen) if step.halo else 0
        made = {item.name: dtypes[item.name] * math.prod(seen) for item in step.outputs}
        peak = max(peak, sum(live.values()) + padded + sum(made.values()) + step.working_bytes(seen))
        live |= made  # with their halo: what is cut off stays in memory under the view
        later = {item.name for rest in chain.steps[number + 1 :] for item in rest.inputs}
        live = {name: size for name, size in live.items() if name in later | outputs}
    # One output at a time is packed, in double precision where it is scaled, and compressed.
    return int(max(peak, sum(live.values()) + 16 * math.prod(binding.chunk_shape)))


def _shared_memory(binding: Binding, source: BoundSource) -> int:
    """Estimate the source chunks kept for later output chunks: those of one row of output chunks."""
    widths = [len(range(*source.block_spans(1, binding.needs(source, 1, span)))) for span in binding.spans(1)]
    heights = [
        len(range(*source.block_spans(0, binding.needs(source, 0, span)))) for span in binding.spans(0)
    ]
    rows, columns = source.array.chunksize
    pixels = sum(widths) * max(heights, default=0) * rows * columns
    return int(min(pixels, source.array.size) * np.dtype(source.input.dtype).itemsize)


def _waiting_memory(binding: Binding) -> int:
    """Estimate what tasks hold that have waited for a remote store: a chunk each, as it was read."""
    chunks = (math.prod(item.array.chunksize) * item.array.dtype.itemsize for item in binding.sources)
    return int(WAITING * max(chunks))

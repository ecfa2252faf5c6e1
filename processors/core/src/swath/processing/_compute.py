"""One output chunk: sources put together and brought to the grid, then the steps. All in one dask task."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from swath.errors import RunError
from swath.processing._bind import reach
from swath.processing._chain import Resampling
from swath.processing._declare import Edge, Input, Step
from swath.processing._resample import Axis, Span, resample

__all__ = ["Around", "Chunk", "Part", "Program", "SourceProgram", "cast", "compute_chunk"]

Array = npt.NDArray[Any]
Extent = tuple[Span, Span]
"""Rows and columns, half-open, in pixels of the output grid."""

Around = Callable[[str], AbstractContextManager[Any]]
"""Opened around each step, with the step's name: whoever wants to know how long it takes."""


@dataclass(frozen=True, slots=True)
class SourceProgram:
    """How a source gets to the output grid."""

    input: Input
    axes: tuple[Axis, Axis]
    method: Resampling


@dataclass(frozen=True, slots=True)
class Program:
    """What all chunks of a run have in common; small, and it goes to every worker."""

    processor: str
    steps: tuple[Step, ...]
    sources: Mapping[str, SourceProgram]
    absent: tuple[Input, ...]
    margins: Mapping[str, int]
    outputs: tuple[str, ...]
    shape: tuple[int, int]
    """Pixels of the whole output grid: where the product's edges are."""
    parameters: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """The blocks of one source that an output chunk needs."""

    name: str
    span: Extent
    """The source pixels that are needed."""
    origins: tuple[tuple[int, int], ...]
    """First source pixel (row, column) of each block, in the order of the blocks."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """One output chunk."""

    position: tuple[int, int]
    extent: Extent
    parts: tuple[Part, ...]


def cast(block: Array, dtype: str) -> Array:
    """Bring a source chunk to the dtype that the steps want; what is kept for neighbours is then small."""
    return block.astype(dtype, copy=False)


def compute_chunk(
    program: Program, chunk: Chunk, blocks: list[Array], around: Around = nullcontext
) -> dict[str, Array]:
    """Return the outputs of one chunk, by their names in the chain.

    Raises
    ------
    RunError
        If a step fails or does not keep what it declared; it names step and chunk.
    """
    arrays = _sources(program, chunk, iter(blocks))
    extents = {name: _grown(program, chunk.extent, program.margins[name]) for name in arrays}
    for number, step in enumerate(program.steps):
        margin = program.margins[step.outputs[0].name]
        extent = _grown(program, chunk.extent, margin)
        given = {
            step.arguments.get(item.name, item.name): _around(
                arrays[item.name],
                extents[item.name],
                extent,
                halo=step.halo,
                edge=step.edge,
                fill=item.fill_value,
            )
            for item in step.inputs
        }
        with around(step.name):
            made = _call(program, chunk, step, given)
        for name, array in made.items():
            arrays[name], extents[name] = _cut(array, step.halo), extent
        later = {item.name for rest in program.steps[number + 1 :] for item in rest.inputs}
        for name in set(arrays) - later - set(program.outputs):
            del arrays[name]
    return {name: _crop(arrays[name], extents[name], chunk.extent) for name in program.outputs}


def _sources(program: Program, chunk: Chunk, blocks: Iterator[Array]) -> dict[str, Array]:
    """Return each source on the output grid, as far as its margin reaches."""
    arrays = {}
    for part in chunk.parts:
        source = program.sources[part.name]
        data = _mosaic(part, blocks, source.input.dtype)
        arrays[part.name] = resample(
            data,
            (part.span[0][0], part.span[1][0]),
            source.axes,
            _grown(program, chunk.extent, program.margins[part.name]),
            method=source.method,
            fill=source.input.fill_value,
        )
    for item in program.absent:
        (top, bottom), (left, right) = _grown(program, chunk.extent, program.margins[item.name])
        arrays[item.name] = np.full((bottom - top, right - left), item.fill_value, item.dtype)
    return arrays


def _mosaic(part: Part, blocks: Iterator[Array], dtype: str) -> Array:
    """Put together what is needed of a source from its blocks; a view where one block has it all."""
    (top, bottom), (left, right) = part.span
    whole: Array | None = None
    for row, column in part.origins:
        block = next(blocks)
        first = max(row, top), max(column, left)
        last = min(row + block.shape[0], bottom), min(column + block.shape[1], right)
        piece = block[first[0] - row : last[0] - row, first[1] - column : last[1] - column]
        if len(part.origins) == 1:
            return piece
        if whole is None:
            whole = np.empty((bottom - top, right - left), piece.dtype)
        whole[first[0] - top : last[0] - top, first[1] - left : last[1] - left] = piece
    return np.empty((0, 0), dtype) if whole is None else whole


def _around(array: Array, have: Extent, extent: Extent, *, halo: int, edge: Edge, fill: float) -> Array:
    """Return an extent with its halo, padded where the halo is beyond the product's edge; read-only."""
    wanted = tuple((start - halo, stop + halo) for start, stop in extent)
    inside = _crop(
        array, have, tuple((max(w[0], h[0]), min(w[1], h[1])) for w, h in zip(wanted, have, strict=True))
    )
    beyond = [(max(h[0] - w[0], 0), max(w[1] - h[1], 0)) for w, h in zip(wanted, have, strict=True)]
    if not any(map(any, beyond)):
        result = inside.view()
    elif edge == "nearest":
        result = np.pad(inside, beyond, mode="edge")
    else:
        result = np.pad(inside, beyond, constant_values=np.asarray(fill, inside.dtype)[()])
    result.flags.writeable = False  # steps are pure: one that writes into its input fails here, by name
    return result


def _call(program: Program, chunk: Chunk, step: Step, given: dict[str, Array]) -> dict[str, Array]:
    """Run a step and hold its results against its declaration."""
    shape = next(iter(given.values())).shape
    try:
        # Division by zero and NaN are how EO arrays say "nothing here"; they are no events.
        with np.errstate(divide="ignore", invalid="ignore"):
            made = step.function(**given, **{name: program.parameters[name] for name in step.parameters})
    except Exception as error:
        raise RunError(f"{_where(program, chunk, step)} failed: {type(error).__name__}: {error}") from error
    names = {step.arguments.get(output.name, output.name): output for output in step.outputs}
    if not isinstance(made, Mapping):
        made = {next(iter(names)): made} if len(names) == 1 else {}
    if set(made) != set(names):
        raise RunError(
            f"{_where(program, chunk, step)} returned {sorted(made) or 'no mapping'}; "
            f"it declares {sorted(names)}."
        )
    for name, output in names.items():
        array = made[name]
        if getattr(array, "shape", None) != shape or array.dtype != np.dtype(output.dtype):
            got = f"{array.dtype} {array.shape}" if isinstance(array, np.ndarray) else type(array).__name__
            raise RunError(
                f"{_where(program, chunk, step)} returned {name!r} as {got}; it declares {output.dtype} and "
                f"got arrays of {shape}."
            )
    return {output.name: made[name] for name, output in names.items()}


def _where(program: Program, chunk: Chunk, step: Step) -> str:
    (top, bottom), (left, right) = chunk.extent
    return (
        f"Step {step.name!r} of {program.processor!r}, in the output chunk (row {chunk.position[0]}, "
        f"column {chunk.position[1]}; pixels {top}:{bottom}, {left}:{right}),"
    )


def _grown(program: Program, extent: Extent, margin: int) -> Extent:
    rows, columns = (reach(span, margin, length) for span, length in zip(extent, program.shape, strict=True))
    return rows, columns


def _crop(array: Array, have: Extent, wanted: Any) -> Array:
    (top, bottom), (left, right) = wanted
    return array[top - have[0][0] : bottom - have[0][0], left - have[1][0] : right - have[1][0]]


def _cut(array: Array, halo: int) -> Array:
    return array[halo:-halo, halo:-halo] if halo else array

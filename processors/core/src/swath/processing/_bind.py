"""A processor meets a product: which variables, on which grids, in which chunks. Nothing is read here."""

from bisect import bisect_right
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import accumulate, product
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr

from swath.errors import InputError
from swath.processing._chain import Chain, Resampling, Source
from swath.processing._declare import Input
from swath.processing._processor import Parameters, Processor
from swath.processing._resample import Axis, Span
from swath.product import ChunkSource, Grid, Window, chunk_source

__all__ = ["Binding", "BoundSource", "bind", "reach"]

DEFAULT_CHUNK = 1024
"""Rows and columns of an output chunk where no source is on the output grid."""

WindowLike = Window | str | Mapping[str, Any] | None
"""A window, or what `swath.Window.parse` takes, or None for the whole grid."""


def reach(span: Span, margin: int, length: int) -> Span:
    """Widen a span by a margin on both sides, but not beyond the grid."""
    return max(span[0] - margin, 0), min(span[1] + margin, length)


@dataclass(frozen=True, slots=True)
class BoundSource:
    """A source of a chain, found in a product."""

    name: str
    path: str
    input: Input
    method: Resampling
    margin: int
    """Pixels of the output grid needed around an output chunk."""
    array: da.Array
    """2-D, lazy; one block a stored chunk."""
    axes: tuple[Axis, Axis]
    chunks: ChunkSource | None
    """None where the variable is in memory and reading it costs nothing."""

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Rows and columns of a block."""
        return int(self.array.chunksize[0]), int(self.array.chunksize[1])

    def block_spans(self, axis: int, span: Span) -> Span:
        """Return the range of blocks that a span of source pixels touches along an axis."""
        if span[0] == span[1]:
            return 0, 0
        ends = list(accumulate(self.array.chunks[axis]))
        return bisect_right(ends, span[0]), bisect_right(ends, span[1] - 1) + 1

    def block_start(self, axis: int, index: int) -> int:
        """Return the first source pixel of a block along an axis."""
        return int(sum(self.array.chunks[axis][:index]))


@dataclass(frozen=True, slots=True)
class Binding:
    """A processor with its parameters, on a window of a product."""

    processor: Processor
    parameters: Parameters
    chain: Chain
    grid: Grid
    window: Window
    chunk_shape: tuple[int, int]
    sources: tuple[BoundSource, ...]
    absent: tuple[str, ...]
    """Names of optional sources that the product does not have."""

    @property
    def chunk_counts(self) -> tuple[int, int]:
        """Rows and columns of output chunks."""
        return len(self.spans(0)), len(self.spans(1))

    def spans(self, axis: int) -> list[Span]:
        """Return the spans of the output chunks along an axis, in pixels of the output grid."""
        start, stop = self.window.rows if axis == 0 else self.window.columns
        size = self.chunk_shape[axis]
        return [(first, min(first + size, stop)) for first in range(start, stop, size)]

    def positions(self) -> Iterator[tuple[int, int]]:
        """Go through the output chunks, row by row."""
        rows, columns = self.chunk_counts
        yield from product(range(rows), range(columns))

    def needs(self, source: BoundSource, axis: int, span: Span) -> Span:
        """Return the source pixels that an output chunk's span needs along an axis, halo included."""
        return source.axes[axis].needs(reach(span, source.margin, self.grid.shape[axis]), source.method)


def bind(
    processor: Processor,
    tree: xr.DataTree,
    parameters: Mapping[str, Any] | Parameters | None = None,
    window: WindowLike = None,
    chunk_shape: tuple[int, int] | None = None,
) -> Binding:
    """Find a processor's sources in a product and relate their grids to the output grid.

    The output is cut into chunks of ``chunk_shape``; where it is None, into those of the chain, or else those
    in which the sources are stored.

    Raises
    ------
    PayloadError
        If the parameters are refused.
    InputError
        If the product does not have what the chain reads; the message says what is near to it.
    WindowError
        If the window is malformed or outside the output grid.
    """
    values = processor.validate(parameters)
    chain = processor.chain_for(values)
    grid = _grid(tree, chain.grid, f"processor {processor.name!r}")
    if window is None:
        window = Window.whole(grid)
    elif not isinstance(window, Window):
        window = Window.parse(window, grid)
    else:
        window = Window.parse({"rows": list(window.rows), "columns": list(window.columns)}, grid)
    sources, absent = [], []
    for name, source in chain.sources.items():
        variable = _variable(tree, processor, name, source)
        if variable is None:
            absent.append(name)
        else:
            sources.append(_bound(chain, name, variable, grid))
    own = [source.chunk_shape for source in sources if all(axis.is_identity for axis in source.axes)]
    shape = chunk_shape or chain.chunk_shape or (own[0] if own else (DEFAULT_CHUNK, DEFAULT_CHUNK))
    rows, columns = (stop - start for start, stop in (window.rows, window.columns))
    return Binding(
        processor=processor,
        parameters=values,
        chain=chain,
        grid=grid,
        window=window,
        chunk_shape=(min(shape[0], rows), min(shape[1], columns)),
        sources=tuple(sources),
        absent=tuple(absent),
    )


def _grid(tree: xr.DataTree, path: str, who: str) -> Grid:
    try:
        node = tree[path]
    except KeyError:
        raise InputError(
            f"The product has no group {path}, on whose grid {who} works.{_near(tree, path)}"
        ) from None
    return Grid.of(node)


def _variable(tree: xr.DataTree, processor: Processor, name: str, source: Source) -> xr.DataArray | None:
    """Return the 2-D variable of a source, or None for an optional one that is not there."""
    try:
        found = tree[source.path]
    except KeyError:
        if source.optional:
            return None
        raise InputError(
            f"The product has no variable {source.path}, which processor {processor.name!r} reads as "
            f"{name!r}.{_near(tree, source.path)} Take a product that has it, or another processor."
        ) from None
    if not isinstance(found, xr.DataArray):
        raise InputError(
            f"{source.path} is a group of the product; processor {processor.name!r} expects a variable."
        )
    if found.ndim != 2:
        raise InputError(
            f"{source.path} has the dimensions {found.dims}; processor {processor.name!r} expects two."
        )
    return found


def _bound(chain: Chain, name: str, variable: xr.DataArray, grid: Grid) -> BoundSource:
    path, wanted = chain.sources[name].path, chain.inputs[name]
    if not np.can_cast(variable.dtype, wanted.dtype, "same_kind"):
        raise InputError(
            f"{path} is {variable.dtype} in this product; {wanted.dtype} is expected, which it cannot become."
        )
    array = variable.chunk().data if variable.chunks is None else variable.data
    return BoundSource(
        name=name,
        path=path,
        input=wanted,
        method=chain.sources[name].resampling,
        margin=chain.margins[name],
        array=array,
        axes=_axes(path, Grid.of(variable), grid),
        chunks=chunk_source(variable),
    )


def _axes(path: str, own: Grid, grid: Grid) -> tuple[Axis, Axis]:
    """Relate the rows and the columns of a source's grid to those of the output grid."""
    if own.crs != grid.crs:
        raise InputError(
            f"{path} is in {own.crs}, the output grid in {grid.crs}; bring both to one reference system."
        )
    a, b, c, d, e, f = own.transform
    ga, gb, gc, gd, ge, gf = grid.transform
    if b or d or gb or gd:
        raise InputError(
            f"{path} or the output grid is rotated; only grids along the axes of the reference system work."
        )
    try:
        return Axis.between((f, e), own.shape[0], (gf, ge)), Axis.between((c, a), own.shape[1], (gc, ga))
    except ValueError as error:
        raise InputError(f"{path} cannot be brought to the output grid: {error}.") from None


def _near(tree: xr.DataTree, path: str) -> str:
    """Say which of a product's variables and groups are near to a path."""
    paths = [node.path for node in tree.subtree]
    paths += [f"{node.path.rstrip('/')}/{name}" for node in tree.subtree for name in node.data_vars]
    last = path.rpartition("/")[2]
    same_name = [known for known in paths if known.rpartition("/")[2] == last]
    near = list(dict.fromkeys([*same_name, *get_close_matches(path, paths, n=3, cutoff=0.5)]))[:3]
    if near:
        return f" Near to it are: {', '.join(near)}."
    groups = sorted({node.path for node in tree.subtree if node.data_vars})
    return f" Its variables are in: {', '.join(groups[:6]) or 'no group at all'}."

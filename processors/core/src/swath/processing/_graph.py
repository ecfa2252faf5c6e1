"""From a binding to a lazy graph: one task reads a stored chunk, one task makes an output chunk."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import product
from typing import Any

import dask.array as da
import numpy as np
import xarray as xr
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from swath.processing._bind import Binding, BoundSource, WindowLike, bind
from swath.processing._compute import Chunk, Part, Program, SourceProgram, cast, compute_chunk
from swath.processing._processor import Parameters, Processor
from swath.product import Grid, placed

__all__ = ["ChunkGraph", "apply", "chunk_graph", "tree_of"]

Key = tuple[str, int, int]

Body = Callable[[list[Any]], Any]
"""What a chunk's task calls, with the blocks that the chunk needs."""


@dataclass(frozen=True, slots=True)
class ChunkGraph:
    """The graph whose task ``(name, i, j)`` makes the outputs of chunk (i, j), a mapping by name."""

    name: str
    graph: HighLevelGraph
    chunks: Mapping[tuple[int, int], Chunk]


def chunk_graph(
    binding: Binding, body: Callable[[Program, Chunk], Body] | None = None, salt: object = None
) -> ChunkGraph:
    """Return the graph over all output chunks of a binding.

    Stored chunks are read by the tasks of the product's own lazy arrays, so each is read once however many
    output chunks need it.

    Parameters
    ----------
    binding
        Processor and product.
    body
        Returns what the task of a chunk calls with the chunk's blocks; by default, what computes the outputs.
    salt
        Tells apart graphs of one binding whose tasks do different things.
    """
    body = body or (lambda program, chunk: partial(compute_chunk, program, chunk))
    program = _program(binding)
    read = [source.array.name for source in binding.sources]
    name = f"{binding.processor.name}-{tokenize(program, binding.window, binding.chunk_shape, read, salt)}"
    layer: dict[Any, Any] = {}
    chunks = {}
    rows, columns = binding.spans(0), binding.spans(1)
    for position in binding.positions():
        extent = rows[position[0]], columns[position[1]]
        parts, keys = [], []
        for source in binding.sources:
            spans = binding.needs(source, 0, extent[0]), binding.needs(source, 1, extent[1])
            down, across = (range(*source.block_spans(axis, spans[axis])) for axis in (0, 1))
            blocks = list(product(down, across))
            origins = tuple(
                (source.block_start(0, row), source.block_start(1, column)) for row, column in blocks
            )
            parts.append(Part(source.name, spans, origins))
            keys += [_source_key(layer, name, source, block) for block in blocks]
        chunks[position] = Chunk(position, extent, tuple(parts))
        layer[(name, *position)] = (body(program, chunks[position]), keys)
    arrays: list[Any] = [source.array for source in binding.sources]
    return ChunkGraph(name, HighLevelGraph.from_collections(name, layer, dependencies=arrays), chunks)


def apply(
    processor: Processor,
    product: xr.DataTree,
    parameters: Mapping[str, Any] | Parameters | None = None,
    window: WindowLike = None,
) -> xr.DataTree:
    """Return a processor's outputs on a window of a product, lazily.

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

    Returns
    -------
    xarray.DataTree
        Of dask arrays with the dimensions ``y`` and ``x``; nothing is read before they are computed.

    Raises
    ------
    InputError
        If the product does not have what the processor reads, or parameters or window are refused.
    RunError
        When the arrays are computed: if a step fails.
    """
    binding = bind(processor, product, parameters, window)
    made = chunk_graph(binding)
    arrays: dict[str, Any] = {}
    lengths = tuple(tuple(stop - start for start, stop in binding.spans(axis)) for axis in (0, 1))
    for name in binding.chain.outputs:
        layer_name = f"{name}-{made.name}"
        layer: dict[Any, Any] = {
            (layer_name, *position): (_pick, (made.name, *position), name) for position in binding.positions()
        }
        graph = HighLevelGraph(
            {**made.graph.layers, layer_name: layer}, {**made.graph.dependencies, layer_name: {made.name}}
        )
        dtype = np.dtype(binding.chain.made[name].dtype)
        arrays[name] = da.Array(graph, layer_name, lengths, dtype=dtype)  # type: ignore[no-untyped-call]  # dask
    return tree_of(binding, arrays, {str(key): value for key, value in product.attrs.items()})


def tree_of(binding: Binding, arrays: Mapping[str, Any], attributes: Mapping[str, Any]) -> xr.DataTree:
    """Return arrays, by their names in the chain, as the output product's tree, described."""
    grid = binding.grid.crop(binding.window)
    groups: dict[str, dict[str, xr.DataArray]] = {}
    for name, path in binding.chain.outputs.items():
        group, _, variable = path.rpartition("/")
        output = binding.chain.made[name]
        told = {"long_name": output.description, "units": output.units}
        groups.setdefault(group or "/", {})[variable] = xr.DataArray(
            arrays[name],
            dims=("y", "x"),
            attrs={**{key: text for key, text in told.items() if text}, **output.attrs, **grid.attributes()},
        )
        groups[group or "/"][variable].encoding = {**output.encoding, "chunks": binding.chunk_shape}
    coordinates = {
        "y": ("y", grid.y, {"long_name": "northing of the pixel centre", "units": "m"}),
        "x": ("x", grid.x, {"long_name": "easting of the pixel centre", "units": "m"}),
    }
    tree = xr.DataTree.from_dict(
        {group: xr.Dataset(variables, coords=coordinates) for group, variables in groups.items()}
    )
    tree.attrs = {
        **(
            {"stac_discovery": _discovery(attributes["stac_discovery"], grid)}
            if "stac_discovery" in attributes
            else {}
        ),
        "other_metadata": {
            "processing": {
                "processor": binding.processor.name,
                "version": binding.processor.version,
                "parameters": binding.parameters.model_dump(mode="json"),
                "window": {"rows": list(binding.window.rows), "columns": list(binding.window.columns)},
            }
        },
    }
    return tree


_OF_THE_SOURCE = ("created", "product:type", "processing:level", "processing:lineage", "processing:facility",
                  "processing:version", "gsd", "bands")  # fmt: skip
"""Properties that hold for the source product alone: what is made from it is of another type."""


def _discovery(source: Mapping[str, Any], grid: Grid) -> dict[str, Any]:
    """Return what an output tells to those who look for products: the source's time, its own place."""
    properties = source.get("properties", {})
    kept = {key: value for key, value in properties.items() if key not in _OF_THE_SOURCE}
    if source.get("id"):
        kept["derived_from"] = source["id"]
    return placed({**source, "properties": kept}, grid)


def _program(binding: Binding) -> Program:
    chain = binding.chain
    return Program(
        processor=binding.processor.name,
        steps=tuple(chain.steps),
        sources={s.name: SourceProgram(s.input, s.axes, s.method) for s in binding.sources},
        absent=tuple(chain.inputs[name] for name in binding.absent),
        margins=chain.margins,
        outputs=tuple(chain.outputs),
        shape=binding.grid.shape,
        parameters={
            name: getattr(binding.parameters, name) for name in type(binding.parameters).model_fields
        },
    )


def _source_key(layer: dict[Any, Any], name: str, source: BoundSource, block: tuple[int, int]) -> Key:
    """Return the key of a stored chunk in the dtype that the steps want, adding the task that casts it."""
    read: Key = (source.array.name, *block)
    if source.array.dtype == np.dtype(source.input.dtype):
        return read
    key: Key = (f"{source.name}-{name}", *block)
    layer[key] = (cast, read, source.input.dtype)
    return key


def _pick(outputs: Mapping[str, Any], name: str) -> Any:
    return outputs[name]

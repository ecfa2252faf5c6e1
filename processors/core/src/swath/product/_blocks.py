"""Variables of netCDF files as lazy xarray variables: one task a chunk, decoded by CF."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import dask.array as da
import xarray as xr
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from swath.product._ahead import reads
from swath.product._chunks import source_encoding
from swath.product._prepare import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from swath.io.netcdf import Variable

__all__ = ["decoded", "raw"]


def raw(variable: Variable) -> xr.Variable:
    """Return a variable as stored, lazy, with its chunk source where it has rows and columns."""
    if variable.values is not None:
        return xr.Variable(variable.dimensions, variable.values, dict(variable.attributes))
    chunks = tuple(
        tuple(min(size, n - start) for start in range(0, n, size))
        for n, size in zip(variable.whole, variable.blocks, strict=True)
    )
    name = "read-" + tokenize(variable.store.identity, variable.file, variable.name, variable.whole)
    places = itertools.product(*(range(len(lengths)) for lengths in chunks))
    tasks = {(name, *place): (_read, variable, place) for place in places}
    graph = HighLevelGraph.from_collections(name, tasks)  # type: ignore[arg-type] # keys of any length
    data = da.Array(graph, name, chunks, dtype=variable.dtype)  # type: ignore[no-untyped-call] # dask's
    encoding: dict[str, Any] = {"dtype": variable.dtype}
    if len(variable.whole) >= 2:
        encoding = source_encoding(variable, encoding)
    return xr.Variable(variable.dimensions, data, dict(variable.attributes), encoding)


@reads(lambda place: place)
def _read(variable: Variable, place: tuple[int, ...]) -> npt.NDArray[Any]:
    """Read one block; the body of every reading task."""
    return variable.read_block(place)


def decoded(variables: Mapping[str, xr.Variable], *, times: bool = True) -> dict[str, xr.Variable]:
    """Decode variables by CF: scale, offset, missing values and times; flags keep their masks.

    Attributes are then as JSON has them: numbers, texts and lists.
    """
    found = {}
    for name, variable in variables.items():
        if "flag_masks" in variable.attrs or "flag_values" in variable.attrs:
            # Flags stay whole numbers whatever their missing value says.
            kept = {k: v for k, v in variable.attrs.items() if k not in ("_FillValue", "missing_value")}
            variable = xr.Variable(variable.dims, variable.data, kept, variable.encoding)  # noqa: PLW2901
        found[name] = xr.conventions.decode_cf_variable(
            name, variable, decode_times=times, decode_timedelta=False
        )
        found[name].attrs = plain(found[name].attrs)
    return found

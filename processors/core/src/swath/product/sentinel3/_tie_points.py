"""Tie points brought to the image grid, on demand and chunk by chunk.

Directions and places are interpolated as unit vectors, so that azimuths pass through north, longitudes
through the
180th meridian, and the view through nadir as they do in the air.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from swath.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["on_image_grid"]

_PAIRS = (
    ("sza", "saa"), ("oza", "oaa"),
    ("solar_zenith_tn", "solar_azimuth_tn"), ("sat_zenith_tn", "sat_azimuth_tn"),
    ("solar_zenith_to", "solar_azimuth_to"), ("sat_zenith_to", "sat_azimuth_to"),
)  # fmt: skip
"""Zenith and azimuth that are one direction."""

_PLACE = ("latitude", "longitude")
_CHUNK = 1024

Array = npt.NDArray[Any]


def on_image_grid(product: xr.DataTree, name: str, *, image: str = "measurements") -> xr.DataArray:
    """Return a tie-point variable of an OLCI product on the image grid, lazy.

    Parameters
    ----------
    product
        A product of OLCI, as :func:`swath.open_product` returns it.
    name
        Path of the variable: ``conditions/geometry/sza``, ``conditions/meteorology/humidity``, or of the tie
        points'
        own ``conditions/geometry/latitude``.
    image
        Path of the group that has the image grid; where it is not there, the grid is as large as the
        product's
        metadata says.

    Returns
    -------
    xarray.DataArray
        The variable over (…, rows, columns), NaN where a tie point around is missing. Its chunks are those
        of the
        image, or 1024 a side. Row i, column j is i / rows_per_tiepoint, j / columns_per_tiepoint of the tie
        points; of a product that was cut by :func:`swath.product.select`, i and j count from the row and the
        column of the first tie point that is left.

    Raises
    ------
    InputError
        There is no such variable, it is not on tie points, or the product does not tell where they are.
    """
    path, _, short = name.strip("/").rpartition("/")
    dataset = {node.path.strip("/"): node for node in product.subtree}.get(path, xr.DataTree()).to_dataset()
    if short not in dataset.variables:
        raise InputError(f"no variable {name}: choose one of conditions/geometry or conditions/meteorology")
    variable = dataset[short]
    if variable.dims[-2:] != ("rows", "columns"):
        raise InputError(f"{name} has the dimensions {', '.join(map(str, variable.dims))}, not tie points")
    step, past = _step(product)
    shape, chunks = _image(product, image)
    pair = next(
        (pair for pair in (*_PAIRS, _PLACE) if short in pair and set(pair) <= set(dataset.variables)), None
    )
    tied = [dataset[part] for part in pair] if pair else [variable]
    sources = [_whole(part) for part in tied]
    which = pair.index(short) if pair else 0
    leading = variable.shape[:-2]
    blocks = (*((n,) for n in leading), *chunks)
    starts = [np.concatenate([[0], np.cumsum(lengths)[:-1]]) for lengths in chunks]
    rows, columns = (
        [(int(a) + first, int(a + n) + first) for a, n in zip(start, lengths, strict=True)]
        for start, lengths, first in zip(starts, chunks, past, strict=True)
    )
    token = "tie-" + tokenize(name, shape, [source.name for source in sources], step, past, chunks)
    keys = [(source.name, *(0 for _ in source.shape)) for source in sources]
    zeros = (0,) * len(leading)
    tasks = {
        (token, *zeros, i, j): (_interpolate, which, pair == _PLACE, step, row, column, *keys)
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    }
    graph = HighLevelGraph.from_collections(token, tasks, dependencies=sources)  # type: ignore[arg-type] # keys of any length
    data = da.Array(graph, token, blocks, dtype=np.dtype(np.float64))  # type: ignore[no-untyped-call] # dask's
    attributes = {key: value for key, value in variable.attrs.items() if not key.startswith("valid_")}
    return xr.DataArray(data, dims=variable.dims, name=short, attrs=attributes)


def _whole(variable: xr.DataArray) -> da.Array:
    """Return a tie-point variable as one chunk: there are few of them."""
    data: da.Array = variable.chunk().data
    return data.rechunk(-1)  # type: ignore[no-untyped-call,no-any-return] # dask's


def _step(product: xr.DataTree) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the pixels from one tie point to the next, and from the first tie point to the first pixel."""
    other: Mapping[str, Any] = product.attrs.get("other_metadata", {})
    try:
        sampling = other["data_information"]["sampling"]
        rows, columns = int(sampling["rows_per_tiepoint"]), int(sampling["columns_per_tiepoint"])
        cut = other.get("window", {"rows": [0], "columns": [0]})
        return (rows, columns), (int(cut["rows"][0]) % rows, int(cut["columns"][0]) % columns)
    except (IndexError, KeyError, TypeError, ValueError, ZeroDivisionError):
        raise InputError(
            "the product does not tell how many pixels there are from one tie point to the next "
            "(other_metadata/data_information/sampling); only OLCI products do"
        ) from None


def _image(
    product: xr.DataTree, image: str
) -> tuple[tuple[int, int], tuple[tuple[int, ...], tuple[int, ...]]]:
    node = product.children.get(image) if "/" not in image else product[image]
    for variable in node.data_vars.values() if isinstance(node, xr.DataTree) else ():
        if variable.dims[-2:] == ("rows", "columns"):
            shape = (int(variable.shape[-2]), int(variable.shape[-1]))
            if variable.chunks is not None:
                return shape, (variable.chunks[-2], variable.chunks[-1])
            return shape, (_lengths(shape[0]), _lengths(shape[1]))
    told = product.attrs.get("stac_discovery", {}).get("properties", {}).get("proj:shape")
    if not told:
        raise InputError(f"no image in /{image}, and the product does not tell the size of its images")
    shape = (int(told[0]), int(told[1]))
    return shape, (_lengths(shape[0]), _lengths(shape[1]))


def _lengths(total: int) -> tuple[int, ...]:
    return tuple(min(_CHUNK, total - start) for start in range(0, total, _CHUNK))


def _interpolate(
    which: int,
    place: bool,
    step: tuple[int, int],
    rows: tuple[int, int],
    columns: tuple[int, int],
    *tied: Array,
) -> Array:
    """Interpolate one chunk; the body of every task."""
    if len(tied) == 1:
        return _bilinear(np.asarray(tied[0], np.float64), step, rows, columns)
    first, second = (np.radians(np.asarray(values, np.float64)) for values in tied)
    # From the pole: latitude counts from the equator, zenith from above.
    polar = np.pi / 2 - first if place else first
    vector = (np.sin(polar) * np.cos(second), np.sin(polar) * np.sin(second), np.cos(polar))
    x, y, z = (_bilinear(part, step, rows, columns) for part in vector)
    if which == 1:
        return np.degrees(np.arctan2(y, x))
    polar = np.degrees(np.arctan2(np.hypot(x, y), z))
    return 90 - polar if place else polar


def _bilinear(values: Array, step: tuple[int, int], rows: tuple[int, int], columns: tuple[int, int]) -> Array:
    """Interpolate linearly along both last dimensions."""
    along = _between(values, -2, np.arange(*rows) / step[0])
    return _between(along, -1, np.arange(*columns) / step[1])


def _between(values: Array, axis: int, at: Array) -> Array:
    last = values.shape[axis] - 1
    low = np.clip(np.floor(at).astype(np.intp), 0, max(last - 1, 0))
    weight = np.clip(at - low, 0.0, 1.0)
    if axis == -2:
        weight = weight[:, None]
    lower = np.take(values, low, axis)
    upper = np.take(values, np.minimum(low + 1, last), axis)
    # A weight of nothing takes nothing, also where the neighbour is missing.
    return np.where(weight == 0, lower, lower + weight * (upper - lower))

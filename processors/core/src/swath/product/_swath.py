"""Images on the swath, without a map projection: rows and columns with a latitude and longitude each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import InputError, WindowError
from swath.product.window import Window, parts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "Counted",
    "SwathImage",
    "bounds_of",
    "corners_of",
    "cut_rows_and_columns",
    "image_of",
    "swath_window",
]

_TIES = ("conditions/geometry", "conditions/meteorology")
"""Groups of OLCI that are on tie points."""


@dataclass(frozen=True, slots=True)
class SwathImage:
    """The image grid of a product of OLCI."""

    shape: tuple[int, int]
    """Rows and columns."""
    step: tuple[int, int]
    """Rows and columns from one tie point to the next."""
    origin: tuple[int, int] = (0, 0)
    """Row and column of the first pixel in the image as it was taken: of a product that was cut, not 0."""

    @property
    def past_tie(self) -> tuple[int, int]:
        """Rows and columns from the first tie point, which is kept with a cut, to the first pixel."""
        rows, columns = (first % step for first, step in zip(self.origin, self.step, strict=True))
        return rows, columns


def image_of(tree: xr.DataTree) -> SwathImage | None:
    """Return the image grid of a product on the swath; None where it, or its tie points, are not told."""
    try:
        rows, columns = (int(n) for n in tree.attrs["stac_discovery"]["properties"]["proj:shape"])
        other = tree.attrs["other_metadata"]
        sampling = other["data_information"]["sampling"]
        step = int(sampling["rows_per_tiepoint"]), int(sampling["columns_per_tiepoint"])
        cut = other.get("window", {"rows": [0], "columns": [0]})
        origin = int(cut["rows"][0]), int(cut["columns"][0])
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    if min(*step, rows, columns) < 1 or min(origin) < 0:
        return None
    return SwathImage((rows, columns), step, origin)


def swath_window(tree: xr.DataTree, image: SwathImage, text: str | Mapping[str, Any]) -> Window:
    """Return the window of an image that was asked for, by rows and columns or by longitude and latitude.

    Of longitudes and latitudes: the smallest window of whole cells between tie points that has all in it that
    lies within the bounds. Only the tie points are read.

    Raises
    ------
    WindowError
        Malformed, empty, or with a part outside the image (bounds: wholly outside).
    """
    bounds = bounds_of(text)
    if bounds is None:
        return Window.parse(text, Counted(image.shape))  # type: ignore[arg-type] # rows and columns need no more
    west, east, south, north = bounds
    ties = _tie_places(tree)
    latitude, longitude = dask.compute(ties["latitude"].data, ties["longitude"].data)  # type: ignore[no-untyped-call,attr-defined] # dask's
    width = (east - west) % 360 or 360.0
    turned = (longitude - west - width / 2 + 180) % 360 - 180
    low, high = corners_of(turned)
    bottom, top = corners_of(latitude)
    cells = (
        (top >= south) & (bottom <= north) & (high >= -width / 2) & (low <= width / 2) & (high - low < 180)
    )
    if not cells.any():
        raise WindowError(
            f"window: lon {west:g}:{east:g}, lat {south:g}:{north:g} lies outside the image; valid are about "
            f"lon {np.nanmin(longitude):.4f}:{np.nanmax(longitude):.4f}, "
            f"lat {np.nanmin(latitude):.4f}:{np.nanmax(latitude):.4f}"
        )
    spans = [
        _pixels(cells.any(axis=1 - axis), image.step[axis], image.past_tie[axis], image.shape[axis])
        for axis in (0, 1)
    ]
    return Window(spans[0], spans[1])


def corners_of(values: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Return the least and the greatest of the four tie points around each cell between them."""
    around = np.stack([values[:-1, :-1], values[:-1, 1:], values[1:, :-1], values[1:, 1:]])
    return around.min(axis=0), around.max(axis=0)


@dataclass(frozen=True, slots=True)
class Counted:
    """As much of a grid as a window of rows and columns needs."""

    shape: tuple[int, int]


def bounds_of(text: str | Mapping[str, Any]) -> tuple[float, float, float, float] | None:
    """Return west, east, south and north of a window; None where it is one of rows and columns.

    Raises
    ------
    WindowError
        It is malformed, or the bounds are empty, or no place on Earth.
    """
    parts = parts_of(text)
    if parts.keys() != {"lon", "lat"}:
        return None
    (west, east), (south, north) = parts["lon"], parts["lat"]
    if not (-180 <= west <= 180 and -180 <= east <= 180 and -90 <= south < north <= 90 and west != east):
        raise WindowError(
            f"window: lon {west:g}:{east:g}, lat {south:g}:{north:g} is empty or no place on Earth; valid "
            f"are lon "
            "WEST:EAST within -180:180 and lat SOUTH:NORTH within -90:90, in degrees"
        )
    return west, east, south, north


def _tie_places(tree: xr.DataTree) -> xr.Dataset:
    nodes = {node.path.strip("/"): node for node in tree.subtree}
    for path in _TIES:
        if path in nodes and {"latitude", "longitude"} <= set(nodes[path].variables):
            return nodes[path].to_dataset()
    raise InputError(
        "a window of longitude and latitude needs the tie points of the product, and the chosen variables "
        "have none: "
        "choose conditions/geometry too, or give rows and columns"
    )


def _pixels(inside: npt.NDArray[np.bool_], step: int, past: int, length: int) -> tuple[int, int]:
    """Return the pixels from the first cell inside to the last one, counted from the first pixel."""
    found = np.flatnonzero(inside)
    start = min(max(int(found[0]) * step - past, 0), length - 1)
    return start, min((int(found[-1]) + 1) * step - past + 1, length)


def cut_rows_and_columns(tree: xr.DataTree, image: SwathImage, window: Window) -> xr.DataTree:
    """Return the part of a product on the swath in a window of its image; tie points around it are kept.

    The member ``window`` of ``other_metadata`` tells where the part lies in the image as it was taken: from
    that follows which pixel the first tie point is on.
    """
    datasets = {}
    spans = (window.rows, window.columns)
    ties = [
        slice((start + past) // step, -(-(stop - 1 + past) // step) + 1)
        for (start, stop), step, past in zip(spans, image.step, image.past_tie, strict=True)
    ]
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        tied = node.path.strip("/") in _TIES
        rows, columns = ties if tied else window.slices
        chosen = {}
        if "rows" in dataset.sizes and (tied or dataset.sizes["rows"] == image.shape[0]):
            chosen["rows"] = rows
        if "columns" in dataset.sizes and (tied or dataset.sizes["columns"] == image.shape[1]):
            chosen["columns"] = columns
        datasets[node.path] = dataset.isel(chosen)
    root = datasets["/"]
    discovery = root.attrs.get("stac_discovery", {})
    properties = {**discovery.get("properties", {}), "proj:shape": list(window.shape)}
    told = {**discovery, "properties": properties}
    other = dict(root.attrs.get("other_metadata", {}))
    where = [[first + n for n in span] for first, span in zip(image.origin, spans, strict=True)]
    other["window"] = {"rows": where[0], "columns": where[1]}
    root.attrs = {**root.attrs, "stac_discovery": told, "other_metadata": other}
    return xr.DataTree.from_dict(datasets)

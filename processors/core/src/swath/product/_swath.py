"""Images on the swath, without a map projection: rows and columns with a latitude and longitude each."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import InputError, WindowError
from swath.product.window import Window

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

_NUMBER = r"[-+]?\d+(?:\.\d+)?"
_BOUNDS = re.compile(
    rf"\s*(lon|lat)\w*\s+({_NUMBER})\s*:\s*({_NUMBER})\s*,\s*(lon|lat)\w*\s+({_NUMBER})\s*:\s*({_NUMBER})\s*"
)


@dataclass(frozen=True, slots=True)
class SwathImage:
    """The image grid of a product of OLCI."""

    shape: tuple[int, int]
    """Rows and columns."""
    step: tuple[int, int]
    """Rows and columns from one tie point to the next."""


def image_of(tree: xr.DataTree) -> SwathImage | None:
    """Return the image grid of a product on the swath; None where it, or its tie points, are not told."""
    discovery = tree.attrs.get("stac_discovery", {})
    told = discovery.get("properties", {}).get("proj:shape")
    sampling = tree.attrs.get("other_metadata", {}).get("data_information", {}).get("sampling", {})
    try:
        rows, columns = (int(n) for n in told)
        step = int(sampling["rows_per_tiepoint"]), int(sampling["columns_per_tiepoint"])
    except (KeyError, TypeError, ValueError):
        return None
    return SwathImage((rows, columns), step)


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
    rows = _pixels(cells.any(axis=1), image.step[0], image.shape[0])
    columns = _pixels(cells.any(axis=0), image.step[1], image.shape[1])
    return Window(rows, columns)


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
        The bounds are empty, or no place on Earth.
    """
    if isinstance(text, str):
        found = _BOUNDS.fullmatch(text)
        if found is None or found[1] == found[4]:
            return None
        pairs = {found[1]: (float(found[2]), float(found[3])), found[4]: (float(found[5]), float(found[6]))}
    elif {"lon", "lat"} <= set(text):
        pairs = {key: (float(text[key][0]), float(text[key][1])) for key in ("lon", "lat")}
    else:
        return None
    (west, east), (south, north) = pairs["lon"], pairs["lat"]
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


def _pixels(inside: npt.NDArray[np.bool_], step: int, length: int) -> tuple[int, int]:
    """Return the pixels from the first cell inside to the last one."""
    found = np.flatnonzero(inside)
    return min(int(found[0]) * step, length - 1), min((int(found[-1]) + 1) * step + 1, length)


def cut_rows_and_columns(tree: xr.DataTree, image: SwathImage, window: Window) -> xr.DataTree:
    """Return the part of a product on the swath in a window of its image; tie points around it are kept."""
    datasets = {}
    first = tuple(
        start // step for start, step in zip((window.rows[0], window.columns[0]), image.step, strict=True)
    )
    ends = (window.rows[1], window.columns[1])
    last = tuple(-(-(stop - 1) // step) + 1 for stop, step in zip(ends, image.step, strict=True))
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        tied = node.path.strip("/") in _TIES
        rows, columns = (slice(first[0], last[0]), slice(first[1], last[1])) if tied else window.slices
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
    other["window"] = {"rows": list(window.rows), "columns": list(window.columns)}
    root.attrs = {**root.attrs, "stac_discovery": told, "other_metadata": other}
    return xr.DataTree.from_dict(datasets)

"""Windows of radar images: by longitude and latitude of their control points, or by lines and pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.errors import InputError, WindowError
from swath.product._swath import Counted, bounds_of, corners_of
from swath.product.window import Window

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["cut_radar", "is_radar"]

_POINTS = "conditions/gcp"
"""Group of the ground control points of an image."""


def is_radar(tree: xr.DataTree) -> bool:
    """Tell whether the children of the root are images with ground control points, as of Sentinel-1."""
    images = list(tree.children.values())
    return bool(images) and all(
        _points(image) is not None and "measurements" in image.children for image in images
    )


def _points(image: xr.DataTree) -> xr.Dataset | None:
    try:
        points = image[_POINTS].to_dataset()
    except KeyError:
        return None
    return points if {"latitude", "longitude"} <= set(points.variables) else None


def cut_radar(tree: xr.DataTree, text: str) -> xr.DataTree:
    """Return the parts of the images of a product that lie in a window; images outside of it are left out.

    Of longitude and latitude: the lines and pixels of the cells between ground control points that touch the
    bounds. Of rows and columns, which need a product of one image: the lines and pixels themselves. Only the
    control points are read. Tables (orbit, calibration, the points themselves) stay whole.

    Raises
    ------
    InputError
        Rows and columns are asked for of a product of several images.
    WindowError
        The window is malformed, or no image lies in it.
    """
    bounds = bounds_of(text)
    if bounds is None:
        if len(tree.children) != 1:
            raise InputError(
                f"window {text!r}: rows and columns are those of one image, and the product has "
                f"{len(tree.children)}: "
                "choose one by swath, polarisation and burst, or give longitude and latitude"
            )
        (image,) = tree.children.values()
        shape = _shape(image["measurements"].to_dataset())
        window = Window.parse(text, Counted(shape))  # type: ignore[arg-type] # rows and columns need no more
        parts = {str(image.name): window.slices}
    else:
        found = {str(name): _lines_and_pixels(image, bounds) for name, image in tree.children.items()}
        parts = {name: part for name, part in found.items() if part is not None}
        if not parts:
            raise WindowError(f"window {text!r} lies outside the images; they lie in {_told(tree)}")
    cut = {name: _cut(tree[name], *part) for name, part in parts.items()}  # type: ignore[arg-type] # a node
    return xr.DataTree(tree.to_dataset(), children=cut)


def _shape(images: xr.Dataset) -> tuple[int, int]:
    image = next(array for array in images.data_vars.values() if array.ndim >= 2)
    return int(image.shape[-2]), int(image.shape[-1])


def _lines_and_pixels(
    image: xr.DataTree, bounds: tuple[float, float, float, float]
) -> tuple[slice, slice] | None:
    """Return the lines and pixels around the cells that touch the bounds; None where none does."""
    west, east, south, north = bounds
    points = _points(image)
    images = image["measurements"].to_dataset()
    if points is None or min(points["latitude"].shape) < 2:
        return None
    width = (east - west) % 360 or 360.0
    turned = (points["longitude"].values - west - width / 2 + 180) % 360 - 180
    low, high = corners_of(turned)
    bottom, top = corners_of(points["latitude"].values)
    cells = (
        (top >= south) & (bottom <= north) & (high >= -width / 2) & (low <= width / 2) & (high - low < 180)
    )
    if not cells.any():
        return None
    lines, pixels = points["latitude"].dims
    rows = _between(points[lines].values, cells.any(axis=1), images[lines].values)
    columns = _between(points[pixels].values, cells.any(axis=0), images[pixels].values)
    return None if rows is None or columns is None else (rows, columns)


def _between(nodes: npt.NDArray[Any], inside: npt.NDArray[np.bool_], axis: npt.NDArray[Any]) -> slice | None:
    """Return the positions on an axis from the first cell inside to the last one."""
    cells = np.flatnonzero(inside)
    first, last = nodes[cells[0]], nodes[cells[-1] + 1]
    found = np.flatnonzero((axis >= min(first, last)) & (axis <= max(first, last)))
    return slice(int(found[0]), int(found[-1]) + 1) if len(found) else None


def _cut(image: xr.DataTree, rows: slice, columns: slice) -> xr.DataTree:
    """Cut what lies on the lines and pixels of an image."""
    images = image["measurements"].to_dataset()
    first = next(array for array in images.data_vars.values() if array.ndim >= 2)
    axes = {str(first.dims[-2]): rows, str(first.dims[-1]): columns}
    datasets = {}
    for node in image.subtree:
        dataset = node.to_dataset(inherit=False)
        chosen = {
            name: part for name, part in axes.items()
            if name in dataset.sizes and dataset.sizes[name] == images.sizes[name]
        }  # fmt: skip
        datasets[node.path.removeprefix(image.path) or "/"] = dataset.isel(chosen)
    return xr.DataTree.from_dict(datasets, name=image.name)


def _told(tree: xr.DataTree) -> str:
    points = [found for image in tree.children.values() if (found := _points(image)) is not None]
    west = min(float(found["longitude"].min()) for found in points)
    east = max(float(found["longitude"].max()) for found in points)
    south = min(float(found["latitude"].min()) for found in points)
    north = max(float(found["latitude"].max()) for found in points)
    return f"about lon {west:.4f}:{east:.4f}, lat {south:.4f}:{north:.4f}"

"""Windows of images whose pixels have a latitude and a longitude each, on several grids in one product.

SLSTR has two views, each on grids of its own (S3IPF PDS 005.1: stripes a and b at 500 m, f and i at 1 km); a
window by longitude and latitude is looked for on each of them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import xarray as xr

from swath.errors import InputError, WindowError
from swath.product._swath import Counted, bounds_of
from swath.product.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["cut_places", "grid_name", "has_places", "placed_images"]

_GRID = re.compile(r"/([abcfi](?:nadir|oblique))(?=/|$)")
"""Part of a path that names the grid of SLSTR on which a group is."""

_TIES = ("/conditions/geometry", "/conditions/meteorology")
"""What groups of tie points begin with: their places are not those of pixels."""

_ROWS, _COLUMNS = "rows", "columns"

Image = tuple[str, int, int]
"""Name of a grid, empty in products that name none, its rows and its columns."""


def grid_name(path: str) -> str:
    """Return the name of the grid that a group is on, as its path tells it; empty where it tells none."""
    found = _GRID.search(f"/{path.strip('/')}")
    return found[1] if found else ""


def has_places(dataset: xr.Dataset) -> bool:
    """Tell whether each pixel has a latitude and a longitude of its own."""
    if not {"latitude", "longitude"} <= set(dataset.coords):
        return False
    return dataset["latitude"].ndim == 2 and dataset["latitude"].dims == dataset["longitude"].dims


def placed_images(tree: xr.DataTree) -> dict[Image, xr.Dataset]:
    """Return the images of a product whose pixels have places, each with the group that tells them."""
    found: dict[Image, xr.Dataset] = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        if node.path.startswith(_TIES) or not has_places(dataset):
            continue
        if dataset["latitude"].dims == (_ROWS, _COLUMNS):
            rows, columns = dataset["latitude"].shape
            found.setdefault((grid_name(node.path), rows, columns), dataset)
    return found


def cut_places(
    tree: xr.DataTree, images: Mapping[Image, xr.Dataset], text: str | Mapping[str, Any]
) -> xr.DataTree:
    """Return the part of a product in a window, on all of its images.

    Of bounds of longitude and latitude: on each image the smallest window that has all pixels whose centre
    lies within. For that the places of the images are read. Images without such a pixel are left out; tie
    points, and whatever else is on none of the images, stay whole.

    Raises
    ------
    WindowError
        Malformed, empty, or wholly outside.
    InputError
        Rows and columns of a product that has several images.
    """
    bounds = bounds_of(text)
    windows = _by_bounds(images, bounds) if bounds is not None else _by_numbers(images, text)
    datasets: dict[str, xr.Dataset] = {}
    for node in tree.subtree:
        image = _image_of(node, images)
        dataset = node.to_dataset(inherit=False)
        if image is None:
            datasets[node.path] = dataset
        elif image in windows:
            rows, columns = windows[image].slices
            chosen = {_ROWS: rows, _COLUMNS: columns} if _COLUMNS in dataset.dims else {_ROWS: rows}
            datasets[node.path] = dataset.isel(chosen)
    datasets["/"].attrs = _described(datasets["/"].attrs, windows)
    return xr.DataTree.from_dict(datasets)


def _image_of(node: xr.DataTree, images: Mapping[Image, xr.Dataset]) -> Image | None:
    """Return the image that a group is on: of its grid, with its rows, and its columns if it has any."""
    sizes, name = node.to_dataset(inherit=False).sizes, grid_name(node.path)
    for image in images:
        _, rows, columns = image
        if image[0] == name and sizes.get(_ROWS) == rows and sizes.get(_COLUMNS, columns) == columns:
            return image
    return None


def _by_numbers(images: Mapping[Image, xr.Dataset], text: str | Mapping[str, Any]) -> dict[Image, Window]:
    if len(images) > 1:
        there = ", ".join(f"{name or 'image'} {rows} x {columns}" for name, rows, columns in images)
        raise InputError(
            f"rows and columns count on one image, and this product has {len(images)} ({there}): "
            "give bounds, 'lon WEST:EAST, lat SOUTH:NORTH'"
        )
    (image,) = images
    return {image: Window.parse(text, Counted(image[1:]))}  # type: ignore[arg-type] # rows and columns need no more


def _by_bounds(
    images: Mapping[Image, xr.Dataset], bounds: tuple[float, float, float, float]
) -> dict[Image, Window]:
    west, east, south, north = bounds
    width = (east - west) % 360 or 360.0
    asked = []
    for dataset in images.values():
        latitude, longitude = dataset["latitude"], dataset["longitude"]
        inside = (latitude >= south) & (latitude <= north) & ((longitude - west) % 360 <= width)
        asked.append([inside.any(_COLUMNS), inside.any(_ROWS)])
    seen = dask.compute(asked)[0]  # type: ignore[no-untyped-call,attr-defined] # dask's
    windows = {}
    for image, (rows, columns) in zip(images, seen, strict=True):
        if rows.any():
            windows[image] = Window(_span(rows.values), _span(columns.values))
    if not windows:
        raise WindowError(
            f"window: lon {west:g}:{east:g}, lat {south:g}:{north:g} has no pixel of the product in it; "
            "its outline is in the product's metadata (swath info)"
        )
    return windows


def _span(inside: np.ndarray[Any, np.dtype[np.bool_]]) -> tuple[int, int]:
    found = np.flatnonzero(inside)
    return int(found[0]), int(found[-1]) + 1


def _described(attributes: Mapping[str, Any], windows: Mapping[Image, Window]) -> dict[str, Any]:
    """Return the attributes of the root with the windows, and the shape of the largest image that is left."""
    discovery = attributes.get("stac_discovery", {})
    largest = max((window.shape for window in windows.values()), key=lambda shape: shape[0] * shape[1])
    properties = {**discovery.get("properties", {}), "proj:shape": list(largest)}
    told = {
        name: {"rows": list(window.rows), "columns": list(window.columns)}
        for (name, *_), window in windows.items()
    }
    other = {**attributes.get("other_metadata", {}), "window": told.get("", told)}
    return {
        **attributes,
        "stac_discovery": {**discovery, "properties": properties},
        "other_metadata": other,
    }

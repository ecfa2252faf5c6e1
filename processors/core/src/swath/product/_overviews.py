"""Overviews: images again and again at half the size, so that a picture of the whole costs little.

They lie beside the groups that they are made of: ``measurements/reflectance/overviews/r10m/2`` is of
``measurements/reflectance/r10m``. The group above tells all of them by the Zarr convention for multiscale
layouts, and each level its place by the conventions of GeoZarr.

Sources: Zarr conventions *multiscales*, *spatial* and *geo-proj*, version 1; the GeoZarr product of the EOPF
Explorer.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import InputError
from swath.product._grid_mapping import image_grid
from swath.product._prepare import KEPT
from swath.product.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["ADDED", "GROUP", "add_overviews", "overview_groups", "plain_attributes"]

GROUP = "overviews"
"""Name of the group of all levels."""

ADDED = "swath_added"
"""Attribute of a group that names the attributes which came with the overviews."""

SMALLEST = 256
"""Rows or columns, whichever are more, of the last level at most: what a viewer shows as one tile."""

_REPOSITORIES = {
    "multiscales": ("d35379db-88df-4056-af3a-620245f8e347", "Multiscale layout of zarr datasets"),
    "spatial": ("689b58e2-cf7b-45e0-9fff-9cfc0883d6b4", "Spatial coordinate information"),
    "geo-proj": ("f17cb550-5864-4468-aeb7-f3180cfb622f",
                 "Coordinate reference system information for geospatial data"),
}  # fmt: skip
"""Name of a convention → its identifier and description, as its specification has them."""

_NAMES = {"multiscales": "multiscales", "spatial": "spatial:", "geo-proj": "proj:"}


def _convention(name: str) -> dict[str, str]:
    identifier, description = _REPOSITORIES[name]
    return {
        "uuid": identifier,
        "schema_url": f"https://raw.githubusercontent.com/zarr-conventions/{name}/refs/tags/v1/schema.json",
        "spec_url": f"https://github.com/zarr-conventions/{name}/blob/v1/README.md",
        "name": _NAMES[name],
        "description": description,
    }


def add_overviews(tree: xr.DataTree) -> xr.DataTree:
    """Return a product with overviews of all images that are on a grid, lazily.

    Each level has half the rows and columns of the one before, until they fit 256 pixels. Real numbers are
    the mean of the pixels that are not missing; whole numbers (flags, classes, counts) are those of the upper
    left pixel of four, because their mean would mean nothing.

    Raises
    ------
    InputError
        No group below the root has images on a grid.
    """
    datasets = {node.path: node.to_dataset(inherit=False) for node in tree.subtree}
    layouts: dict[str, list[dict[str, Any]]] = {}
    grids: dict[str, list[Grid]] = {}
    for node in list(tree.subtree):
        grid = image_grid(node.to_dataset())
        if grid is None or node.parent is None:
            continue
        parent, name = node.parent.path.rstrip("/"), str(node.name)
        levels = _levels(node.to_dataset(), grid)
        if not levels:
            continue
        entries = layouts.setdefault(parent, [])
        entries.append({"asset": name, **_place(grid)})
        grids.setdefault(parent, []).append(grid)
        datasets[node.path] = _told(datasets[node.path], _spatial(grid))
        before = name
        for factor, (level, smaller) in levels.items():
            asset = f"{GROUP}/{name}/{factor}"
            entries.append({
                "asset": asset, "derived_from": before, "resampling_method": _method(level),
                "transform": {"scale": [2.0, 2.0], "translation": [0.0, 0.0]}, **_place(smaller),
            })  # fmt: skip
            datasets[f"{parent}/{asset}"] = _told(level, _spatial(smaller))
            before = asset
    if not layouts:
        raise InputError(
            f"no image is on a grid and larger than {SMALLEST} pixels, so that there is nothing to make "
            f"overviews "
            "of: leave that option out"
        )
    for parent, entries in layouts.items():
        path = parent or "/"
        datasets[path] = _told(datasets[path], _multiscale(entries, grids[parent]))
    return xr.DataTree.from_dict(datasets)


def _method(level: xr.Dataset) -> str:
    return "average" if any(array.dtype.kind == "f" for array in level.data_vars.values()) else "nearest"


def _levels(dataset: xr.Dataset, grid: Grid) -> dict[int, tuple[xr.Dataset, Grid]]:
    levels: dict[int, tuple[xr.Dataset, Grid]] = {}
    factor = 1
    while max(grid.shape) > SMALLEST:
        factor *= 2
        a, b, c, d, e, f = grid.transform
        shape = (math.ceil(grid.shape[0] / 2), math.ceil(grid.shape[1] / 2))
        grid = Grid(shape, (2 * a, 2 * b, c, 2 * d, 2 * e, f), grid.crs)
        images = {
            name: _image(array.variable, grid)
            for name, array in dataset.data_vars.items()
            if array.dims[-2:] == ("y", "x") and "proj:epsg" in array.attrs and array.dtype.kind in "biuf"
        }
        dataset = xr.Dataset(images, {"y": ("y", grid.y), "x": ("x", grid.x)})
        levels[factor] = (dataset, grid)
    return levels


def _image(variable: xr.Variable, grid: Grid) -> xr.Variable:
    kept = {key: variable.encoding[key] for key in KEPT if key in variable.encoding}
    data = _halved(variable.data)
    return xr.Variable(variable.dims, data, {**variable.attrs, **grid.attributes()}, kept)


def _halved(data: Any) -> Any:
    """Return an image at half the size, in chunks of the same size as before."""
    if not isinstance(data, da.Array):
        return _half(np.asarray(data))
    sizes = tuple(max(lengths) for lengths in data.chunks[-2:])
    # Blocks of even length, so that four pixels that become one are in one block.
    even = tuple(size if size % 2 == 0 else 2 * size for size in sizes)
    leading = data.chunks[:-2]
    aligned = data.rechunk((*leading, *even))  # type: ignore[no-untyped-call] # dask's
    chunks = tuple(tuple(-(-n // 2) for n in lengths) for lengths in aligned.chunks[-2:])
    halved = da.map_blocks(_half, aligned, dtype=data.dtype, chunks=(*leading, *chunks))  # type: ignore[no-untyped-call] # dask's
    return halved.rechunk((*leading, *sizes))


def _half(block: npt.NDArray[Any]) -> npt.NDArray[Any]:
    if block.dtype.kind != "f":
        return block[..., ::2, ::2]
    rows, columns = block.shape[-2:]
    odd = [(0, 0)] * (block.ndim - 2) + [(0, rows % 2), (0, columns % 2)]
    whole = np.pad(block, odd, constant_values=np.nan) if rows % 2 or columns % 2 else block
    total = np.zeros((*block.shape[:-2], whole.shape[-2] // 2, whole.shape[-1] // 2), np.float64)
    number = np.zeros(total.shape, np.uint8)
    for part in (whole[..., i::2, j::2] for i in (0, 1) for j in (0, 1)):
        there = ~np.isnan(part)
        np.add(total, part, out=total, where=there)
        number += there
    with np.errstate(invalid="ignore"):
        mean: npt.NDArray[Any] = (total / number).astype(block.dtype)
    return mean


def _place(grid: Grid) -> dict[str, Any]:
    return {"spatial:shape": list(grid.shape), "spatial:transform": list(grid.transform)}


def _spatial(grid: Grid) -> dict[str, Any]:
    return {
        "zarr_conventions": [_convention("spatial"), _convention("geo-proj")],
        "spatial:dimensions": ["y", "x"],
        "spatial:bbox": list(grid.bounds),
        "spatial:registration": "pixel",
        "proj:code": grid.crs,
        **_place(grid),
    }


def _multiscale(entries: list[dict[str, Any]], grids: list[Grid]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "zarr_conventions": [_convention("multiscales"), _convention("spatial")],
        "multiscales": {"layout": entries, "resampling_method": "average"},
        "spatial:dimensions": ["y", "x"],
    }
    if len({grid.crs for grid in grids}) == 1:
        west, south, east, north = zip(*(grid.bounds for grid in grids), strict=True)
        told["zarr_conventions"] = [*told["zarr_conventions"], _convention("geo-proj")]
        told["spatial:bbox"] = [min(west), min(south), max(east), max(north)]
        told["proj:code"] = grids[0].crs
    return told


def _told(dataset: xr.Dataset, attributes: Mapping[str, Any]) -> xr.Dataset:
    """Return a group with attributes that it had not, and the list of their names."""
    new = {key: value for key, value in attributes.items() if key not in dataset.attrs}
    return dataset.assign_attrs({**new, ADDED: sorted(new)})


def overview_groups(groups: Mapping[str, Mapping[str, Any]]) -> frozenset[str]:
    """Return the paths of groups that hold overviews, of all groups with their attributes.

    Paths have no slash around them. Only overviews that :func:`add_overviews` made are known by name: other
    multiscale products hold data in their levels.
    """
    above = {path for path, attributes in groups.items() if _lists_overviews(attributes)}
    roots = [f"{path}/{GROUP}".lstrip("/") for path in above]
    return frozenset(path for path in groups if any(f"{path}/".startswith(f"{root}/") for root in roots))


def _lists_overviews(attributes: Mapping[str, Any]) -> bool:
    layout = attributes.get("multiscales")
    entries: Iterable[Any] = layout.get("layout", []) if isinstance(layout, dict) else []
    added = attributes.get(ADDED)
    return (
        isinstance(added, list)
        and "multiscales" in added
        and any(
            isinstance(entry, dict) and str(entry.get("asset", "")).startswith(f"{GROUP}/")
            for entry in entries
        )
    )


def plain_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a group's attributes without those that came with overviews."""
    added = attributes.get(ADDED)
    names = {*added, ADDED} if isinstance(added, list) else set()
    return {key: value for key, value in attributes.items() if key not in names}

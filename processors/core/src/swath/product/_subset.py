"""Parts of products: chosen variables, and windows on all grids at once."""

from __future__ import annotations

import math
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import xarray as xr

from swath.errors import InputError, MetadataError
from swath.product._footprint import grid_footprint
from swath.product.grid import Grid
from swath.product.window import Window

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["cut_window", "placed", "select_variables"]


def select_variables(tree: xr.DataTree, patterns: Sequence[str]) -> xr.DataTree:
    """Return the tree with only the variables whose path (without the leading /) fits one of the patterns.

    Parameters
    ----------
    tree
        A product.
    patterns
        As in a shell: ``measurements/*``, ``*/r10m/b0[234]``; ``*`` goes over several levels.

    Raises
    ------
    InputError
        A pattern fits no variable; some paths that there are are told.
    """
    paths = {f"{node.path}/{name}".strip("/") for node in tree.subtree for name in node.data_vars}
    for pattern in patterns:
        if not any(_fits(path, pattern) for path in paths):
            told = ", ".join(sorted(paths)[:3])
            raise InputError(f"no variable fits {pattern!r}; there are {len(paths)}, such as {told}")
    datasets = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        prefix = f"{node.path}/".lstrip("/")
        kept = [name for name in dataset.data_vars if any(_fits(f"{prefix}{name}", p) for p in patterns)]
        if kept or node.path == "/":
            datasets[node.path] = dataset[kept]
    return xr.DataTree.from_dict(datasets)


def _fits(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern.strip("/")) or fnmatchcase(path, f"{pattern.strip('/')}/*")


def cut_window(tree: xr.DataTree, text: str | dict[str, Any]) -> xr.DataTree:
    """Return the part of a product in a window, on all of its grids.

    Rows and columns count on the finest grid of the tree; on the coarser ones, all pixels that touch the
    window are kept. Angles and whatever else has no pixel grid stay whole.

    Raises
    ------
    WindowError
        See :meth:`swath.product.Window.parse`.
    InputError
        The tree has no grid.
    """
    grids = {node.path: grid for node in tree.subtree if (grid := _grid(node)) is not None}
    if not grids:
        raise InputError("a window needs a pixel grid, and none of the chosen variables has one")
    finest = min(grids.values(), key=lambda grid: grid.resolution)
    wanted = finest.crop(Window.parse(text, finest))
    datasets = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        if node.path in grids:
            dataset = _cut(dataset, grids[node.path], wanted)
        datasets[node.path] = dataset
    attributes = datasets["/"].attrs
    datasets["/"].attrs = {
        **attributes,
        "stac_discovery": placed(attributes.get("stac_discovery", {}), wanted),
    }
    return xr.DataTree.from_dict(datasets)


def _grid(node: xr.DataTree) -> Grid | None:
    if not any(a.dims[-2:] == ("y", "x") and "proj:epsg" in a.attrs for a in node.data_vars.values()):
        return None
    try:
        return Grid.of(node)
    except MetadataError:
        return None


def _cut(dataset: xr.Dataset, grid: Grid, wanted: Grid) -> xr.Dataset:
    (left, bottom, right, top), (a, _, c, _, e, f) = wanted.bounds, grid.transform
    columns = sorted(((left - c) / a, (right - c) / a))
    rows = sorted(((bottom - f) / e, (top - f) / e))
    window = Window(_outward(rows, grid.shape[0]), _outward(columns, grid.shape[1]))
    rows_slice, columns_slice = window.slices
    cut = dataset.isel(y=rows_slice, x=columns_slice)
    for name in cut.data_vars:
        if cut[name].dims[-2:] == ("y", "x"):
            cut[name].attrs.update(grid.crop(window).attributes())
    return cut


def _outward(span: list[float], length: int) -> tuple[int, int]:
    low, high = math.floor(round(span[0], 6)), math.ceil(round(span[1], 6))
    return max(low, 0), min(high, length)


def placed(discovery: Mapping[str, Any], grid: Grid) -> dict[str, Any]:
    """Return ``stac_discovery`` attributes with the outline, and all else of the place, of another grid."""
    properties = discovery.get("properties", {})
    told = {
        "proj:code": grid.crs,
        "proj:epsg": grid.epsg,
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform),
        "proj:bbox": list(grid.bounds),
    }
    kept = {key: value for key, value in told.items() if key in properties}
    geometry, bbox = grid_footprint(grid)
    return {**discovery, "bbox": bbox, "geometry": geometry, "properties": {**properties, **kept}}

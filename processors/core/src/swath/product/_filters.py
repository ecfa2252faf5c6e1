"""Filters: less than the whole of a product, so that nothing else is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import xarray as xr

from swath.errors import InputError, MetadataError
from swath.product._choices import in_time, of_bands, of_detectors, of_images, where
from swath.product._flag_expression import flag_mask, split_expression
from swath.product._pixel_places import cut_places, grid_name, has_places, placed_images
from swath.product._polygon import Ring, box_of, inside_rings, on_grid, read_rings
from swath.product._radar import cut_radar, is_radar
from swath.product._subset import cut_window, select_variables
from swath.product._swath import cut_rows_and_columns, image_of, swath_window
from swath.product.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Filters", "select"]

_RESOLUTION = re.compile(r"r(\d+)m")
"""Group that holds variables of one resolution."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What of a product is wanted; what is empty asks for everything. All of them hold at once."""

    include: tuple[str, ...] = ()
    """Patterns of paths of variables, or of groups with all that is in them; see
    :func:`swath.product.select_variables`."""
    resolution: tuple[int, ...] = ()
    """Metres: of what is in groups of a resolution (``r20m``), only these; all that is in no such group
    stays."""
    window: str | None = None
    """Rows and columns of the finest grid, or bounds of longitude and latitude."""
    polygon: str | None = None
    """Path of a GeoJSON polygon in EPSG:4326, or its text. What is around it is cut away, and pixels whose
    centre
    lies outside are missing (NaN) in variables of real numbers."""
    where: str | None = None
    """``PATH: EXPRESSION`` of flags; where it does not hold, variables of real numbers on the same pixels are
    missing."""
    time: str | None = None
    """``START/STOP`` in UTC, of which one may be empty; rows that were taken then (the stop excluded)."""
    band: tuple[str, ...] = ()
    """``b02``, ``oa08``, ``s7``: of variables of bands, only of these; all that is of no band stays."""
    detector: tuple[int, ...] = ()
    """Numbers of detectors: of what is of one detector, only of these. On a map, pixels that others saw are
    missing (NaN) in variables of real numbers."""
    burst: tuple[str, ...] = ()
    """Of images of Sentinel-1: number of the burst in its image, from 0, or its identifier."""
    polarisation: tuple[str, ...] = ()
    """Of images of Sentinel-1: ``VV``."""
    swath: tuple[str, ...] = ()
    """Of images of Sentinel-1: ``IW1``."""


def select(product: xr.DataTree, filters: Filters) -> xr.DataTree:
    """Return what is wanted of a product, lazily.

    Reads nothing but what deciding needs: the tie points for bounds on a swath, time stamps for times.

    Raises
    ------
    InputError
        A filter asks for what the product has not, or is malformed.
    WindowError
        A window is malformed, or lies outside the product.
    """
    tree = product
    if filters.burst or filters.polarisation or filters.swath:
        tree = of_images(tree, burst=filters.burst, polarisation=filters.polarisation, swath=filters.swath)
    flags = None
    if filters.where:
        path, expression = split_expression(filters.where)
        found = {
            f"{node.path}/{name}".strip("/"): array
            for node in tree.subtree
            for name, array in node.data_vars.items()
        }
        if path not in found:
            near = [other for other in found if found[other].attrs.get("flag_meanings")]
            raise InputError(f"no variable {path!r} with flags; there are {', '.join(near) or 'none'}")
        flags = flag_mask(found[path], expression)
        tree = _masked(tree, path, flags)
    polygon = read_rings(filters.polygon) if filters.polygon else None
    for text in (filters.window, box_of(polygon) if polygon else None):
        if text:
            tree = _cut(tree, text)
    if filters.time:
        tree = in_time(tree, filters.time)
    if polygon:
        tree = _inside(tree, polygon)
    if filters.detector:
        tree = of_detectors(tree, filters.detector)
    if filters.band:
        tree = of_bands(tree, filters.band)
    if filters.resolution:
        tree = _of_resolution(tree, filters.resolution)
    return select_variables(tree, filters.include) if filters.include else tree


def _cut(tree: xr.DataTree, text: str) -> xr.DataTree:
    if is_radar(tree):
        return cut_radar(tree, text)
    if any("proj:epsg" in a.attrs for node in tree.subtree for a in node.data_vars.values()):
        return cut_window(tree, text)
    image = image_of(tree)
    if image is None:
        placed = placed_images(tree)
        return cut_places(tree, placed, text) if placed else cut_window(tree, text)
    return cut_rows_and_columns(tree, image, swath_window(tree, image, text))


def _of_resolution(tree: xr.DataTree, wanted: Sequence[int]) -> xr.DataTree:
    names = [_RESOLUTION.fullmatch(node.name or "") for node in tree.subtree]
    there = {int(match[1]) for match in names if match}
    if not there & set(wanted):
        told = ", ".join(f"{n} m" for n in sorted(there)) or "no groups of a resolution"
        raise InputError(f"no variables of {', '.join(f'{n} m' for n in wanted)}; there are {told}")
    datasets = {}
    for node in tree.subtree:
        found = [_RESOLUTION.fullmatch(step) for step in node.path.split("/")]
        if all(int(match[1]) in wanted for match in found if match):
            datasets[node.path] = node.to_dataset(inherit=False)
    return xr.DataTree.from_dict(datasets)


def _masked(tree: xr.DataTree, path: str, mask: xr.DataArray) -> xr.DataTree:
    """Let variables of real numbers be missing where a mask on the same pixels is false."""
    grid = _grid_of(tree, path)
    datasets = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        for name, array in dataset.data_vars.items():
            place = f"{node.path}/{name}".strip("/")
            same = array.dims[-2:] == mask.dims[-2:] and array.shape[-2:] == mask.shape[-2:]
            on_it = _grid_of(tree, place) == grid and grid_name(node.path) == grid_name(path)
            if same and array.dtype.kind == "f" and on_it and not _tied(node.path):
                dataset[name] = where(array, mask)
        datasets[node.path] = dataset
    return xr.DataTree.from_dict(datasets)


def _tied(path: str) -> bool:
    return path.strip("/") in ("conditions/geometry", "conditions/meteorology")


def _grid_of(tree: xr.DataTree, path: str) -> Grid | None:
    try:
        return Grid.of(tree[path])
    except (MetadataError, KeyError):
        return None


def _inside(tree: xr.DataTree, rings: list[Ring]) -> xr.DataTree:
    """Let pixels outside of a polygon be missing in variables of real numbers."""
    datasets = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        grid = next((g for a in dataset.data_vars if (g := _grid_of(tree, f"{node.path}/{a}"))), None)
        mask = None
        if grid is not None:
            mask = xr.DataArray(on_grid(grid, rings, _chunks_of(dataset, grid)), dims=("y", "x"))
        elif has_places(dataset) and not _tied(node.path):
            mask = xr.apply_ufunc(
                inside_rings, dataset["longitude"], dataset["latitude"], kwargs={"rings": rings},
                dask="parallelized", output_dtypes=[bool],
            )  # fmt: skip
        for name, array in dataset.data_vars.items():
            fits = mask is not None and array.dims[-2:] == mask.dims and array.shape[-2:] == mask.shape
            if mask is not None and fits and array.dtype.kind == "f":
                dataset[name] = where(array, mask)
        datasets[node.path] = dataset
    return xr.DataTree.from_dict(datasets)


def _chunks_of(dataset: xr.Dataset, grid: Grid) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the chunks of what is on a grid, so that a mask has the same."""
    for array in dataset.data_vars.values():
        if array.shape[-2:] == grid.shape and array.chunks is not None:
            return array.chunks[-2], array.chunks[-1]
    return (grid.shape[0],), (grid.shape[1],)

"""CF grid mappings: where images lie, in the words that rioxarray, QGIS and GDAL look for.

Products say it in attributes of STAC's projection extension (``proj:epsg``, ``proj:transform``). Files say it
once more, in a variable ``spatial_ref``. What was added for that is named in the variable's attribute
``swath_added``, and is taken away again when the file is read, so that a product comes back as it was.

Source: CF conventions 1.11, section 5.6 and appendix F; GDAL's attributes ``spatial_ref`` and
``GeoTransform``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.errors import MetadataError
from swath.product._reference import cf_reference, epsg_code
from swath.product.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["GRID_MAPPING", "image_grid", "with_grid_mapping", "without_grid_mapping"]

GRID_MAPPING = "spatial_ref"
"""Name of the variable: the one that rioxarray gives and looks for."""

ADDED = "swath_added"
"""Attribute that says which attributes were added: name of a variable → names of attributes."""

_PROJECTED = {"x": "projection_x_coordinate", "y": "projection_y_coordinate"}
_GEOGRAPHIC = {"x": "longitude", "y": "latitude"}
_DEGREES = {"x": "degrees_east", "y": "degrees_north"}


def image_grid(dataset: xr.Dataset) -> Grid | None:
    """Return the grid that the images of a group share; None where it has none, or says none."""
    images = [a for a in dataset.data_vars.values() if a.dims[-2:] == ("y", "x") and "proj:epsg" in a.attrs]
    if not images:
        return None
    try:
        grids = {Grid.of(image) for image in images}
    except (MetadataError, KeyError):
        return None
    return grids.pop() if len(grids) == 1 else None


def with_grid_mapping(dataset: xr.Dataset) -> xr.Dataset:
    """Return a group with a grid mapping for its images; the group itself where there is no grid to tell."""
    grid = image_grid(dataset)
    if grid is None or GRID_MAPPING in dataset.variables:
        return dataset
    reference = cf_reference(grid.crs)
    if reference is None:
        return dataset
    told = dataset.copy()
    added: dict[str, list[str]] = {}
    for name, array in told.data_vars.items():
        if array.dims[-2:] == ("y", "x") and "proj:epsg" in array.attrs:
            # Of an image that was cut or turned over since it was read they tell the grid that it was on.
            place = {key: value for key, value in grid.attributes().items() if key in array.attrs}
            if any(list(np.atleast_1d(array.attrs[key])) != list(np.atleast_1d(place[key])) for key in place):
                array.variable.attrs = {**array.variable.attrs, **place}
            _add(array.variable, str(name), {"grid_mapping": GRID_MAPPING}, added)
    projected = "projected_crs_name" in reference
    for axis in ("y", "x"):
        if axis in told.coords:
            attributes = {
                "standard_name": (_PROJECTED if projected else _GEOGRAPHIC)[axis],
                "units": "m" if projected else _DEGREES[axis],
                "axis": axis.upper(),
            }
            _add(told[axis].variable, axis, attributes, added)
    a, b, c, d, e, f = grid.transform
    told[GRID_MAPPING] = xr.Variable((), np.int64(0), {
        **reference,
        "GeoTransform": f"{c!r} {a!r} {b!r} {f!r} {d!r} {e!r}",
        ADDED: added,
    })  # fmt: skip
    return told


def _add(
    variable: xr.Variable, name: str, attributes: Mapping[str, str], added: dict[str, list[str]]
) -> None:
    missing = {key: value for key, value in attributes.items() if key not in variable.attrs}
    variable.attrs = {**variable.attrs, **missing}
    added[name] = sorted(missing)


def without_grid_mapping(variables: Mapping[str, xr.Variable]) -> dict[str, xr.Variable]:
    """Return the variables of a group without what :func:`with_grid_mapping` added.

    Of another program's grid mapping: images that say no ``proj:epsg`` get it from there, where the EPSG
    registry has their reference system; else all stays as it is.
    """
    found = dict(variables)
    names = {str(v.attrs["grid_mapping"]) for v in found.values() if "grid_mapping" in v.attrs}
    for name in sorted(names):
        mapping = found.get(name)
        if mapping is None:
            continue
        added = mapping.attrs.get(ADDED)
        if isinstance(added, dict):
            for other, keys in added.items():
                if other in found:
                    found[other] = _without(found[other], keys)
            del found[name]
        elif all(_placed(image, mapping, found) for image in found.values() if _maps(image, name)):
            for image in [other for other, variable in found.items() if _maps(variable, name)]:
                found[image] = _without(found[image], ["grid_mapping"])
            del found[name]
    return found


def _maps(variable: xr.Variable, name: str) -> bool:
    return variable.attrs.get("grid_mapping") == name


def _without(variable: xr.Variable, keys: Any) -> xr.Variable:
    kept = variable.copy(deep=False)
    kept.attrs = {key: value for key, value in variable.attrs.items() if key not in keys}
    return kept


def _placed(image: xr.Variable, mapping: xr.Variable, variables: Mapping[str, xr.Variable]) -> bool:
    """Let an image tell its grid by itself; tell whether it does."""
    if "proj:epsg" in image.attrs:
        return True
    code = epsg_code(str(mapping.attrs.get("crs_wkt") or mapping.attrs.get("spatial_ref") or ""))
    if code is None or image.dims[-2:] != ("y", "x") or not {"x", "y"} <= set(variables):
        return False
    axes = {axis: (axis, variables[axis].values) for axis in ("y", "x")}
    try:
        grid = Grid.of(xr.DataArray(image.copy(deep=False), axes).assign_attrs({"proj:epsg": code}))
    except (MetadataError, ValueError, TypeError):
        return False
    image.attrs = {**image.attrs, **grid.attributes()}
    return True

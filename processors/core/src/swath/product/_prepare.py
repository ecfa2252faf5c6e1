"""Datasets described as those of EOPF products, and how each of their variables is to be stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.product._chunks import ENCODING_KEY, lazy_chunks, stored_array
from swath.product._grid_mapping import GRID_MAPPING, with_grid_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "EOPF_ATTRIBUTES",
    "KEPT",
    "STORED_KEY",
    "own_attributes",
    "plain",
    "prepare_dataset",
    "stored_chunks",
]

EOPF_ATTRIBUTES = "_eopf_attrs"
"""Attribute in which EOPF products repeat how a variable is packed."""

ADDED = "swath_added"
"""Member of it that names the attributes which only eopf wants."""

STORED_KEY = "stored"
"""Key of a prepared variable's encoding: dask's name of its data, and the same data packed already."""

KEPT = ("dtype", "scale_factor", "add_offset", "_FillValue", "units", "calendar")
"""What of a variable's encoding is written as it was read."""


def prepare_dataset(dataset: xr.Dataset) -> xr.Dataset:
    """Return a dataset whose variables tell in encodings, and say in attributes, how they are stored."""
    values: dict[Any, Any] = {}
    coordinates: dict[Any, Any] = {}
    dataset = with_grid_mapping(dataset)
    on = {other: set(dataset.variables[other].dims) for other in dataset.coords}
    for name, found in dataset.variables.items():
        encoding, attributes = _encoding(found), found.attrs
        if name in dataset.data_vars and name != GRID_MAPPING:
            described = {"dimensions": [str(dim) for dim in found.dims], **_packing(encoding, attributes)}
            described["coordinates"] = sorted(
                str(other) for other, dims in on.items() if dims.issubset(found.dims)
            )
            wanted = _wanted(str(name), np.dtype(encoding.get("dtype", found.dtype)), attributes)
            described[ADDED] = sorted(wanted)
            attributes = {
                **attributes, **wanted, EOPF_ATTRIBUTES: described, **_reference_system(attributes),
            }  # fmt: skip
        data = _regular(found, encoding["chunks"])
        packed = stored_array(found)
        if packed is not None:
            packed = packed.rechunk(encoding["chunks"])  # type: ignore[no-untyped-call] # dask's
            encoding[STORED_KEY] = (data.name, packed)
        placed = values if name in dataset.data_vars else coordinates
        placed[name] = (found.dims, data, attributes, encoding)
    return xr.Dataset(values, coordinates, dataset.attrs)


def _wanted(name: str, stored: np.dtype[Any], attributes: Mapping[Any, Any]) -> dict[str, str]:
    """Return the attributes that eopf calls mandatory, where a variable has them not."""
    told = {"short_name": name, "long_name": name.replace("_", " "), "dtype": stored.str.replace("|", "")}
    return {key: value for key, value in told.items() if key not in attributes}


def own_attributes(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a variable's attributes without those that :func:`prepare_dataset` added."""
    told = attributes.get(EOPF_ATTRIBUTES)
    added = told.get(ADDED, []) if isinstance(told, dict) else []
    names = {EOPF_ATTRIBUTES, "_CRS", *(added if isinstance(added, list) else [])}
    return {key: value for key, value in attributes.items() if key not in names}


def _packing(encoding: Mapping[str, Any], attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Return how a variable is packed, and its flags, as ``_eopf_attrs`` repeats them."""
    packing = {key: float(encoding[key]) for key in ("scale_factor", "add_offset") if key in encoding}
    if packing and "_FillValue" in encoding:
        packing["fill_value"] = np.asarray(encoding["_FillValue"]).item()
    return packing | {
        key: attributes[key] for key in ("flag_masks", "flag_meanings", "units") if key in attributes
    }


def _reference_system(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the reference system where GDAL's Zarr driver looks for it; it does not read ``proj:epsg``."""
    epsg = attributes.get("proj:epsg")
    return {"_CRS": {"url": f"http://www.opengis.net/def/crs/EPSG/0/{epsg}"}} if epsg else {}


def _encoding(variable: xr.Variable) -> dict[str, Any]:
    encoding = {key: variable.encoding[key] for key in KEPT if key in variable.encoding}
    if variable.dtype.kind in "UOT":
        encoding.pop("dtype", None)
    encoding["chunks"] = stored_chunks(variable)
    return encoding


def stored_chunks(variable: xr.Variable) -> tuple[int, ...]:
    """Return the chunks to write: those of the encoding while they fit, or else those of the lazy array."""
    lengths = lazy_chunks(variable)
    if lengths is None:
        return tuple(max(n, 1) for n in variable.shape)
    told: Any = variable.encoding.get("chunks")
    if told is not None and len(told) == variable.ndim and ENCODING_KEY not in variable.encoding:
        return tuple(min(int(size), max(n, 1)) for size, n in zip(told, variable.shape, strict=True))
    # A window cuts the first chunk: the largest one is the stored size.
    return tuple(max(1, *sizes) for sizes in lengths)


def _regular(variable: xr.Variable, chunks: tuple[int, ...]) -> Any:
    """Return the data in the chunks that are written, so that no two tasks write one chunk."""
    return variable.data if lazy_chunks(variable) is None else variable.data.rechunk(chunks)


def plain(attributes: Mapping[Any, Any]) -> dict[str, Any]:
    """Return attributes as JSON has them."""
    return {str(key): _plain(value) for key, value in attributes.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value

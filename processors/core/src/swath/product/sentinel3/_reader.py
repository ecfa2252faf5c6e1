"""Opening a SEN3 product: the tree of an EOPF product over the files of a SEN3."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.errors import MetadataError, ProductError
from swath.io.netcdf import FRONT, Variable, read_file
from swath.product._blocks import decoded, raw
from swath.product._prepare import plain
from swath.product.sentinel3._attributes import product_attributes
from swath.product.sentinel3._manifest import MANIFEST, read_manifest
from swath.product.sentinel3._places import PLACES, Place, Placing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swath.io.store import Store

__all__ = ["SEN3", "Sen3Reader"]

_DIMENSIONS = {
    "tie_rows": "rows", "tie_columns": "columns", "tie_pressure_levels": "pressure_level",
    "wind_vectors": "wind_vector", "removed_pixels": "removed_pixels",
}  # fmt: skip
"""Dimensions of the files → those of the EOPF models."""

_SINGLE = ("t_single", "z_atmos", "z_wind")
"""Dimensions of length 1 that SLSTR's meteorology has and the models have not."""

_STAMPED = "microseconds since 2000-01-01"
"""Units of time stamps."""

_DROPPED = ("coordinates", "ancillary_variables")
"""Attributes that name other variables by their names in the files."""

_LEAPS = ((datetime(2017, 1, 1), 18), (datetime(2015, 7, 1), 17))  # noqa: DTZ001 -- compared without a zone
"""Since when GPS time is how many seconds ahead of UTC; IERS Bulletin C 50 (2015), C 52 (2016)."""


@dataclass
class _Group:
    """A group while it is put together."""

    variables: dict[str, xr.Variable] = field(default_factory=dict)
    coordinates: dict[str, xr.Variable] = field(default_factory=dict)
    lengths: dict[str, int] = field(default_factory=dict)
    """Length of each dimension."""


class Sen3Reader:
    """Reads Sentinel-3 SEN3; see :class:`swath.product.Reader`.

    The time stamps of OLCI, which its files call microseconds since 2000 and count in GPS time, are given in
    UTC.
    """

    looks_for = f"a Sentinel-3 SEN3 (with {MANIFEST})"

    def can_read(self, store: Store) -> bool:
        """Tell whether the product has a manifest as Sentinel-3 has it."""
        return store.exists(MANIFEST)

    def open(self, store: Store) -> xr.DataTree:
        """Return the product as a lazy tree. Reads the manifest and the headers of all netCDF files."""
        manifest = read_manifest(store)
        placing = PLACES.get(manifest.kind)
        if placing is None:
            raise ProductError(
                f"{store.location} is a Sentinel-3 product of type {manifest.kind}, which is not read here; "
                f"expected {', '.join(PLACES)}"
            )
        there = set(store.names())
        files = sorted(name for name in there if name.endswith(".nc") and "/" not in name)
        leaps = _leap_seconds(manifest.start) if manifest.kind.startswith("OL") else 0
        groups: dict[str, _Group] = defaultdict(_Group)
        store.warm([(file, 0, FRONT) for file in files])
        for file in files:
            _add_file(groups, placing, file, read_file(store, file).variables, leaps)
        datasets = {f"/{path}": _dataset(path, group, store) for path, group in sorted(groups.items())}
        missing = sorted(set(manifest.files) - there)
        attributes = product_attributes(manifest, manifest.shape or _finest(datasets), missing)
        return xr.DataTree.from_dict({"/": xr.Dataset(attrs=attributes), **datasets})


SEN3 = Sen3Reader()


def _leap_seconds(start: datetime) -> int:
    naive = start.replace(tzinfo=None)
    return next((seconds for since, seconds in _LEAPS if naive >= since), 17)


def _add_file(
    groups: dict[str, _Group], placing: Placing, file: str, variables: Mapping[str, Variable], leaps: int
) -> None:
    """Decode the variables of a file and put each where it belongs."""
    found = {name: _named(raw(variable)) for name, variable in variables.items()}
    stamps = {name: variable for name, variable in found.items() if _is_stamp(variable)}
    rest = {name: variable for name, variable in found.items() if name not in stamps}
    shown_of = decoded(rest) | {name: _stamps(variable, leaps) for name, variable in stamps.items()}
    for name, shown in shown_of.items():
        for place in placing(file.removesuffix(".nc"), name, tuple(map(str, shown.dims))):
            _put(groups[place.group], place, _ordered(shown, place.order))


def _named(variable: xr.Variable) -> xr.Variable:
    renamed = {dim: _DIMENSIONS[str(dim)] for dim in variable.dims if str(dim) in _DIMENSIONS}
    attributes = {key: value for key, value in variable.attrs.items() if key not in _DROPPED}
    return xr.Variable(
        [renamed.get(dim, dim) for dim in variable.dims], variable.data, attributes, variable.encoding
    )


def _is_stamp(variable: xr.Variable) -> bool:
    units = str(variable.attrs.get("units", ""))
    return units.startswith(_STAMPED) and variable.dtype == np.int64 and variable.chunks is not None


def _stamps(variable: xr.Variable, leaps: int) -> xr.Variable:
    """Decode time stamps, without looking at them as xarray would."""
    told = plain(variable.attrs)
    units, missing = told.pop("units"), told.pop("_FillValue", None)
    data = variable.data.map_blocks(_times, missing, leaps, dtype="M8[ns]")
    if leaps:
        told["comment"] = f"UTC; the file counts in GPS time, {leaps} s ahead"
    encoding = {**variable.encoding, "units": units}
    if missing is not None:
        encoding["_FillValue"] = missing
    return xr.Variable(variable.dims, data, told, encoding)


def _times(stamps: np.ndarray[Any, Any], missing: int | None = None, leaps: int = 0) -> np.ndarray[Any, Any]:
    times = np.datetime64("2000-01-01", "ns") + (stamps - leaps * 1_000_000).astype("m8[us]")
    return times if missing is None else np.where(stamps == missing, np.datetime64("NaT", "ns"), times)


def _ordered(variable: xr.Variable, first: tuple[str, ...]) -> xr.Variable:
    single = [dim for dim in _SINGLE if variable.sizes.get(dim) == 1]
    if single:
        variable = variable.isel(dict.fromkeys(single, 0))
    front = [dim for dim in first if dim in variable.dims]
    rest = [dim for dim in variable.dims if dim not in front]
    return variable.transpose(*front, *rest) if front and (*front, *rest) != variable.dims else variable


def _put(group: _Group, place: Place, variable: xr.Variable) -> None:
    """Add a variable; a dimension that has another length in this group already gets a name of its own."""
    names = {}
    for dim, length in variable.sizes.items():
        name = str(dim)
        if group.lengths.setdefault(name, length) != length:
            names[dim] = f"{name}_{length}"
            group.lengths[names[dim]] = length
    if names:
        dims = [names.get(dim, dim) for dim in variable.dims]
        variable = xr.Variable(dims, variable.data, variable.attrs, variable.encoding)
    held = group.coordinates if place.coordinate else group.variables
    held[place.name] = variable


def _dataset(path: str, group: _Group, store: Store) -> xr.Dataset:
    used = {dim for variable in group.variables.values() for dim in variable.dims}
    coordinates = {
        name: variable for name, variable in group.coordinates.items() if used.issuperset(variable.dims)
    }
    try:
        return xr.Dataset(dict(sorted(group.variables.items())), coordinates)
    except ValueError as error:
        raise MetadataError(
            f"{store.location}: the files of group /{path} do not fit together ({error}); get the product "
            f"again"
        ) from error


def _finest(datasets: Mapping[str, xr.Dataset]) -> tuple[int, int] | None:
    """Return the shape of the largest image of the measurements."""
    shapes: list[Any] = [
        (dataset.sizes["rows"], dataset.sizes["columns"])
        for path, dataset in datasets.items()
        if path.startswith("/measurements") and {"rows", "columns"} <= set(dataset.sizes)
    ]
    return max(shapes, key=lambda shape: shape[0] * shape[1], default=None)

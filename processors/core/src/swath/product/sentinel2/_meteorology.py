"""Meteorology that comes with a tile: fields of ECMWF and of CAMS around it, in GRIB.

Names, coordinates and attributes are those of EOPF products. Source: ECMWF's data base of parameters, for
table 128 and table 210 (CAMS).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import xarray as xr

from swath.errors import ProductError
from swath.io.grib import Field, read_fields

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["read_meteorology"]

_KINDS = {"ecmwf": "AUX_ECMWF", "cams": "AUX_CAMS"}
"""Group → how the name of its file begins, or goes on after the platform in old products."""

_MAX_BYTES = 16 << 20
"""Larger than any such file; they have a few kilobytes."""

_PARAMETERS = {
    (128, 129): ("z", "Geopotential", "m**2 s**-2", "geopotential"),
    (128, 137): (
        "tcwv",
        "Total column vertically-integrated water vapour",
        "kg m**-2",
        "lwe_thickness_of_atmosphere_mass_content_of_water_vapor",
    ),
    (128, 151): ("msl", "Mean sea level pressure", "Pa", "air_pressure_at_mean_sea_level"),
    (128, 157): ("r", "Relative humidity", "%", "relative_humidity"),
    (128, 165): ("u10", "10 metre U wind component", "m s**-1", ""),
    (128, 166): ("v10", "10 metre V wind component", "m s**-1", ""),
    (128, 206): ("tco3", "Total column ozone", "kg m**-2", "atmosphere_mass_content_of_ozone"),
    (210, 207): ("aod550", "Total Aerosol Optical Depth at 550nm", "1", ""),
    (210, 208): ("ssaod550", "Sea Salt Aerosol Optical Depth at 550nm", "1", ""),
    (210, 209): ("duaod550", "Dust Aerosol Optical Depth at 550nm", "1", ""),
    (210, 210): ("omaod550", "Organic Matter Aerosol Optical Depth at 550nm", "1", ""),
    (210, 211): ("bcaod550", "Black Carbon Aerosol Optical Depth at 550nm", "1", ""),
    (210, 212): ("suaod550", "Sulphate Aerosol Optical Depth at 550nm", "1", ""),
    (210, 213): ("aod469", "Total Aerosol Optical Depth at 469nm", "1", ""),
    (210, 214): ("aod670", "Total Aerosol Optical Depth at 670nm", "1", ""),
    (210, 215): ("aod865", "Total Aerosol Optical Depth at 865nm", "1", ""),
    (210, 216): ("aod1240", "Total Aerosol Optical Depth at 1240nm", "1", ""),
}
"""Table and number → name, long name, units, standard name of CF (empty where there is none)."""

_ISOBARIC = 100


def read_meteorology(store: Store, folder: str) -> dict[str, xr.Dataset]:
    """Read the meteorology in ``AUX_DATA`` of a granule's folder.

    Returns
    -------
    dict
        ``ecmwf`` and ``cams``, what there is of them: fields over latitude and longitude, degrees.

    Raises
    ------
    ProductError
        A file is no GRIB of edition 1, or is truncated.
    """
    groups: dict[str, xr.Dataset] = {}
    names = [name for name in store.names() if name.startswith(f"{folder}/AUX_DATA/")]
    for group, kind in _KINDS.items():
        file = next((name for name in names if kind in name.rpartition("/")[2]), None)
        if file is None:
            continue
        where = f"{store.location}: {file}"
        if store.size(file) > _MAX_BYTES:
            told = f"{where} has {store.size(file)} bytes, expected at most {_MAX_BYTES}; get it again"
            raise ProductError(told)
        groups[group] = _dataset(read_fields(store.read(file), where), where)
    return groups


def _dataset(fields: list[Field], where: str) -> xr.Dataset:
    first = fields[0]
    variables: dict[str, Any] = {}
    coordinates: dict[str, Any] = {
        "latitude": ("latitude", first.latitude, {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": ("longitude", first.longitude, {"units": "degrees_east", "standard_name": "longitude"}),
        "time": ((), first.time, {"standard_name": "forecast_reference_time"}),
        "valid_time": ((), first.time + first.step, {"standard_name": "time"}),
    }
    for field in fields:
        same = (field.latitude.tolist(), field.longitude.tolist(), field.time, field.step)
        if same != (first.latitude.tolist(), first.longitude.tolist(), first.time, first.step):
            raise ProductError(f"{where}: its fields differ in their grids or times; get it again")
        unknown = (f"parameter_{field.table}_{field.parameter}", "", "", "")
        name, long_name, units, standard_name = _PARAMETERS.get((field.table, field.parameter), unknown)
        told: dict[str, Any] = {"long_name": long_name, "units": units, "standard_name": standard_name}
        attributes = {key: value for key, value in told.items() if value}
        attributes |= {"GRIB_table": field.table, "GRIB_parameter": field.parameter}
        if field.level_type == _ISOBARIC:
            attributes["pressure_level"] = f"{field.level} hPa"
        variables[name] = (("latitude", "longitude"), field.values, attributes)
    return xr.Dataset(variables, coordinates)

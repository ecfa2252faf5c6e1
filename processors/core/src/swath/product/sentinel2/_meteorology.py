"""Meteorology that comes with a tile: fields of ECMWF and of CAMS around it, in GRIB.

Decoded by eccodes from memory, so that zips and object stores are as good as files. Names, coordinates and
attributes are those of EOPF products, which are those that cfgrib gives.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import ProductError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath.io.store import Store

__all__ = ["read_meteorology"]

_KINDS = {"ecmwf": "AUX_ECMWF", "cams": "AUX_CAMS"}
"""Group → how the name of its file begins, or goes on after the platform in old products."""

_MAX_BYTES = 16 << 20
"""Larger than any such file; they have a few kilobytes."""

_MAX_POINTS = 1_000_000

_decoding = threading.Lock()
"""eccodes is built without thread safety in some wheels."""

_ATTRIBUTES = (
    "paramId", "dataType", "numberOfPoints", "typeOfLevel", "stepUnits", "stepType", "gridType",
    "gridDefinitionDescription", "Nx", "Ny", "iDirectionIncrementInDegrees", "iScansNegatively",
    "jDirectionIncrementInDegrees",
    "jPointsAreConsecutive", "jScansPositively", "latitudeOfFirstGridPointInDegrees",
    "latitudeOfLastGridPointInDegrees",
    "longitudeOfFirstGridPointInDegrees", "longitudeOfLastGridPointInDegrees",
    "missingValue", "name", "shortName", "units", "cfName", "cfVarName",
)  # fmt: skip


def read_meteorology(store: Store, folder: str) -> tuple[dict[str, xr.Dataset], list[str]]:
    """Read the meteorology in ``AUX_DATA`` of a granule's folder.

    Returns
    -------
    dict
        ``ecmwf`` and ``cams``, what there is of them: fields over latitude and longitude, degrees.
    list of str
        What is there and was not read, because eccodes is not installed.

    Raises
    ------
    ProductError
        A file is no GRIB, or is truncated.
    """
    groups: dict[str, xr.Dataset] = {}
    left_out = []
    names = [name for name in store.names() if name.startswith(f"{folder}/AUX_DATA/")]
    for group, kind in _KINDS.items():
        file = next((name for name in names if kind in name.rpartition("/")[2]), None)
        if file is None:
            continue
        if find_spec("eccodes") is None:
            left_out.append(f"{file}: install swath[grib] to read it")
            continue
        groups[group] = _dataset(store, file)
    return groups, left_out


def _dataset(store: Store, name: str) -> xr.Dataset:
    where = f"{store.location}: {name}"
    if store.size(name) > _MAX_BYTES:
        raise ProductError(
            f"{where} has {store.size(name)} bytes, expected at most {_MAX_BYTES}; get it again"
        )
    variables: dict[str, xr.DataArray] = {}
    with _decoding:
        for message in _messages(store.read(name), where):
            array = _array(message, where)
            variables[str(array.name)] = array
    if not variables:
        raise ProductError(f"{where} has no GRIB message in it; get the product again")
    try:
        merged = xr.merge(variables.values(), compat="equals", join="exact")
    except ValueError as error:
        raise ProductError(
            f"{where}: its fields are on different grids or of different times ({error})"
        ) from None
    merged.attrs = {"Conventions": "CF-1.7"}
    return merged


def _messages(data: bytes, where: str) -> Iterator[bytes]:
    """Cut a file into its messages, by the lengths that they tell (GRIB edition 1 and 2, section 0)."""
    at = 0
    while at < len(data):
        head = data[at : at + 16]
        edition = head[7] if len(head) > 7 else 0
        length = int.from_bytes(head[4:7], "big") if edition == 1 else int.from_bytes(head[8:16], "big")
        message = data[at : at + length]
        if head[:4] != b"GRIB" or edition not in (1, 2) or length < 16 or message[-4:] != b"7777":
            raise ProductError(
                f"{where} is corrupt or truncated: expected a GRIB message at byte {at} of "
                f"{len(data)}; get the product again"
            )
        yield message
        at += length


def _array(message: bytes, where: str) -> xr.DataArray:
    # eccodes brings a PROJ of its own, which all that is loaded later sees: pyproj then finds no database,
    # and ends the process. What is loaded before keeps its own.
    with suppress(ImportError):
        import_module("pyproj")
    eccodes: Any = import_module("eccodes")  # optional, and slow to import; it has no types

    try:
        handle = eccodes.codes_new_from_message(message)
    except eccodes.CodesInternalError as error:
        raise ProductError(f"{where} is corrupt ({error}); get the product again") from None
    try:
        told = {
            key: eccodes.codes_get(handle, key)
            for key in _ATTRIBUTES
            if eccodes.codes_is_defined(handle, key)
        }
        if told.get("gridType") != "regular_ll" or told["Nx"] * told["Ny"] > _MAX_POINTS:
            raise ProductError(f"{where}: grid {told.get('gridType')!r}, expected a small regular_ll")
        shape = told["Ny"], told["Nx"]
        values: npt.NDArray[Any] = eccodes.codes_get_values(handle).reshape(shape).astype(np.float32)
        latitude = np.linspace(
            told["latitudeOfFirstGridPointInDegrees"], told["latitudeOfLastGridPointInDegrees"], shape[0]
        )
        longitude = np.linspace(
            told["longitudeOfFirstGridPointInDegrees"], told["longitudeOfLastGridPointInDegrees"], shape[1]
        )
        times = {
            key: eccodes.codes_get(handle, key, int)
            for key in ("dataDate", "dataTime", "validityDate", "validityTime")
        }
        level = eccodes.codes_get(handle, "level", float)
    except (eccodes.CodesInternalError, KeyError, ValueError) as error:
        raise ProductError(f"{where} is corrupt ({error}); get the product again") from None
    finally:
        eccodes.codes_release(handle)
    if values.size and (told.get("missingValue") is not None):
        values = np.where(values == np.float32(told["missingValue"]), np.float32(np.nan), values)
    coordinates: dict[str, Any] = {
        "latitude": ("latitude", latitude, {"units": "degrees_north", "standard_name": "latitude"}),
        "longitude": ("longitude", longitude, {"units": "degrees_east", "standard_name": "longitude"}),
        **_moments(times, where),
    }
    if told["typeOfLevel"] in ("surface", "isobaricInhPa"):
        coordinates[told["typeOfLevel"]] = level
    attributes = {f"GRIB_{key}": value for key, value in told.items()}
    attributes |= {
        "long_name": told.get("name"),
        "units": told.get("units"),
        "standard_name": told.get("cfName"),
    }
    return xr.DataArray(
        values,
        coordinates,
        ("latitude", "longitude"),
        _name(told),
        {key: value for key, value in attributes.items() if value is not None},
    )


def _name(told: dict[str, Any]) -> str:
    """Return the variable's name: the CF one, or else the short name (which may begin with a digit)."""
    name = str(told.get("cfVarName") or "")
    return name if name and name != "unknown" else str(told.get("shortName"))


def _moments(times: dict[str, int], where: str) -> dict[str, Any]:
    """Return the time of the analysis, and that for which the forecast is."""
    found = {}
    for name, date, hour in (
        ("time", times["dataDate"], times["dataTime"]),
        ("valid_time", times["validityDate"], times["validityTime"]),
    ):
        text = f"{date // 10000:04}-{date // 100 % 100:02}-{date % 100:02}T{hour // 100:02}:{hour % 100:02}"
        try:
            found[name] = np.datetime64(text, "ns")
        except ValueError:
            raise ProductError(f"{where}: {text} is no time; get the product again") from None
    return found

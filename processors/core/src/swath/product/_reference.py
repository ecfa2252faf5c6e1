"""Reference systems in the words of CF: a projection's parameters by their names there, and WKT beside.

GDAL's own database tells them, which comes with rasterio. pyproj would, too, but a process in which eccodes
was imported before dies in it: each of them brings the library underneath, and eccodes puts its own before
all others.

Sources: CF conventions 1.11, appendix F; codes of methods and parameters of the EPSG registry.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from swath.errors import MetadataError

__all__ = ["cf_reference", "epsg_code"]

_LATITUDE, _LONGITUDE, _SCALE, _EASTING, _NORTHING = 8801, 8802, 8805, 8806, 8807
_FALSE_LATITUDE, _FALSE_LONGITUDE, _FIRST, _SECOND, _FALSE_EASTING, _FALSE_NORTHING = (
    8821, 8822, 8823, 8824, 8826, 8827,
)  # fmt: skip
_POLAR_PARALLEL, _POLAR_LONGITUDE = 8832, 8833

_FALSE = {"false_easting": _EASTING, "false_northing": _NORTHING}
_CONIC: dict[str, int | tuple[int, ...]] = {
    "standard_parallel": (_FIRST, _SECOND),
    "latitude_of_projection_origin": _FALSE_LATITUDE,
    "longitude_of_central_meridian": _FALSE_LONGITUDE,
    "false_easting": _FALSE_EASTING,
    "false_northing": _FALSE_NORTHING,
}

_METHODS: dict[int, tuple[str, dict[str, int | tuple[int, ...]]]] = {
    9807: ("transverse_mercator", {
        "latitude_of_projection_origin": _LATITUDE, "longitude_of_central_meridian": _LONGITUDE,
        "scale_factor_at_central_meridian": _SCALE, **_FALSE,
    }),
    9802: ("lambert_conformal_conic", _CONIC),
    9822: ("albers_conical_equal_area", _CONIC),
    9820: ("lambert_azimuthal_equal_area", {
        "latitude_of_projection_origin": _LATITUDE, "longitude_of_projection_origin": _LONGITUDE, **_FALSE,
    }),
    9810: ("polar_stereographic", {
        "latitude_of_projection_origin": _LATITUDE, "straight_vertical_longitude_from_pole": _LONGITUDE,
        "scale_factor_at_projection_origin": _SCALE, **_FALSE,
    }),
    9829: ("polar_stereographic", {
        "standard_parallel": _POLAR_PARALLEL, "straight_vertical_longitude_from_pole": _POLAR_LONGITUDE,
        **_FALSE,
    }),
    9804: ("mercator", {
        "longitude_of_projection_origin": _LONGITUDE, "scale_factor_at_projection_origin": _SCALE, **_FALSE,
    }),
    9805: ("mercator", {"longitude_of_projection_origin": _LONGITUDE, "standard_parallel": _FIRST, **_FALSE}),
}  # fmt: skip
"""Number of a method → CF's name of it, and CF's names of its parameters → their numbers."""


@lru_cache(maxsize=32)
def cf_reference(code: str) -> dict[str, Any] | None:
    """Return the attributes of a grid mapping for a reference system; None where rasterio is not installed.

    Of a projection that CF has no name for, those of the Earth's figure and WKT alone.

    Raises
    ------
    MetadataError
        There is no such reference system.
    """
    try:
        from rasterio.crs import CRS  # noqa: PLC0415 -- optional, and slow to import
        from rasterio.errors import CRSError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        reference = CRS.from_user_input(code)
        told = reference.to_dict(projjson=True)
        texts = {"crs_wkt": reference.to_wkt(version="WKT2_2019"), "spatial_ref": reference.to_wkt()}
    except CRSError as error:
        raise MetadataError(f"the reference system {code} is not known ({error}); set proj:epsg") from error
    return {**_figure(told.get("base_crs", told)), **_projection(told), **texts}


def _figure(geographic: dict[str, Any]) -> dict[str, Any]:
    datum = geographic.get("datum") or geographic.get("datum_ensemble") or {}
    ellipsoid = datum.get("ellipsoid", {})
    told = {
        "geographic_crs_name": geographic.get("name"),
        "horizontal_datum_name": datum.get("name"),
        "reference_ellipsoid_name": ellipsoid.get("name"),
        "semi_major_axis": ellipsoid.get("semi_major_axis"),
        "inverse_flattening": ellipsoid.get("inverse_flattening"),
        "longitude_of_prime_meridian": 0.0 if "prime_meridian" not in datum else None,
    }
    return {key: value for key, value in told.items() if isinstance(value, str | int | float)}


def _projection(told: dict[str, Any]) -> dict[str, Any]:
    conversion = told.get("conversion")
    if conversion is None:
        return {"grid_mapping_name": "latitude_longitude"} if told.get("type") == "GeographicCRS" else {}
    values = {p.get("id", {}).get("code"): p["value"] for p in conversion["parameters"]}
    name, wanted = _METHODS.get(conversion["method"].get("id", {}).get("code"), ("", {}))
    found: dict[str, Any] = {"projected_crs_name": told["name"]}
    if not name:
        return found
    for key, codes in wanted.items():
        numbers = [float(values.get(code, 0.0)) for code in (codes if isinstance(codes, tuple) else (codes,))]
        found[key] = numbers if len(numbers) > 1 else numbers[0]
    if name == "polar_stereographic" and "latitude_of_projection_origin" not in found:
        found["latitude_of_projection_origin"] = 90.0 if found["standard_parallel"] > 0 else -90.0
    return {"grid_mapping_name": name, **found}


@lru_cache(maxsize=32)
def epsg_code(text: str) -> int | None:
    """Return the number that a reference system in WKT has in the EPSG registry; None where it has none."""
    if not text:
        return None
    try:
        from rasterio.crs import CRS  # noqa: PLC0415 -- optional, and slow to import
        from rasterio.errors import CRSError  # noqa: PLC0415
    except ImportError:
        return None
    try:
        code: int | None = CRS.from_user_input(text).to_epsg()
    except CRSError:
        return None
    return code

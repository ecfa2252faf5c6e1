"""Conditions of the acquisition: what the annotation of an image tells, as the groups of an EOPF product.

Source: Sentinel-1 Product Specification (S1-RS-MDA-52-7441), section 6.3; names of groups, variables
and dimensions are those of the models S01SIWSLC and S01SIWGRD of eopf 2.8.1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.product._table import Table, as_dict

if TYPE_CHECKING:
    from swath.product._fields import Fields
    from swath.product.sentinel1._annotation import Axes, ImageAnnotation

__all__ = ["conditions", "other_metadata"]


def conditions(annotation: ImageAnnotation) -> dict[str, xr.Dataset]:
    """Return the groups that are the same for all bursts of an image, by their paths."""
    root, axes = annotation.root, annotation.axes
    found = {
        "conditions/orbit": _orbit(root),
        "conditions/attitude": _attitude(root),
        "conditions/doppler_centroid": _doppler(root),
        "conditions/azimuth_fm_rate": _fm_rate(root),
        "conditions/antenna_pattern": _antenna(root),
        "conditions/gcp": _gcp(root, axes),
        "conditions/terrain_height": _terrain(root),
        "conditions/coordinate_conversion": _conversion(root),
    }
    return {path: dataset for path, dataset in found.items() if dataset.sizes}


def _orbit(root: Fields) -> xr.Dataset:
    table = Table.of(root, "generalAnnotation/orbitList/orbit")

    def axes(kind: str, units: str) -> tuple[Any, ...]:
        values = np.stack([table.numbers(f"{kind}/{axis}") for axis in "xyz"], axis=-1)
        return ("azimuth_time", "axis"), values, {"long_name": f"{kind} vector, Earth fixed", "units": units}

    return xr.Dataset(
        {"position": axes("position", "m"), "velocity": axes("velocity", "m/s")},
        coords={"azimuth_time": table.moments("time"), "axis": list("xyz")},
    )


def _attitude(root: Fields) -> xr.Dataset:
    table = Table.of(root, "generalAnnotation/attitudeList/attitude")
    dims = "azimuth_time"
    quaternion: dict[str, Any] = {
        name: (dims, table.numbers(name, np.float32), {"long_name": f"{name} attitude quaternion"})
        for name in ("q0", "q1", "q2", "q3")
    }
    for name in ("wx", "wy", "wz"):
        told = {"long_name": f"{name[1]} component of the angular velocity", "units": "degrees/s"}
        quaternion[name] = (dims, table.numbers(name), told)
    for name in ("roll", "pitch", "yaw"):
        quaternion[name] = (
            dims,
            table.numbers(name),
            {"long_name": f"{name} of the platform", "units": "degrees"},
        )
    return xr.Dataset(quaternion, coords={dims: table.moments("time")})


def _polynomial(table: Table, child: str, dtype: npt.DTypeLike = np.float32) -> npt.NDArray[Any]:
    """Return coefficients (time, degree) of a polynomial; before IPF 2.5 each was an element of its own."""
    matrix = table.matrix(child, dtype)
    if matrix.shape[1] or not len(table):
        return matrix
    return np.stack([table.numbers(f"c{k}", dtype) for k in range(3)], axis=-1)


def _doppler(root: Fields) -> xr.Dataset:
    table = Table.of(root, "dopplerCentroid/dcEstimateList/dcEstimate")
    data, geometry = (
        table.matrix("dataDcPolynomial", np.float32),
        table.matrix("geometryDcPolynomial", np.float32),
    )
    degrees = np.arange(max(data.shape[1], geometry.shape[1]))
    pair = ("azimuth_time", "degree")
    told = "Doppler centroid, sum of coefficient * (slant range time - t0)**degree, in Hz"

    def padded(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.pad(values, ((0, 0), (0, len(degrees) - values.shape[1])))

    optional: dict[str, Any] = {}
    if table.has("dataDcRmsErrorAboveThreshold"):
        above = table.flags("dataDcRmsErrorAboveThreshold")
        optional["data_dc_rms_error_above_threshold"] = ("azimuth_time", above)
    for which in ("Start", "Stop"):
        if table.has(f"fineDceAzimuth{which}Time"):
            times = table.moments(f"fineDceAzimuth{which}Time")
            optional[f"fine_dce_azimuth_{which.lower()}_time"] = ("azimuth_time", times)
    return xr.Dataset(
        {
            "data_dc_polynomial": (pair, padded(data), {"long_name": f"{told}; from the data"}),
            "geometry_dc_polynomial": (pair, padded(geometry), {"long_name": f"{told}; from the orbit"}),
            "t0": ("azimuth_time", table.numbers("t0"), {"units": "s"}),
            "data_dc_rms_error": ("azimuth_time", table.numbers("dataDcRmsError"), {"units": "Hz"}),
            **optional,
        },
        coords={"azimuth_time": table.moments("azimuthTime"), "degree": degrees},
    )


def _fm_rate(root: Fields) -> xr.Dataset:
    table = Table.of(root, "generalAnnotation/azimuthFmRateList/azimuthFmRate")
    coefficients = _polynomial(table, "azimuthFmRatePolynomial", np.float64)
    told = "azimuth FM rate, sum of coefficient * (slant range time - t0)**degree, in Hz/s"
    return xr.Dataset(
        {
            "azimuth_fm_rate_polynomial": (("azimuth_time", "degree"), coefficients, {"long_name": told}),
            "t0": ("azimuth_time", table.numbers("t0"), {"units": "s"}),
        },
        coords={"azimuth_time": table.moments("azimuthTime"), "degree": np.arange(coefficients.shape[1])},
    )


def _antenna(root: Fields) -> xr.Dataset:
    table = Table.of(root, "antennaPattern/antennaPatternList/antennaPattern")
    angle, time = table.matrix("elevationAngle", np.float32), table.matrix("slantRangeTime")
    width = max(angle.shape[1], time.shape[1])
    pattern = table.matrix("elevationPattern", np.float32)
    pair = ("azimuth_time", "count")
    variables: dict[str, Any] = {
        "swath": ("azimuth_time", np.array(table.texts("swath") or [""], "U3")[: len(table)]),
        "slant_range_time_ap": (pair, time, {"units": "s"}),
        "elevation_angle": (pair, angle, {"units": "degrees"}),
        "roll": ("azimuth_time", table.numbers("roll"), {"units": "degrees"}),
        "terrain_height": ("azimuth_time", table.numbers("terrainHeight"), {"units": "m"}),
    }
    incidence = table.matrix("incidenceAngle", np.float32)
    if incidence.shape[1] == width:  # not in the oldest products
        variables["incidence_angle"] = (pair, incidence, {"units": "degrees"})
    if pattern.shape[1] == 2 * width:
        told = {"long_name": "two-way elevation pattern, amplitude and phase"}
        variables["elevation_pattern"] = (pair, np.ascontiguousarray(pattern).view(np.complex64), told)
    elif pattern.shape[1] == width:
        variables["elevation_pattern"] = (pair, pattern, {"long_name": "two-way elevation pattern"})
    return xr.Dataset(
        variables, coords={"azimuth_time": table.moments("azimuthTime"), "count": np.arange(width)}
    )


def _gcp(root: Fields, axes: Axes) -> xr.Dataset:
    """Return the geolocation grid, a row a line."""
    table = Table.of(root, "geolocationGrid/geolocationGridPointList/geolocationGridPoint")
    line, pixel = table.numbers("line", np.int32), table.numbers("pixel", np.int32)
    lines, pixels = np.unique(line), np.unique(pixel)
    shape = len(lines), len(pixels)
    if len(table) != shape[0] * shape[1] or not len(table):
        raise root.error(
            f"{len(table)} points of the geolocation grid in {shape[0]} lines and {shape[1]} columns"
        )
    order = np.lexsort((pixel, line))
    pair = ("azimuth_time", axes.name)

    def grid(child: str, **attributes: str) -> tuple[Any, ...]:
        return pair, table.numbers(child)[order].reshape(shape), attributes

    times = table.moments("azimuthTime")[order].reshape(shape)
    return xr.Dataset(
        {
            "latitude": grid("latitude", units="degrees_north", standard_name="latitude"),
            "longitude": grid("longitude", units="degrees_east", standard_name="longitude"),
            "height": grid("height", units="m"),
            "incidence_angle": grid("incidenceAngle", units="degrees"),
            "elevation_angle": grid("elevationAngle", units="degrees"),
            "slant_range_time_gcp": grid("slantRangeTime", units="s"),
            "azimuth_time_gcp": (pair, times),
        },
        coords={
            "azimuth_time": times[:, 0],
            "line": ("azimuth_time", lines),
            axes.name: (axes.name, axes.columns(pixels), axes.attributes()),
            "pixel": (axes.name, pixels),
        },
    )


def _terrain(root: Fields) -> xr.Dataset:
    table = Table.of(root, "generalAnnotation/terrainHeightList/terrainHeight")
    height = ("azimuth_time", table.numbers("value"), {"units": "m"})
    return xr.Dataset({"terrain_height": height}, coords={"azimuth_time": table.moments("azimuthTime")})


def _conversion(root: Fields) -> xr.Dataset:
    table = Table.of(root, "coordinateConversion/coordinateConversionList/coordinateConversion")
    slant, ground = table.matrix("srgrCoefficients"), table.matrix("grsrCoefficients")
    pair = ("azimuth_time", "degree")
    return xr.Dataset(
        {
            "slant_range_time": ("azimuth_time", table.numbers("slantRangeTime"), {"units": "s"}),
            "sr0": ("azimuth_time", table.numbers("sr0"), {"units": "m"}),
            "srgr_coefficients": (pair, slant, {"long_name": "ground range from slant range less sr0"}),
            "gr0": ("azimuth_time", table.numbers("gr0"), {"units": "m"}),
            "grsr_coefficients": (pair, ground, {"long_name": "slant range from ground range less gr0"}),
        },
        coords={"azimuth_time": table.moments("azimuthTime"), "degree": np.arange(slant.shape[1])},
    ) if len(table) else xr.Dataset()  # fmt: skip


def other_metadata(annotation: ImageAnnotation) -> dict[str, Any]:
    """Return what of the annotation is not an array, as nested plain values."""
    root = annotation.root.element

    def part(path: str, *left_out: str) -> dict[str, Any]:
        found = root.find(path)
        values = as_dict(found) if found is not None else {}
        return (
            {key: value for key, value in values.items() if key not in left_out}
            if isinstance(values, dict)
            else {}
        )

    lists = ("orbit_list", "attitude_list", "azimuth_fm_rate_list", "terrain_height_list", "noise_list")
    return {
        "quality_information": part("qualityInformation"),
        "general_annotation": part("generalAnnotation", *lists),
        "image_annotation": part("imageAnnotation"),
        "swath_timing": part("swathTiming", "burst_list"),
        "swath_merging": part("swathMerging"),
    }

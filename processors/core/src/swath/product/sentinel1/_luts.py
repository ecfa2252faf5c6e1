"""Look-up tables of calibration and noise, as the groups of an EOPF product.

Source: Sentinel-1 Product Specification (S1-RS-MDA-52-7441), sections 6.2 (noise) and 6.1 (calibration).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.product._fields import Fields
from swath.product._table import MAX_VALUES, Table

if TYPE_CHECKING:
    from swath.io.store import Store
    from swath.product.sentinel1._annotation import ImageAnnotation

__all__ = ["read_calibration", "read_noise"]

_QUANTITIES = {"sigmaNought": "sigma_nought", "betaNought": "beta_nought", "gamma": "gamma", "dn": "dn"}


def read_calibration(store: Store, name: str, image: ImageAnnotation) -> dict[str, xr.Dataset]:
    """Return the tables of calibration."""
    root = Fields.read(store, name)
    table = Table.of(root, "calibrationVectorList/calibrationVector")
    dataset = _vectors(root, table, _QUANTITIES, image)
    constant = root.number("absoluteCalibrationConstant", low=1e-9, high=1e9)
    return {"quality/calibration": dataset.assign_attrs(absolute_calibration_constant=constant)}


def read_noise(store: Store, name: str, image: ImageAnnotation) -> dict[str, xr.Dataset]:
    """Return the tables of noise in range and in azimuth; products before IPF 2.9 have the former alone."""
    root = Fields.read(store, name)
    table = Table.of(root, "noiseRangeVectorList/noiseRangeVector")
    old = Table.of(root, "noiseVectorList/noiseVector")
    if len(table):
        found = {"quality/noise_range": _vectors(root, table, {"noiseRangeLut": "noise_range_lut"}, image)}
    else:
        found = {"quality/noise_range": _vectors(root, old, {"noiseLut": "noise_range_lut"}, image)}
    azimuth = Table.of(root, "noiseAzimuthVectorList/noiseAzimuthVector")
    names: dict[str, int] = {}
    for row in azimuth.rows:
        one = Table(root, azimuth.path, [row])
        # The blocks of wave mode and of old products tell no swath.
        swath = (row.findtext("swath") or image.swath).strip()
        names[swath] = names.get(swath, 0) + 1
        more = f"{swath}_{names[swath]}" if names[swath] > 1 else swath
        path = (
            f"quality/noise_azimuth/{more}"
            if image.axes.ground or len(azimuth) > 1
            else "quality/noise_azimuth"
        )
        found[path] = _azimuth(root, one, swath, image)
    return found


def _vectors(root: Fields, table: Table, quantities: dict[str, str], image: ImageAnnotation) -> xr.Dataset:
    """Return tables (azimuth_time, column) of vectors of values at pixels."""
    pixels = table.vectors("pixel")
    if not len(table) or not all(len(p) > 1 and (np.diff(p) > 0).all() for p in pixels):
        raise root.error(f"{table.path} has no vectors, or pixels that do not increase")
    axis = np.unique(np.concatenate(pixels))
    if len(axis) * len(pixels) > MAX_VALUES:
        raise root.error(f"{table.path} has {len(axis)} pixels in {len(pixels)} vectors, too many")
    pair = ("azimuth_time", image.axes.name)
    variables = {
        name: (pair, _on(axis, pixels, table.vectors(child), table, root), {"long_name": f"{child} vectors"})
        for child, name in quantities.items()
    }
    return xr.Dataset(
        variables,
        coords={
            "azimuth_time": table.moments("azimuthTime"),
            "line": ("azimuth_time", table.numbers("line", np.int32)),
            image.axes.name: (image.axes.name, image.axes.columns(axis), image.axes.attributes()),
            "pixel": (image.axes.name, axis.astype(np.int32)),
        },
    )


def _on(
    axis: npt.NDArray[np.float64],
    pixels: list[npt.NDArray[np.float64]],
    values: list[npt.NDArray[np.float64]],
    table: Table,
    root: Fields,
) -> npt.NDArray[np.float32]:
    """Bring vectors to the pixels of all of them; between its own pixels a vector is linear by definition."""
    rows = []
    for own, told in zip(pixels, values, strict=True):
        if len(own) != len(told):
            raise root.error(f"{table.path} has {len(told)} values at {len(own)} pixels")
        if (np.abs(told) > np.finfo(np.float32).max).any():
            raise root.error(f"{table.path} has values too large for single precision")
        rows.append(told if len(own) == len(axis) else np.interp(axis, own, told))
    return np.array(rows, np.float32)


def _azimuth(root: Fields, table: Table, swath: str, image: ImageAnnotation) -> xr.Dataset:
    lines, values = table.vectors("line")[0], table.vectors("noiseAzimuthLut")[0]
    if (np.abs(values) > np.finfo(np.float32).max).any():
        raise root.error(f"{table.path} has values too large for single precision")
    if len(lines) != len(values) or not len(lines):
        raise root.error(f"{table.path} has {len(values)} values at {len(lines)} lines")
    coordinates: dict[str, Any] = {"swath": swath}
    for child, name in {
        "firstAzimuthLine": "first_azimuth_line",
        "lastAzimuthLine": "last_azimuth_line",
        "firstRangeSample": "first_range_sample",
        "lastRangeSample": "last_range_sample",
    }.items():
        if table.rows[0].find(child) is not None:
            coordinates[name] = table.numbers(child, np.int32)[0]
    # Lines of an image of bursts do not follow one another in time; those on the ground do.
    dimension = "azimuth_time" if image.axes.ground else "line"
    coordinates["line"] = (dimension, lines.astype(np.int32))
    if image.axes.ground:
        steps = np.round(lines * image.axes.line_step * 1e9).astype("timedelta64[ns]")
        coordinates["azimuth_time"] = image.bursts[0].start + steps
    attributes = {"long_name": "azimuth thermal noise correction vector"}
    return xr.Dataset(
        {"noise_azimuth_lut": (dimension, values.astype(np.float32), attributes)}, coords=coordinates
    )

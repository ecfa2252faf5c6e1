"""What a datastrip's metadata tells of the acquisition: times, source packets, granules, the quick look."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.product._table import Table, as_dict
from swath.product.sentinel2._bands import BANDS

if TYPE_CHECKING:
    from datetime import datetime

    from swath.product._fields import Fields

__all__ = [
    "acquisition_attributes",
    "acquisition_datasets",
    "band_of",
    "detector_of",
    "quick_look_datasets",
    "told",
]

_DETECTORS = range(1, 13)
_POSITIONS = ("begin", "center", "end")

Datasets = dict[str, xr.Dataset]


def told(time: datetime) -> str:
    """Return a time as STAC has it (RFC 3339)."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def band_of(fields: Fields) -> int:
    """Return the number of the band that an element is of, 0 to 12."""
    return fields.attribute("bandId", high=len(BANDS) - 1)


def detector_of(fields: Fields) -> int:
    """Return the number of the detector that an element is of, from 0."""
    number = fields.attribute("detectorId", high=len(_DETECTORS))
    if number == 0:
        raise fields.error("detectorId is 0, expected 1 to 12")
    return number - 1


def acquisition_datasets(root: Fields) -> Datasets:
    """Return times of lines and counts of source packets by detector and band, and the granules."""
    found: Datasets = {}
    coordinates = {"band": [band.name for band in BANDS], "detector": np.array(_DETECTORS)}
    shape = len(_DETECTORS), len(BANDS)
    dimensions = "detector", "band"
    stamp = root.find("Sensor_Configuration/Time_Stamp")
    if stamp is not None:
        lines, times = np.zeros(shape, np.int64), np.full(shape, "NaT", "M8[ns]")
        for band in stamp.all("Band_Time_Stamp"):
            entries = Table.of(band, "Detector")
            places = [detector_of(type(band)(row, band.file)) for row in entries.rows]
            lines[places, band_of(band)] = entries.numbers("REFERENCE_LINE", np.int64)
            times[places, band_of(band)] = entries.moments("GPS_TIME")
        period = {"units": "ms", "long_name": "time between two lines of a band of 10 m"}
        found["/conditions/time_stamp"] = xr.Dataset(
            {
                "reference_line": (dimensions, lines),
                "gps_time": (dimensions, times, {"long_name": "time of the reference line, in GPS time"}),
                "line_period": ((), stamp.number("LINE_PERIOD", low=0.1, high=100), period),
            },
            coordinates,
        )
    counters = root.find("Source_Packet_Counters_List")
    if counters is not None:
        names = ("DATA_STRIP_START", "SCENE_POSITION", "NB_OF_SOURCE_PACKETS")
        counts = {name.lower(): np.zeros(shape, np.int64) for name in names}
        for detector in counters.all("Detector"):
            entries = Table.of(detector, "Band_List/Band")
            places = [band_of(type(detector)(row, detector.file)) for row in entries.rows]
            for name in names:
                counts[name.lower()][detector_of(detector), places] = entries.numbers(name, np.int64)
        found["/conditions/source_packets"] = xr.Dataset(
            {name: (dimensions, values) for name, values in counts.items()}, coordinates
        )
    return found | _granules(root)


def _granules(root: Fields) -> Datasets:
    rows = [
        (
            detector_of(detector) + 1,
            str(entry.element.get("granuleId", "")),
            entry.whole("POSITION", low=0, high=1 << 31),
        )
        for detector in root.all("Granules_Information/Detector_List/Detector")
        for entry in detector.all("Granule_List/Granule")
    ]
    if not rows:
        return {}
    detectors, names, positions = zip(*rows, strict=True)
    return {
        "/conditions/granules": xr.Dataset(
            {
                "granule_id": ("granule", np.array(names)),
                "position": ("granule", np.array(positions, np.int64), {"long_name": "first line"}),
            },
            {"detector": ("granule", np.array(detectors, np.int64))},
        )
    }


def quick_look_datasets(root: Fields) -> Datasets:
    """Return where the instrument looked, at lines of the quick look, and the directions of its columns."""
    found: Datasets = {}
    headers = [
        header for header in root.all("Geometric_Header_List/Geometric_Header") if header.find("LINE_INDEX")
    ]
    if headers:
        table = Table(root, "Geometric_Header", [header.element for header in headers])
        variables: dict[str, Any] = {
            name: ("line", table.numbers(path), {"units": "deg"})
            for name, path in {
                "roll": "Pointing_Angles/Satellite_Reference/ROLL",
                "pitch": "Pointing_Angles/Satellite_Reference/PITCH",
                "yaw": "Pointing_Angles/Satellite_Reference/YAW",
                "psi_x": "Pointing_Angles/Image_Reference/PSI_X",
                "psi_y": "Pointing_Angles/Image_Reference/PSI_Y",
            }.items()
        }
        variables["gps_time"] = ("line", table.moments("GPS_TIME"))
        for name, (path, units) in {
            "orientation": ("ORIENTATION", "deg"),
            "incidence_zenith": ("Incidence_Angles/ZENITH_ANGLE", "deg"),
            "incidence_azimuth": ("Incidence_Angles/AZIMUTH_ANGLE", "deg"),
            "solar_zenith": ("Solar_Angles/ZENITH_ANGLE", "deg"),
            "solar_azimuth": ("Solar_Angles/AZIMUTH_ANGLE", "deg"),
            "pixel_size_along_track": ("Pixel_Size/ALONG_TRACK", "m"),
            "pixel_size_across_track": ("Pixel_Size/ACROSS_TRACK", "m"),
        }.items():
            variables[name] = (("line", "place"), _located(headers, path), {"units": units})
        coordinates = {"line": table.numbers("LINE_INDEX", np.int64), "place": list(_POSITIONS)}
        found["/conditions/geometry/quick_look"] = xr.Dataset(variables, coordinates)
    directions = root.find("Quicklook_Info/Display_Geometric_Model/Viewing_Directions")
    if directions is not None:
        table = Table(root, "Viewing_Directions", [directions.element])
        values = {name: table.vectors(f"{name.upper()}_LIST")[0] for name in ("tan_psi_x", "tan_psi_y")}
        if len({len(v) for v in values.values()}) != 1:
            raise directions.error("TAN_PSI_X_LIST and TAN_PSI_Y_LIST differ in length")
        found["/conditions/geometry/viewing_directions"] = xr.Dataset(
            {name: ("column", numbers) for name, numbers in values.items()}
        )
    return found


def _located(headers: list[Fields], path: str) -> npt.NDArray[np.float64]:
    """Return a number of each header at each of three places; NaN where one is not told."""
    grid = np.full((len(headers), len(_POSITIONS)), np.nan)
    for row, header in enumerate(headers):
        for located in header.all("Located_Geometric_Header"):
            place = str(located.element.get("pos", ""))
            if place not in _POSITIONS:
                raise located.error(f"pos is {place!r}, expected one of {', '.join(_POSITIONS)}")
            grid[row, _POSITIONS.index(place)] = located.number(path)
    return grid


def acquisition_attributes(root: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return properties of the STAC item, and other metadata."""
    take = root.get("Datatake_Info")
    times = root.get("Datastrip_Time_Info")
    start, stop = times.time("DATASTRIP_SENSING_START"), times.time("DATASTRIP_SENSING_STOP")
    properties: dict[str, Any] = {
        "datetime": told(start),
        "start_datetime": told(start),
        "end_datetime": told(stop),
        "eopf:datatake_id": str(take.element.get("datatakeIdentifier", "")),
        "eopf:instrument_mode": take.text("DATATAKE_TYPE"),
        "sat:relative_orbit": take.whole("SENSING_ORBIT_NUMBER", low=1, high=143),
    }
    if take.find("SENSING_ORBIT_DIRECTION"):
        properties["sat:orbit_state"] = take.text("SENSING_ORBIT_DIRECTION").lower()
    orbit = root.find("Downlink_Info/DOWNLINK_ORBIT_NUMBER")
    if orbit is not None:
        properties["sat:absolute_orbit"] = orbit.whole(low=1, high=10**6)
    processing = root.find("Processing_Info")
    if processing is not None:
        properties["processing:version"] = processing.text("PROCESSING_BASELINE")
        properties["created"] = told(processing.time("UTC_DATE_TIME"))
    other: dict[str, Any] = {}
    for name in (
        "Downlink_Info",
        "Acquisition_Configuration",
        "Degradation_Summary",
        "IERS_Bulletin",
        "Geometric_Info",
    ):
        found = root.find(name)
        if found is not None:
            other[name.lower()] = as_dict(found.element)
    other["gipp"] = [entry.text() for entry in root.all("GIPP_List/GIPP_FILENAME")]
    return properties, other

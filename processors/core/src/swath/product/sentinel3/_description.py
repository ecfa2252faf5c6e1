"""What the manifest tells of the product besides its identity: orbit, accuracy, meteorology, detectors.

Sources: S3IPF PDS 002 (Product Structures); manifests of the samples; the models of eopf 2.8.1 for the names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from swath.product._fields import Fields

__all__ = ["description"]

_MOST = 10**15
"""Larger than any whole number that a manifest has."""


def description(root: Fields) -> dict[str, Any]:
    """Return what belongs to ``other_metadata``; what the manifest does not tell is left out.

    Positions are in metres and velocities in metres a second, in the Earth-fixed frame, at the orbit's start
    and at its end (the ascending nodes around the product); the distance to the sun is in metres, sampling in
    metres and microseconds, temperatures of detectors are in kelvin.

    Raises
    ------
    MetadataError
        A number is none.
    """
    orbit, information = root.find("orbitReference"), _information(root)
    unit = root.find("generalProductInformation/productUnit")
    told = {
        "data_information": _accuracy(information),
        "band_description": _detectors(information),
        "absolute_pass_number": _whole(orbit, "passNumber"),
        "relative_pass_number": _whole(orbit, "relativePassNumber"),
        "phase_identifier": _whole(orbit, "phaseIdentifier"),
        "type": _attribute(orbit, "orbitNumber", "type"),
        "ephemeris": _ephemeris(orbit),
        "product_unit": _present({
            "type": _text(unit, "type"),
            "duration": _whole(unit, "duration"),
            "alongtrack_coordinate": _whole(unit, "alongtrackCoordinate"),
        }),
        "meteo": _meteo(information),
    }  # fmt: skip
    return _present(told)


def _information(root: Fields) -> Fields | None:
    """Return the element of the instrument's own information."""
    names = ("olciProductInformation", "slstrProductInformation", "synProductInformation")
    return next((found for name in names if (found := root.find(name)) is not None), None)


def _accuracy(information: Fields | None) -> dict[str, Any]:
    sampling = _each(information, _whole, {
        "along_track_time": "samplingParameters/alTimeSampling",
        "along_track_distance": "samplingParameters/alSpatialSampling",
        "across_track_distance": "samplingParameters/acSpatialSampling",
        "rows_per_tiepoint": "samplingParameters/rowsPerTiePoint",
        "columns_per_tiepoint": "samplingParameters/columnsPerTiePoint",
    })  # fmt: skip
    told = _each(information, _text, {
        "atm_correction_type": "atmosphericCorrectionType",
        "measurement_accuracy": "measurementAccuracy",
        "accuracy_reference": "accuracyReference",
        "ocl_status": "oclStatus",
    })  # fmt: skip
    distance = _each(information, _whole, {"earth_sun_distance": "earthSunDistance"})
    return _present({**told, **distance, "sampling": sampling})


def _detectors(information: Fields | None) -> dict[str, Any]:
    """Return the lowest and the highest temperature of each detector (SLSTR)."""
    found = {}
    for part in [] if information is None else information.all("temperatureSummary/temperature"):
        band, _, kind = str(part.element.get("element", "")).partition("_")
        if band and kind == "Detector":
            found[band.lower()] = {
                "detector_temperature_min": part.number("min"),
                "detector_temperature_max": part.number("max"),
            }
    return found


def _ephemeris(orbit: Fields | None) -> dict[str, Any]:
    parts = [] if orbit is None else orbit.all("elementSet/ephemeris")
    return {name: _state(part) for name, part in zip(("start", "stop"), parts, strict=False)}


def _state(part: Fields) -> dict[str, Any]:
    times = {str(found.element.get("type", "")): found.text() for found in part.all("epoch")}
    return times | {
        name: {axis: part.number(f"{name}/{axis}") for axis in "xyz"} for name in ("position", "velocity")
    }


def _meteo(information: Fields | None) -> dict[str, Any]:
    kind = None if information is None else information.find("ecmwfType")
    if kind is None:
        return {}
    told: dict[str, Any] = {"source": "ECMWF", "type": kind.text()}
    if "timeRelevance" in kind.element.attrib:
        told["missing_time"] = kind.attribute("timeRelevance", high=_MOST)
    return told


def _each(
    fields: Fields | None, read: Callable[[Fields | None, str], Any], paths: Mapping[str, str]
) -> dict[str, Any]:
    return _present({name: read(fields, path) for name, path in paths.items()})


def _attribute(fields: Fields | None, path: str, name: str) -> str | None:
    found = None if fields is None else fields.find(path)
    return None if found is None else str(found.element.get(name, ""))


def _text(fields: Fields | None, path: str) -> str | None:
    found = None if fields is None else fields.find(path)
    return None if found is None else (found.element.text or "").strip()


def _whole(fields: Fields | None, path: str) -> int | None:
    if fields is None or fields.find(path) is None:
        return None
    return fields.whole(path, low=-_MOST, high=_MOST)


def _present(told: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in told.items() if value is not None and value not in ({}, "")}

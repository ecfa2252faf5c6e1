"""Auxiliary data in SAFE: calibration (``AUX_CAL``), instrument (``AUX_INS``) and processing parameters.

Source: Sentinel-1 Auxiliary Data Specification (S1-RS-MDA-52-7443).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import ProductError
from swath.product._fields import Fields
from swath.product._table import Table, as_dict
from swath.product.sentinel1._manifest import MANIFEST, read_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath.io.store import Store

__all__ = ["AUX_SAFE", "AuxiliaryReader"]

_DATA = re.compile(r"data/s1[a-z0-9-]-aux-(\w+)[.]xml$")


class AuxiliaryReader:
    """Reads Sentinel-1 auxiliary data in SAFE; see :class:`swath.product.Reader`.

    ``AUX_CAL`` and ``AUX_INS`` become arrays; of all others each entry of each list becomes a group whose
    attributes are its parameters. Not read of ``AUX_INS``: the timelines and the coded calibration.
    """

    looks_for = f"Sentinel-1 auxiliary data (with {MANIFEST} and data/s1?-aux-*.xml)"

    def can_read(self, store: Store) -> bool:
        """Tell whether there are a manifest and auxiliary data."""
        return store.exists(MANIFEST) and any(_DATA.match(name) for name in store.names())

    def open(self, store: Store) -> xr.DataTree:
        """Return the parameters as a tree; all of them are in memory."""
        if not read_kind(store).startswith("auxiliary/sar/"):
            raise ProductError(f"{store.location}: its {MANIFEST} is not that of auxiliary data")
        name = next(name for name in store.names() if _DATA.match(name))
        found = _DATA.match(name)
        kind = found[1] if found else ""
        root = Fields.read(store, name)
        groups = _KINDS.get(kind, _parameters)(root)
        groups["/"] = xr.Dataset(attrs=_attributes(Fields.read(store, MANIFEST), kind))
        return xr.DataTree.from_dict(dict(sorted(groups.items())))


AUX_SAFE = AuxiliaryReader()


def _attributes(manifest: Fields, kind: str) -> dict[str, Any]:
    info, platform = manifest.get("standAloneProductInformation"), manifest.get("platform")
    unit = platform.find("number")
    letter = (unit.element.text or "").strip() if unit else ""
    validity, generation = info.time("validity"), info.time("generation")
    discovery: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": f"S1{letter or '_'}_AUX_{kind.upper()}_V{validity:%Y%m%dT%H%M%S}_G{generation:%Y%m%dT%H%M%S}",
        "geometry": None,
        "properties": {
            "datetime": validity.isoformat().replace("+00:00", "Z"),
            "created": generation.isoformat().replace("+00:00", "Z"),
            "platform": f"sentinel-1{letter.lower()}",
            "product:type": info.text("auxProductType"),
        },
        "links": [],
        "assets": {},
    }
    return {"stac_discovery": discovery, "other_metadata": {"eopf_category": "auxiliary"}}


def _calibration(root: Fields) -> dict[str, xr.Dataset]:
    """Return the antenna patterns, a group for each swath and polarisation."""
    table = Table.of(root, "calibrationParamsList/calibrationParams")
    swaths, polarisations = table.texts("swath"), table.texts("polarisation")
    constant, noise = table.numbers("absoluteCalibrationConstant"), table.numbers("noiseCalibrationFactor")
    found = {}
    for k, row in enumerate(table.rows):
        one = Table(root, table.path, [row])
        elevation = _pattern(one, "elevationAntennaPattern", "elevationAngleIncrement", "elevation_angle")
        azimuth = _pattern(one, "azimuthAntennaPattern", "azimuthAngleIncrement", "azimuth_angle")
        element = _pattern(
            one, "azimuthAntennaElementPattern", "azimuthAngleIncrement", "azimuth_element_angle"
        )
        scalars = {
            "absolute_calibration_constant": constant[k],
            "noise_calibration_factor": noise[k],
            "beam_nominal_near_range": one.numbers("elevationAntennaPattern/beamNominalNearRange")[0],
            "beam_nominal_far_range": one.numbers("elevationAntennaPattern/beamNominalFarRange")[0],
        }
        merged: dict[str, Any] = {**elevation, **azimuth, **element, **scalars}
        found[f"/{swaths[k]}/{polarisations[k]}"] = xr.Dataset(
            {name: value for name, value in merged.items() if not name.endswith("_angle")},
            coords={name: value for name, value in merged.items() if name.endswith("_angle")},
        )
    return found


def _pattern(table: Table, path: str, increment: str, axis: str) -> dict[str, Any]:
    """Return a pattern over angles from the boresight; pairs of numbers are complex ones."""
    if not table.has(f"{path}/values"):
        return {}
    values = table.vectors(f"{path}/values")[0]
    count = table.rows[0].find(f"{path}/values")
    length = int(str(count.get("count", len(values)))) if count is not None else len(values)
    name = {"elevation_angle": "elevation_antenna_pattern", "azimuth_angle": "azimuth_antenna_pattern"}.get(
        axis, "azimuth_antenna_element_pattern"
    )
    data: npt.NDArray[Any] = values.view(np.complex128) if len(values) == 2 * length else values
    angles = (np.arange(len(data)) - (len(data) - 1) / 2) * table.numbers(f"{path}/{increment}")[0]
    units = {} if data.dtype.kind == "c" else {"units": "dB"}
    return {
        name: (axis, data, units),
        axis: (axis, angles, {"units": "degrees", "long_name": "from the boresight"}),
    }


def _instrument(root: Fields) -> dict[str, xr.Dataset]:
    swath = Table.of(root, "swathParamsList/swathParams")
    beam = Table.of(root, "internalCalibrationParamsList/internalCalibrationParams")
    decoding = root.get("decodingParams")
    attributes = {key: value for key, value in as_dict(root.element).items() if not isinstance(value, list)}
    attributes.pop("decoding_params", None)
    pair = ("swath", "degree")

    def beams(child: str, **attrs: str) -> tuple[str, Any, dict[str, str]]:
        return "beam", beam.numbers(child), attrs

    def gain(child: str) -> tuple[str, Any]:
        return "beam", beam.numbers(f"{child}/re") + 1j * beam.numbers(f"{child}/im")

    return {
        "/instrument": xr.Dataset(attrs=attributes),
        "/pulse": xr.Dataset(
            {
                "azimuth_steering_rate": ("swath", swath.numbers("radarParams/azimuthSteeringRate")),
                "amplitude_coefficients": (pair, swath.matrix("pulseParams/amplitudeCoefficients")),
                "phase_coefficients": (pair, swath.matrix("pulseParams/phaseCoefficients")),
                "nominal_tx_pulse_length": ("swath", swath.numbers("pulseParams/nominalTxPulseLength")),
            },
            coords={"swath": swath.texts("swath")},
        ),
        "/internal_calibration": xr.Dataset(
            {
                "time_delay": beams("timeDelay", units="s"),
                "swst_bias": beams("swstBias", units="s"),
                "azimuth_time_bias": beams("azimuthTimeBias", units="s"),
                "noise": beams("noise"),
                "nominal_gain": gain("nominalGain"),
                "extracted_gain": gain("extractedGain"),
                "pg_reference": gain("pgReference"),
            },
            coords={
                "swath": ("beam", beam.texts("swath")),
                "polarisation": ("beam", beam.texts("polarisation")),
            },
        ),
        "/decoding": _decoding(decoding),
    }


def _decoding(root: Fields) -> xr.Dataset:
    """Return the tables that packets are decoded with."""
    levels = Table.of(root, "nrlLutList/rlLut")
    simple = Table.of(root, "srlLutList/rlLut")
    sigma = Table.of(root, ".").vectors("sigmaFactorLut")[0]
    return xr.Dataset(
        {
            "normalised_reconstruction_levels": (("baq_code", "magnitude"), levels.matrix("values")),
            "simple_reconstruction_levels": (("baq_code", "low_threshold"), simple.matrix("values")),
            "sigma_factor": ("threshold", sigma),
        },
        coords={"baq_code": levels.texts("baqCode")},
    )


def _parameters(root: Fields) -> dict[str, xr.Dataset]:
    """Return each entry of each list as a group of attributes, called by what identifies it."""
    found: dict[str, xr.Dataset] = {}
    rest: dict[str, Any] = {}
    for child in root.element:
        if not isinstance(child.tag, str):
            continue
        name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", child.tag).lower()
        if "count" not in child.attrib:
            rest[name] = as_dict(child)
            continue
        for k, entry in enumerate(child):
            values = as_dict(entry)
            if not isinstance(values, dict):
                values = {"value": values}
            key = next(
                (str(values[i]) for i in ("product_id", "application_lut_id", "swath") if i in values), str(k)
            )
            path = f"/{name}/{re.sub(r'[^A-Za-z0-9_.-]', '_', key)}"
            found[f"{path}_{k}" if path in found else path] = xr.Dataset(attrs=values)
    return found | {"/parameters": xr.Dataset(attrs=rest)}


_KINDS: dict[str, Callable[[Fields], dict[str, xr.Dataset]]] = {"cal": _calibration, "ins": _instrument}

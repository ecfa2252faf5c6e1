"""What a datastrip's metadata tells of a product of level 1C or 2A: the instrument's setting, the orbit.

The file has 10 MB and more, nearly all of it the satellite's ancillary data. Opening a product reads what is
before and after them; the orbit, the attitude and the temperatures are read when they are asked for.
Source: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), metadata of level-1C datastrips.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import xarray as xr

from swath.errors import ProductError
from swath.io.store import open_store
from swath.io.xml import parse
from swath.product._fields import Fields
from swath.product.sentinel2._ancillary import ancillary_datasets
from swath.product.sentinel2._bands import BANDS

if TYPE_CHECKING:
    import os

    from swath.io.store import Range, Store

__all__ = ["acquisition_metadata", "acquisition_ranges", "datastrip_file", "open_ancillary_data"]

_FILE = re.compile(r"DATASTRIP/([^/]+)/(MTD_DS|S2\w_\w{4}_MTD_L(1C|2A)_DS_[^/]*)\.xml")
_FRONT = 1 << 18
_END = 1 << 16
_MIDDLE = b"Satellite_Ancillary_Data_Info"

_SETTINGS = {
    "nuc_table_id": "Sensor_Configuration/Acquisition_Configuration/NUC_TABLE_ID",
    "onboard_compression_flag": "Sensor_Configuration/Acquisition_Configuration/COMPRESS_MODE",
    "onboard_equalization_flag": "Sensor_Configuration/Acquisition_Configuration/EQUALIZATION_MODE",
    "swir_rearrangement_flag": "Image_Data_Info/Radiometric_Info/SWIR_REARRANGEMENT_PROC",
    "optical_crosstalk_correction_flag": "Image_Data_Info/Radiometric_Info/CROSSTALK_OPTICAL_PROC",
    "electronic_crosstalk_correction_flag": "Image_Data_Info/Radiometric_Info/CROSSTALK_ELECTRONIC_PROC",
    "l0_ephemeris_data_quality": "Geometric_Info/Geometric_QI/EPHEMERIS_QUALITY",
    "l0_ancillary_data_quality": "Geometric_Info/Geometric_QI/ANCILLARY_QUALITY",
    "absolute_location_assessment_from_aocs": "Geometric_Info/Geometric_QI/Absolute_Location/VALUE",
    "planimetric_stability_assessment_from_aocs": "Geometric_Info/Geometric_QI/Planimetric_Stability/VALUE",
    "multispectral_registration_assessment": "Geometric_Info/Geometric_QI/Multi_Spectral_Registration/VALUE",
}
"""What products of eopf call it → where it is."""

_RESIDUAL = "Image_Refining/Correlation_Quality/Local_Residual_List/Local_Residual"


def datastrip_file(store: Store) -> str | None:
    """Return the file of the datastrip's metadata; None where the product has none, or several."""
    found = [name for name in store.names() if _FILE.fullmatch(name)]
    return found[0] if len(found) == 1 else None


def acquisition_ranges(name: str) -> list[Range]:
    """Return what :func:`acquisition_metadata` will begin with."""
    return [(name, 0, _FRONT)]


def acquisition_metadata(store: Store, name: str) -> tuple[dict[str, Any], dict[str, dict[str, float]]]:
    """Return what a datastrip tells for ``other_metadata``, and for the description of each band.

    What the metadata does not tell is None, as products of eopf have a null.
    """
    root = _outline(store, name)
    told: dict[str, Any] = {key: _value(root, path) for key, path in _SETTINGS.items()}
    rotation = {
        axis: {
            key.lower(): _value(root, f"MSI_State/Rotation/{axis}/{key}")
            for key in ("DEGREE", "COEFFICIENTS")
        }
        for axis in "XYZ"
    }
    told["geometric_refinement"] = {
        "spacecraft_rotation": rotation,
        "mean_value_of_residual_displacements_at_all_tie_points_after_refinement_m": {
            f"{axis}_mean": _value(root, f"{_RESIDUAL}/{axis.upper()}_MEAN") for axis in "xy"
        },
        "standard_deviation_of_residual_displacements_at_all_tie_points_after_refinement_m": {
            f"{axis}_stdv": _value(root, f"{_RESIDUAL}/{axis.upper()}_STDV") for axis in "xy"
        },
    }
    bands = {}
    for entry in root.all("Spectral_Band_Info/Spectral_Band_Information"):
        band = BANDS[entry.attribute("bandId", high=len(BANDS) - 1)]
        values = {
            "onboard_compression_rate": _value(entry, "COMPRESSION_RATE"),
            "onboard_integration_time": _value(entry, "INTEGRATION_TIME"),
        }
        bands[band.name] = {
            key: float(value) for key, value in values.items() if isinstance(value, int | float)
        }
    return told, bands


def open_ancillary_data(location: str | os.PathLike[str]) -> xr.DataTree:
    """Return the satellite's orbit, attitude and temperatures during a product of level 1C or 2A.

    Groups and variables are those of ``conditions/ancillary_data`` in the models S02MSIL1A and S02MSIL1B of
    eopf 2.8.1, as level 0 has them here: ``ephemeris/gps_points``, ``ephemeris/aocs_ephemeris``,
    ``attitudes/corrected_attitudes``, … along ``packet_number``. Models of level 1C and 2A have no such
    groups, so that they are no part of :func:`swath.open_product`. Times are in GPS time, as they are stored.

    Parameters
    ----------
    location
        A SAFE: a directory, zip or tar, or a URL of one.

    Raises
    ------
    ProductError
        There is no metadata of a datastrip, or there are several.
    MetadataError
        It makes no sense.
    """
    store = open_store(location)
    name = datastrip_file(store)
    if name is None:
        raise ProductError(
            f"{store.location}: expected one metadata file of a datastrip (DATASTRIP/…/MTD_DS.xml), found "
            "none, or several; give a Sentinel-2 SAFE of level 1C or 2A with its DATASTRIP folder"
        )
    found = ancillary_datasets(Fields.read(store, name))
    return xr.DataTree.from_dict({f"/{path}": dataset for path, dataset in sorted(found.items())})


def _outline(store: Store, name: str) -> Fields:
    """Return the document without the satellite's ancillary data, which are not even read."""
    where = f"{store.location}: {name}"
    front = store.read_range(name, 0, _FRONT)
    start = front.find(b"<" + _MIDDLE)
    start = start if start >= 0 else front.find(b":" + _MIDDLE)
    start = front.rfind(b"<", 0, start + 1)
    if start < 0:
        return Fields.read(store, name)
    end = store.read_end(name, _END)
    closing = re.search(rb"</(\w+:)?" + _MIDDLE + rb"\s*>", end)
    if closing is None:
        return Fields.read(store, name)
    return Fields(parse(front[:start] + end[closing.end() :], where), where)


def _value(root: Fields, path: str) -> float | int | str | None:
    """Return a number, or else the text, that a path leads to; None where there is none."""
    found = root.find(path)
    text = (found.element.text or "").strip() if found is not None else ""
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text

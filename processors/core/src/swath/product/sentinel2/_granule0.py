"""What the metadata of a level-0 granule tells: its place, its angles, its source packets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.product._table import Table
from swath.product.sentinel2._bands import BANDS
from swath.product.sentinel2._datastrip import band_of, told

if TYPE_CHECKING:
    from swath.product._fields import Fields

__all__ = ["granule_attributes", "granule_datasets"]


def granule_datasets(root: Fields) -> dict[str, xr.Dataset]:
    """Return counts of source packets by band, and the angles at the granule's centre."""
    found: dict[str, xr.Dataset] = {}
    rows = root.all("Source_Packet_Counters_List/Source_Packet_Counters")
    if rows:
        table = Table(root, "Source_Packet_Counters", [row.element for row in rows])
        names = ("DATA_STRIP_START", "SCENE_POSITION", "NB_OF_SOURCE_PACKETS")
        found["/conditions/source_packets"] = xr.Dataset(
            {name.lower(): ("band", table.numbers(name, np.int64)) for name in names},
            {"band": [BANDS[band_of(row)].name for row in rows]},
        )
    header = root.find("Granule_Position/Geometric_Header")
    if header is not None:
        angles = {
            f"{kind}_{angle}": (
                (),
                header.number(f"{path}/{angle.upper()}_ANGLE", low=-360, high=360),
                {"units": "deg"},
            )
            for kind, path in (("incidence", "Incidence_Angles"), ("solar", "Solar_Angles"))
            for angle in ("zenith", "azimuth")
        }
        centre = Table(root, "Geometric_Header", [header.element]).vectors("GROUND_CENTER")[0]
        if len(centre) != 3:
            raise header.error(
                f"GROUND_CENTER has {len(centre)} numbers, expected latitude, longitude and height"
            )
        for name, value, units in zip(
            ("latitude", "longitude", "height"), centre, ("degrees_north", "degrees_east", "m"), strict=True
        ):
            angles[name] = ((), value, {"units": units})
        found["/conditions/geometry"] = xr.Dataset(angles)
    return found


def granule_attributes(root: Fields) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return properties of the STAC item, and other metadata."""
    info = root.get("General_Info")
    properties: dict[str, Any] = {"datetime": told(info.time("SENSING_TIME"))}
    datastrip = info.find("DATASTRIP_ID")
    if datastrip is not None:
        properties["eopf:datastrip_id"] = datastrip.text()
    other: dict[str, Any] = {
        "granule_id": info.text("GRANULE_ID"),
        "detector": info.whole("DETECTOR_ID", low=1, high=12),
        "downlink_priority": info.text("DOWNLINK_PRIORITY"),
    }
    for name in ("CLOUDY_PIXEL_PERCENTAGE", "DEGRADED_MSI_DATA_PERCENTAGE"):
        if root.find(name):
            other[name.lower()] = root.number(name, low=0, high=100)
    return properties, other

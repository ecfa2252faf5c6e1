"""The 13 bands of the MultiSpectral Instrument (MSI).

Source
------
Sentinel-2 User Handbook (ESA, 2015): nominal central wavelengths and band widths. The responses of each
satellite differ from them by a few nanometres: COPE-GSEG-EOPG-TN-15-0007.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["BANDS", "Band", "BandName", "Resolution", "group"]

BandName = Literal["b01", "b02", "b03", "b04", "b05", "b06", "b07", "b08", "b8a", "b09", "b10", "b11", "b12"]
"""Name of a band, as EOPF writes it."""
Resolution = Literal[10, 20, 60]
"""Nominal pixel size, metres; the names of the groups of EOPF products: ``r10m``, ``r20m``, ``r60m``."""


@dataclass(frozen=True, slots=True)
class Band:
    """One band."""

    name: BandName
    resolution: Resolution
    """Nominal size of its own pixels, metres."""
    wavelength: float
    """Nominal central wavelength, micrometres."""
    width: float
    """Nominal band width, micrometres."""
    common_name: str
    """As in the STAC extension eo 2.0.0."""


BANDS: dict[BandName, Band] = {
    band.name: band
    for band in (
        Band("b01", 60, 0.443, 0.020, "coastal"),
        Band("b02", 10, 0.490, 0.065, "blue"),
        Band("b03", 10, 0.560, 0.035, "green"),
        Band("b04", 10, 0.665, 0.030, "red"),
        Band("b05", 20, 0.705, 0.015, "rededge071"),
        Band("b06", 20, 0.740, 0.015, "rededge075"),
        Band("b07", 20, 0.783, 0.020, "rededge078"),
        Band("b08", 10, 0.842, 0.115, "nir"),
        Band("b8a", 20, 0.865, 0.020, "nir08"),
        Band("b09", 60, 0.945, 0.020, "nir09"),
        Band("b10", 60, 1.375, 0.030, "cirrus"),
        Band("b11", 20, 1.610, 0.090, "swir16"),
        Band("b12", 20, 2.190, 0.180, "swir22"),
    )
}
"""In the order of the instrument's band numbers."""


def group(resolution: Resolution) -> str:
    """Return the name of a resolution's group in a product: ``r10m`` for 10."""
    return f"r{resolution}m"

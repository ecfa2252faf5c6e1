"""The thirteen bands of MSI."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["BANDS", "PLATFORMS", "RESOLUTIONS", "Band"]


@dataclass(frozen=True, slots=True)
class Band:
    """A band: the same thing is called differently in files, metadata and EOPF products."""

    index: int
    """``bandId`` of the metadata, 0 to 12."""
    name: str
    """Name in an EOPF product, ``b8a``."""
    resolution: int
    """Size of a pixel, in metres."""
    common_name: str
    """Name in STAC's ``eo`` extension."""

    @property
    def file_name(self) -> str:
        """Name in the names of files, ``B8A``."""
        return self.name.upper()

    @property
    def group(self) -> str:
        """Group of an EOPF product that holds bands of this resolution, ``r20m``."""
        return f"r{self.resolution}m"


BANDS = (
    Band(0, "b01", 60, "coastal"),
    Band(1, "b02", 10, "blue"),
    Band(2, "b03", 10, "green"),
    Band(3, "b04", 10, "red"),
    Band(4, "b05", 20, "rededge"),
    Band(5, "b06", 20, "rededge"),
    Band(6, "b07", 20, "rededge"),
    Band(7, "b08", 10, "nir"),
    Band(8, "b8a", 20, "nir08"),
    Band(9, "b09", 60, "nir09"),
    Band(10, "b10", 60, "cirrus"),
    Band(11, "b11", 20, "swir16"),
    Band(12, "b12", 20, "swir22"),
)
"""All bands, by ``bandId``. Source: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD)."""

RESOLUTIONS = (10, 20, 60)

PLATFORMS = {"sentinel-2a": "2015-028A", "sentinel-2b": "2017-013A", "sentinel-2c": "2024-157A"}
"""International designators; a platform that is not here is read all the same, without its designator."""

"""The thirteen bands of the MultiSpectral Instrument, as Sentinel-2A's product metadata gives them.

Source: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD, version 14), the elements
``Spectral_Information``, ``SOLAR_IRRADIANCE`` and ``PHYSICAL_GAINS`` of the level-1C product metadata.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Band:
    """One spectral band."""

    name: str
    """Name in file names, for example ``B8A``."""
    number: int
    """``bandId`` in the metadata: 0 to 12 by order of ``BANDS``."""
    resolution: int
    """Ground spacing of its pixels, in metres: 10, 20 or 60."""
    wavelength: tuple[float, float, float]
    """Shortest, central and longest wavelength, in nanometres."""
    irradiance: float
    """Mean solar irradiance outside the atmosphere, in W/m²/µm."""
    gain: float
    """Absolute calibration coefficient (``PHYSICAL_GAINS``), in digital counts per W/m²/sr/µm."""

    @property
    def physical_name(self) -> str:
        """Name in the metadata: without the leading zero, for example ``B1``."""
        return "B" + self.name[1:].lstrip("0")


BANDS: tuple[Band, ...] = (
    Band("B01", 0, 60, (412, 442.7, 456), 1884.69, 4.10704469),
    Band("B02", 1, 10, (456, 492.7, 533), 1959.66, 3.7510155),
    Band("B03", 2, 10, (538, 559.8, 583), 1823.24, 4.17672732),
    Band("B04", 3, 10, (646, 664.6, 684), 1512.06, 4.5073641),
    Band("B05", 4, 20, (695, 704.1, 714), 1424.64, 5.18832596),
    Band("B06", 5, 20, (731, 740.5, 749), 1287.61, 4.85294746),
    Band("B07", 6, 20, (769, 782.8, 797), 1162.08, 4.51488207),
    Band("B08", 7, 10, (760, 832.8, 907), 1041.63, 6.1342933),
    Band("B8A", 8, 20, (837, 864.7, 881), 955.32, 5.11345501),
    Band("B09", 9, 60, (932, 945.1, 958), 812.92, 8.49134074),
    Band("B10", 10, 60, (1337, 1373.5, 1412), 367.15, 54.75127074),
    Band("B11", 11, 20, (1539, 1613.7, 1682), 245.59, 35.08231952),
    Band("B12", 12, 20, (2078, 2202.4, 2320), 85.25, 106.16068443),
)
"""All bands, by ``bandId``."""

BY_NAME: dict[str, Band] = {band.name: band for band in BANDS}
"""All bands by their names in file names."""

RESOLUTIONS: tuple[int, ...] = (10, 20, 60)
"""The three ground spacings, in metres."""

"""What the product's metadata (``MTD_MSIL1C.xml``) tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from swath.io.store import safe_name
from swath.product._fields import Fields
from swath.product.sentinel2._bands import BANDS

if TYPE_CHECKING:
    from datetime import datetime

    from swath.io.store import Store

__all__ = ["PRODUCT_METADATA", "ProductMetadata", "Spectrum", "read_product_metadata"]

PRODUCT_METADATA = "MTD_MSIL1C.xml"


@dataclass(frozen=True, slots=True)
class Spectrum:
    """A band's spectral response, in nanometres."""

    central: float
    low: float
    high: float
    step: float
    response: npt.NDArray[np.float64]
    """Response at ``low``, ``low + step`` … ``high``; 1 at the peak."""

    @property
    def width(self) -> float:
        """Full width at half maximum, in nanometres, the response's flanks interpolated linearly."""
        wave = self.low + self.step * np.arange(len(self.response))
        half = self.response.max() / 2
        above = np.flatnonzero(self.response >= half)
        first, last = above[0], above[-1]
        left, right = wave[first], wave[last]
        if first > 0:
            left = np.interp(half, self.response[[first - 1, first]], wave[[first - 1, first]])
        if last < len(wave) - 1:
            right = np.interp(-half, -self.response[[last, last + 1]], wave[[last, last + 1]])
        return round(float(right - left), 3)


@dataclass(frozen=True)
class ProductMetadata:
    """Identity, calibration and quality of a product."""

    identifier: str
    """Name of the product without ``.SAFE``."""
    start: datetime
    stop: datetime
    created: datetime
    baseline: str
    """Processing baseline, ``05.09``."""
    doi: str | None
    platform: str
    """``sentinel-2a``."""
    datatake: str
    datatake_type: str
    absolute_orbit: int
    relative_orbit: int
    orbit_state: str
    """``descending`` or ``ascending``."""
    images: dict[str, str]
    """File of each band, by the band's name."""
    quantification: float
    """Counts for a reflectance of 1."""
    offsets: dict[str, float]
    """Counts to add before dividing by the quantification value, by band; 0 before baseline 04.00."""
    no_data: int
    saturated: int
    sun_distance_correction: float
    """Correction U of the reflectance for the distance of the sun, by the day of acquisition."""
    irradiance: dict[str, float]
    """Solar irradiance at one astronomical unit, W/m²/µm, by band."""
    gains: dict[str, float]
    spectra: dict[str, Spectrum]
    cloud_cover: float
    """Percent."""
    snow_cover: float | None
    """Percent; None before baseline 04.00."""
    degraded: float
    """Percent of image data that is degraded."""
    footprint: list[tuple[float, float]]
    """Longitude and latitude of a closed polygon, degrees."""
    quality: dict[str, str]
    """Outcome of each quality check."""
    datastrip: str


def read_product_metadata(store: Store) -> ProductMetadata:
    """Read the product's metadata.

    Raises
    ------
    MetadataError
        Malformed, incomplete, or with values that make no sense.
    ProductError
        It names files that lead out of the product.
    """
    root = Fields.read(store, PRODUCT_METADATA)
    info = root.get("Product_Info")
    uri = info.text("PRODUCT_URI")
    level = info.text("PROCESSING_LEVEL")
    if level != "Level-1C":
        raise info.error(f"PROCESSING_LEVEL is {level!r}, expected 'Level-1C'")
    granules = info.all("Granule_List/Granule") or info.all("Granule_List/Granules")
    if len(granules) != 1:
        raise info.error(
            f"{len(granules)} granules, expected one (products of one tile, since December 2016)"
        )
    characteristics = root.get("Product_Image_Characteristics")
    special = {s.text("SPECIAL_VALUE_TEXT"): s for s in characteristics.all("Special_Values")}
    return ProductMetadata(
        identifier=uri.removesuffix(".SAFE"),
        start=info.time("PRODUCT_START_TIME"),
        stop=info.time("PRODUCT_STOP_TIME"),
        created=info.time("GENERATION_TIME"),
        baseline=_matching(info, "PROCESSING_BASELINE", r"\d\d\.\d\d"),
        doi=_doi(info),
        platform=_matching(info, "SPACECRAFT_NAME", r"[Ss]entinel-2[A-Za-z]").lower(),
        datatake=(datatake := str(info.get("Datatake").element.get("datatakeIdentifier", ""))),
        datatake_type=info.text("DATATAKE_TYPE"),
        absolute_orbit=_absolute_orbit(info, datatake),
        relative_orbit=info.whole("SENSING_ORBIT_NUMBER", low=1, high=143),
        orbit_state=_matching(info, "SENSING_ORBIT_DIRECTION", r"(?i)ascending|descending").lower(),
        images=_images(granules[0]),
        quantification=characteristics.number("QUANTIFICATION_VALUE", low=1, high=1e6),
        offsets=_offsets(characteristics),
        no_data=special["NODATA"].whole("SPECIAL_VALUE_INDEX", low=0, high=65535) if "NODATA" in special else
        0, saturated=(
            special["SATURATED"].whole("SPECIAL_VALUE_INDEX", low=0, high=65535) if "SATURATED" in special
            else 65535
        ),
        sun_distance_correction=characteristics.number("Reflectance_Conversion/U", low=0.9, high=1.1),
        irradiance=_by_band(characteristics, "SOLAR_IRRADIANCE", low=1, high=5000),
        gains=_by_band(characteristics, "PHYSICAL_GAINS", low=0, high=1e6),
        spectra=_spectra(characteristics),
        cloud_cover=root.number("Cloud_Coverage_Assessment", low=0, high=100),
        snow_cover=root.number("Snow_Coverage_Assessment", low=0, high=100) if
        root.find("Snow_Coverage_Assessment") else None, degraded=root.number("DEGRADED_MSI_DATA_PERCENTAGE",
        low=0, high=100), footprint=_footprint(root),
        quality={str(c.element.get("checkType", "")): c.text() for c in root.all("quality_check")},
        datastrip=str(granules[0].element.get("datastripIdentifier", "")),
    )  # fmt: skip


def _matching(fields: Fields, path: str, pattern: str) -> str:
    text = fields.text(path)
    if not re.fullmatch(pattern, text):
        raise fields.error(f"{path} is {text!r}, expected something like {pattern!r}")
    return text


def _doi(info: Fields) -> str | None:
    return info.text("PRODUCT_DOI").removeprefix("https://doi.org/") if info.find("PRODUCT_DOI") else None


def _absolute_orbit(info: Fields, datatake: str) -> int:
    found = re.fullmatch(r"G?S2[A-Z]_\d{8}T\d{6}_(\d{6})_N\d\d\.\d\d", datatake)
    if found is None:
        raise info.error(
            f"datatakeIdentifier is {datatake!r}, expected one like GS2A_20171207T002051_012840_N02.06"
        )
    return int(found[1])


def _images(granule: Fields) -> dict[str, str]:
    """Return the image file of each band; names that lead out of the product are refused here."""
    files = {}
    for image in granule.all("IMAGE_FILE") + granule.all("IMAGE_ID"):
        name = safe_name(image.text() if image.text().endswith(".jp2") else f"{image.text()}.jp2")
        files[name.removesuffix(".jp2").rpartition("_")[2].lower()] = name
    images = {band.name: files[band.name] for band in BANDS if band.name in files}
    lacking = [band.name for band in BANDS if band.name not in images]
    if lacking:
        raise granule.error(f"no IMAGE_FILE for {', '.join(lacking)}")
    return images


def _by_band(fields: Fields, path: str, *, low: float, high: float) -> dict[str, float]:
    return {
        BANDS[f.attribute("bandId", high=12)].name: f.number(low=low, high=high) for f in fields.all(path)
    }


def _offsets(fields: Fields) -> dict[str, float]:
    """Return each band's offset; products before baseline 04.00 have none."""
    found = fields.all("RADIO_ADD_OFFSET")
    offsets = {BANDS[f.attribute("band_id", high=12)].name: f.number(low=-32768, high=32767) for f in found}
    if found and len(offsets) != len(BANDS):
        raise fields.error(f"RADIO_ADD_OFFSET for {len(offsets)} bands, expected all {len(BANDS)}")
    return {band.name: offsets.get(band.name, 0.0) for band in BANDS}


def _spectra(fields: Fields) -> dict[str, Spectrum]:
    spectra = {}
    for found in fields.all("Spectral_Information"):
        response = np.array([float(value) for value in found.text("Spectral_Response/VALUES").split()])
        spectra[BANDS[found.attribute("bandId", high=12)].name] = Spectrum(
            central=found.number("Wavelength/CENTRAL", low=300, high=3000),
            low=found.number("Wavelength/MIN", low=300, high=3000),
            high=found.number("Wavelength/MAX", low=300, high=3000),
            step=found.number("Spectral_Response/STEP", low=0.01, high=100),
            response=response,
        )
    return spectra


def _footprint(root: Fields) -> list[tuple[float, float]]:
    """Return the closed polygon of EXT_POS_LIST, whose positions are latitude and longitude."""
    text = root.text("Global_Footprint/EXT_POS_LIST")
    try:
        values = [float(value) for value in text.split()]
    except ValueError:
        raise root.error("EXT_POS_LIST is no list of numbers") from None
    points = list(zip(values[1::2], values[0::2], strict=False))
    if len(values) % 2 or len(points) < 4 or not all(abs(x) <= 180 and abs(y) <= 90 for x, y in points):
        raise root.error("EXT_POS_LIST is no polygon of latitudes and longitudes")
    return points if points[0] == points[-1] else [*points, points[0]]

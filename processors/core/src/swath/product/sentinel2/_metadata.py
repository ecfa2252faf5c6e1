"""What the product's metadata (``MTD_MSIL1C.xml``, ``MTD_MSIL2A.xml``) tells."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swath.product._fields import Fields
from swath.product.sentinel2._bands import BANDS
from swath.product.sentinel2._files import Granule, Level, find_granules
from swath.product.sentinel2._radiometry import (
    Spectrum,
    atmosphere,
    by_band,
    classes,
    offsets,
    quantification,
    spectra,
)

if TYPE_CHECKING:
    from datetime import datetime

    from swath.io.store import Store

__all__ = ["ProductMetadata", "read_product_metadata"]


@dataclass(frozen=True)
class ProductMetadata:
    """Identity, calibration and quality of a product."""

    level: Level
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
    granules: tuple[Granule, ...]
    """Its tiles; one since December 2016."""
    quantification: float
    """Counts for a reflectance of 1."""
    offsets: dict[str, float]
    """Counts to add before dividing by the quantification value, by band; 0 before baseline 04.00."""
    atmosphere: dict[str, float]
    """Counts for an aerosol optical thickness of 1 (``aot``) and for 1 cm of water vapour (``wvp``); level
    2A."""
    classes: tuple[tuple[int, str], ...]
    """Values and names of the scene classification; level 2A."""
    no_data: int
    saturated: int
    sun_distance_correction: float
    """Correction U of the reflectance for the distance of the sun, by the day of acquisition."""
    reference_band: int | None
    """Number of the band that others are registered to; None where it is not told."""
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
    content: dict[str, float | str]
    """What the quality indicators tell of the images: shares of classes in percent, means; level 2A."""


def read_product_metadata(store: Store, name: str, level: Level) -> ProductMetadata:
    """Read the product's metadata.

    Parameters
    ----------
    store
        The product.
    name
        File of its metadata.
    level
        What it should be.

    Raises
    ------
    MetadataError
        Malformed, incomplete, or with values that make no sense.
    ProductError
        It names files that lead out of the product, or lacks the files of a tile.
    """
    root = Fields.read(store, name)
    info = _either(root, "Product_Info", "L2A_Product_Info")
    told = info.text("PROCESSING_LEVEL")
    if told not in _LEVELS[level]:
        raise info.error(f"PROCESSING_LEVEL is {told!r}, expected {_LEVELS[level][0]!r}")
    images = _either(root, "Product_Image_Characteristics", "L2A_Product_Image_Characteristics")
    special = {s.text("SPECIAL_VALUE_TEXT"): s for s in images.all("Special_Values")}
    return ProductMetadata(
        level=level,
        identifier=_identifier(info, name),
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
        granules=tuple(find_granules(store, info, _NEEDED[level])),
        quantification=quantification(images, level),
        offsets=offsets(images, "RADIO_ADD_OFFSET" if level == "L1C" else "BOA_ADD_OFFSET"),
        atmosphere=atmosphere(images) if level == "L2A" else {},
        classes=classes(images),
        no_data=_special(special, "NODATA", 0),
        saturated=_special(special, "SATURATED", 65535),
        sun_distance_correction=images.number("Reflectance_Conversion/U", low=0.9, high=1.1),
        reference_band=(
            images.whole("REFERENCE_BAND", low=0, high=12) if images.find("REFERENCE_BAND") else None
        ),
        irradiance=by_band(images, "SOLAR_IRRADIANCE", low=1, high=5000),
        gains=by_band(images, "PHYSICAL_GAINS", low=0, high=1e6),
        spectra=spectra(images),
        cloud_cover=root.number("Cloud_Coverage_Assessment", low=0, high=100),
        snow_cover=_snow_cover(root),
        degraded=root.number("DEGRADED_MSI_DATA_PERCENTAGE", low=0, high=100),
        footprint=_footprint(root),
        quality=_quality(root),
        content=_content(root) if level == "L2A" else {},
    )


_NEEDED = {"L1C": tuple(band.name for band in BANDS), "L2A": ("b04",)}
"""Images that a tile must have; Sen2Cor may leave out whole resolutions."""

_LEVELS = {"L1C": ("Level-1C",), "L2A": ("Level-2A", "Level-2Ap")}
"""What PROCESSING_LEVEL is; the second is what the users' own processor (Sen2Cor) wrote before 2.8."""


def _either(root: Fields, name: str, old: str) -> Fields:
    """Return an element that had another name before baseline 02.07."""
    return root.find(name) or root.find(old) or root.get(name)


def _identifier(info: Fields, name: str) -> str:
    """Return the product's name; where it is empty (before 2016), it follows from the metadata's name."""
    for path in ("PRODUCT_URI", "PRODUCT_URI_2A"):
        found = info.find(path)
        if found is not None and (found.element.text or "").strip():
            return found.text().removesuffix(".SAFE")
    if "_MTD_SAF" not in name:
        raise info.error("PRODUCT_URI is missing or empty")
    return name.removesuffix(".xml").replace("_MTD_SAF", "_PRD_MSI")


def _special(special: dict[str, Fields], name: str, default: int) -> int:
    return special[name].whole("SPECIAL_VALUE_INDEX", low=0, high=65535) if name in special else default


def _snow_cover(root: Fields) -> float | None:
    for name in ("Snow_Coverage_Assessment", "Image_Content_QI/SNOW_ICE_PERCENTAGE"):
        if root.find(name):
            return root.number(name, low=0, high=100)
    return None


def _quality(root: Fields) -> dict[str, str]:
    """Return the outcome of each check; before baseline 02.07 each had an element of its own."""
    old = [entry for found in root.all("Quality_Inspections") for entry in found.element.iterchildren("*")]
    checks = {str(c.element.get("checkType", "")): c.text() for c in root.all("quality_check")}
    for entry in old:
        name = str(entry.tag).rpartition("}")[2]
        if name.endswith("_FLAG"):
            checks[name.removesuffix("_FLAG")] = (entry.text or "").strip()
    return checks


def _content(root: Fields) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for entry in root.all("Image_Content_QI"):
        for child in entry.element.iterchildren("*"):
            text = (child.text or "").strip()
            try:
                found[str(child.tag).rpartition("}")[2].lower()] = float(text)
            except ValueError:
                found[str(child.tag).rpartition("}")[2].lower()] = text
    return found


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

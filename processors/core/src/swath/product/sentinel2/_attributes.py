"""Attributes of the product and of its variables, as in EOPF products.

Sources: the model S02MSIL1C of eopf 2.8.1, and products of the EOPF Sample Service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from swath.product._footprint import ring_footprint
from swath.product.sentinel2._bands import BANDS, PLATFORMS

if TYPE_CHECKING:
    from datetime import datetime

    from swath.product.grid import Grid
    from swath.product.sentinel2._metadata import ProductMetadata
    from swath.product.sentinel2._tile import TileMetadata

__all__ = ["CLASSES", "QUALITY_FLAGS", "product_attributes"]

CLASSES = ("OPAQUE", "CIRRUS", "SNOW_ICE")
"""Flags of the classification mask, from bit 0 up."""

QUALITY_FLAGS = (
    "ANC_LOST", "ANC_DEG", "MSI_LOST", "MSI_DEG",
    "QT_DEFECTIVE_PIXELS", "QT_NODATA_PIXELS", "QT_PARTIALLY_CORRECTED_PIXELS", "QT_SATURATED_PIXELS_L1A",
)  # fmt: skip
"""Flags of the quality masks, from bit 0 up."""

_SUN_DISTANCE = (
    "reflectance_correction_factor_from_the_sun_earth_distance_variation_computed_using_the_acquisition_date"
)

_EXTENSIONS = [
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("eo/v2.0.0", "projection/v2.0.0", "sat/v1.1.0", "processing/v1.2.0", "product/v1.0.0")
]
_SCIENTIFIC = "https://stac-extensions.github.io/scientific/v1.0.0/schema.json"


def product_attributes(product: ProductMetadata, tile: TileMetadata, grid: Grid) -> dict[str, Any]:
    """Return ``stac_discovery`` (a STAC item) and ``other_metadata`` of the root.

    ``grid`` is that of the 10 m bands as their images tell it.
    """
    geometry, bbox = ring_footprint(product.footprint)
    extensions = [*_EXTENSIONS, _SCIENTIFIC] if product.doi else _EXTENSIONS
    discovery = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(extensions),
        "id": product.identifier,
        "geometry": geometry,
        "bbox": bbox,
        "properties": _properties(product, tile, grid),
        "links": [],
        "assets": {},
    }
    return {"stac_discovery": discovery, "other_metadata": _other(product, tile)}


def _properties(product: ProductMetadata, tile: TileMetadata, grid: Grid) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "datetime": _told(product.start),
        "start_datetime": _told(product.start),
        "end_datetime": _told(product.stop),
        "created": _told(product.created),
        "platform": product.platform,
        "constellation": "sentinel-2",
        "instruments": ["msi"],
        "gsd": 10,
        "providers": [{"name": "ESA", "roles": ["producer"]}],
        "product:type": "S02MSIL1C",
        "processing:level": "L1C",
        "processing:facility": "ESA",
        "processing:lineage": "IPF L1C processor",
        "processing:version": product.baseline,
        "eo:cloud_cover": product.cloud_cover,
        "sat:absolute_orbit": product.absolute_orbit,
        "sat:relative_orbit": product.relative_orbit,
        "sat:orbit_state": product.orbit_state,
        "eopf:baseline": product.baseline,
        "eopf:datatake_id": product.datatake,
        "eopf:datastrip_id": product.datastrip,
        "eopf:instrument_mode": product.datatake_type,
        "proj:code": grid.crs,
        "proj:bbox": list(grid.bounds),
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform),
        "bands": [_band(product, band.name, band.common_name) for band in BANDS],
    }
    if product.snow_cover is not None:
        properties["eo:snow_cover"] = product.snow_cover
    if product.doi:
        properties["sci:doi"] = product.doi
    if product.platform in PLATFORMS:
        properties["sat:platform_international_designator"] = PLATFORMS[product.platform]
    mgrs = re.search(r"_T(\d\d[A-Z]{3})_", tile.identifier)
    if mgrs:
        properties["grid:code"] = f"MGRS-{mgrs[1]}"
    return properties


def _band(product: ProductMetadata, name: str, common_name: str) -> dict[str, Any]:
    """Return a band as STAC 1.1 and its ``eo`` extension have it: wavelengths in micrometres."""
    band: dict[str, Any] = {"name": name, "eo:common_name": common_name}
    if name in product.spectra:
        spectrum = product.spectra[name]
        band["eo:center_wavelength"] = round(spectrum.central / 1000, 7)
        band["eo:full_width_half_max"] = round(spectrum.width / 1000, 7)
    if name in product.irradiance:
        band["eo:solar_illumination"] = product.irradiance[name]
    return band


def _other(product: ProductMetadata, tile: TileMetadata) -> dict[str, Any]:
    mean_zenith, mean_azimuth = (float(angle) for angle in tile.angles.mean_sun)
    return {
        "eopf_category": "eoproduct",
        "tile_id": tile.identifier,
        "utm_zone_identification": tile.crs_name.rpartition(" ")[2],
        "horizontal_crs_code": tile.crs,
        "horizontal_crs_name": tile.crs_name,
        "mean_sensing_time": _told(tile.sensing_time),
        "mean_sun_azimuth_angle_in_deg_for_all_bands_all_detectors": mean_azimuth,
        "mean_sun_zenith_angle_in_deg_for_all_bands_all_detectors": mean_zenith,
        _SUN_DISTANCE: product.sun_distance_correction,
        "percentage_of_degraded_msi_data": product.degraded,
        "product_quality_status": _status(product.quality),
        "quality_checks": product.quality,
        "band_description": {band.file_name[1:]: _description(product, band.name) for band in BANDS},
    }


def _status(checks: dict[str, str]) -> str:
    """Return PASSED where all checks passed, or else the outcomes of those that did not."""
    failed = sorted({outcome for outcome in checks.values() if outcome != "PASSED"})
    return ",".join(failed) if failed else "PASSED"


def _description(product: ProductMetadata, name: str) -> dict[str, Any]:
    described: dict[str, Any] = {"units": "nm"}
    if name in product.spectra:
        spectrum = product.spectra[name]
        described |= {
            "central_wavelength": spectrum.central,
            "wavelength_min": spectrum.low,
            "wavelength_max": spectrum.high,
            "bandwidth": spectrum.width,
            "spectral_response_step": spectrum.step,
            "spectral_response_values": [float(value) for value in spectrum.response],
        }
    if name in product.gains:
        described["physical_gain"] = product.gains[name]
    return described


def _told(time: datetime) -> str:
    """Return a time as STAC has it (RFC 3339)."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

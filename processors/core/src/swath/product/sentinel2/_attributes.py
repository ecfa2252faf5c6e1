"""Attributes of the product and of its variables, as in EOPF products.

Sources: the models S02MSIL1C and S02MSIL2A of eopf 2.8.1, and products of the EOPF Sample Service.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from swath.product._footprint import grid_footprint, ring_footprint
from swath.product.sentinel2._bands import BANDS, PLATFORMS

if TYPE_CHECKING:
    from datetime import datetime

    from swath.product.grid import Grid
    from swath.product.sentinel2._files import Granule
    from swath.product.sentinel2._metadata import ProductMetadata
    from swath.product.sentinel2._tile import TileMetadata

__all__ = ["CLASSES", "QUALITY_FLAGS", "add_acquisition", "container_attributes", "product_attributes"]

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


_IMAGE_CONTENT = {
    "radiative_transfer_accuracy": "declared_accuracy_of_radiative_transfer_model",
    "water_vapour_retrieval_accuracy": "declared_accuracy_of_water_vapour_model",
    "aot_retrieval_accuracy": "declared_accuracy_of_aot_model",
    "aot_retrieval_method": "aot_retrieval_model",
    "granule_mean_aot": "mean_value_of_aerosol_optical_thickness",
    "granule_mean_wv": "mean_value_of_total_water_vapour_content",
    "ozone_source": "ozone_source",
    "ozone_value": "ozone_value",
}
"""What quality indicators of level 2A are called in EOPF products; others are in ``image_content``."""


def container_attributes(product: ProductMetadata) -> dict[str, Any]:
    """Return the attributes of the root of a product of several tiles."""
    return {
        "stac_discovery": _item(
            product, product.identifier, ring_footprint(product.footprint), _shared(product)
        ),
        "other_metadata": {"eopf_category": "eocontainer"},
    }


def product_attributes(
    product: ProductMetadata, granule: Granule, tile: TileMetadata, grid: Grid
) -> dict[str, Any]:
    """Return ``stac_discovery`` (a STAC item) and ``other_metadata`` of a tile's root.

    ``grid`` is that of the 10 m bands as their images tell it.
    """
    identifier, footprint = product.identifier, ring_footprint(product.footprint)
    mgrs = re.search(r"_T(\d\d[A-Z]{3})(_|$)", tile.identifier)
    if len(product.granules) > 1:
        # The product's footprint is that of all tiles.
        identifier += f"_T{mgrs[1]}" if mgrs else f"_{tile.identifier}"
        footprint = grid_footprint(grid)
    properties = {
        **_shared(product),
        "eopf:datastrip_id": granule.datastrip,
        "proj:code": grid.crs,
        "proj:bbox": list(grid.bounds),
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform),
    }
    if mgrs:
        properties["grid:code"] = f"MGRS-{mgrs[1]}"
    return {
        "stac_discovery": _item(product, identifier, footprint, properties),
        "other_metadata": _other(product, tile),
    }


def _item(
    product: ProductMetadata,
    identifier: str,
    footprint: tuple[dict[str, Any], list[float]],
    properties: dict[str, Any],
) -> dict[str, Any]:
    geometry, bbox = footprint
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [*_EXTENSIONS, _SCIENTIFIC] if product.doi else list(_EXTENSIONS),
        "id": identifier,
        "geometry": geometry,
        "bbox": bbox,
        "properties": properties,
        "links": [],
        "assets": {},
    }


def _shared(product: ProductMetadata) -> dict[str, Any]:
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
        "product:type": f"S02MSI{product.level}",
        "processing:level": product.level,
        "processing:facility": "ESA",
        "processing:lineage": f"IPF {product.level} processor",
        "processing:version": product.baseline,
        "eo:cloud_cover": product.cloud_cover,
        "sat:absolute_orbit": product.absolute_orbit,
        "sat:relative_orbit": product.relative_orbit,
        "sat:orbit_state": product.orbit_state,
        "eopf:baseline": product.baseline,
        "eopf:datatake_id": product.datatake,
        "eopf:instrument_mode": product.datatake_type,
        "bands": [
            _band(product, band.name, band.common_name)
            for band in BANDS
            if product.level == "L1C" or band.name != "b10"
        ],
    }
    if product.snow_cover is not None:
        properties["eo:snow_cover"] = product.snow_cover
    if product.doi:
        properties["sci:doi"] = product.doi
    if product.platform in PLATFORMS:
        properties["sat:platform_international_designator"] = PLATFORMS[product.platform]
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
    content = {
        _IMAGE_CONTENT[name]: value for name, value in product.content.items() if name in _IMAGE_CONTENT
    }
    shares = {name: value for name, value in product.content.items() if name not in _IMAGE_CONTENT}
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
        "spectral_band_of_reference": product.reference_band,
        "percentage_of_degraded_msi_data": product.degraded,
        "product_quality_status": _status(product.quality),
        "quality_checks": product.quality,
        **content,
        **({"image_content": shares} if shares else {}),
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


def add_acquisition(other: dict[str, Any], told: dict[str, Any], bands: dict[str, dict[str, float]]) -> None:
    """Add to ``other_metadata`` what the datastrip tells of the instrument, and of each band."""
    other |= told
    for band in BANDS:
        other["band_description"][band.file_name[1:]] |= bands.get(band.name, {})


def _told(time: datetime) -> str:
    """Return a time as STAC has it (RFC 3339)."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

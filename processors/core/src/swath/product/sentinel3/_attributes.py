"""Attributes of the product, as in EOPF products.

Sources: the models of eopf 2.8.1, and products of the EOPF Sample Service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath.product._footprint import ring_footprint

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from swath.product.sentinel3._manifest import Band, Manifest

__all__ = ["product_attributes"]

_INSTRUMENTS = {"OL": ["olci"], "SL": ["slstr"], "SY": ["olci", "slstr"]}
_GSD = {
    "OL_1_EFR": 300, "OL_1_ERR": 1200, "OL_2_LFR": 300, "OL_2_LRR": 1200,
    "SL_1_RBT": 500, "SL_2_LST": 1000, "SY_2_SYN": 300,
}  # fmt: skip
"""Ground sampling distance, metres: the finest grid of the product."""

_TIMELINESS = {"NR": "PT3H", "ST": "PT36H", "NT": "P1M"}

_ACQUISITIONS = {"EO": "nominal"}
"""Mode of the instrument → what the ``product`` extension of STAC calls it."""

_COMMON = {"oa04": "blue", "oa06": "green", "oa07": "yellow", "oa08": "red", "oa17": "nir"}
"""Names in STAC's ``eo`` extension of bands that are one of its bands."""

_EXTENSIONS = [
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("eo/v2.0.0", "sat/v1.1.0", "processing/v1.2.0", "product/v1.0.0", "projection/v2.0.0")
]


def product_attributes(
    manifest: Manifest, shape: tuple[int, int] | None, missing: Sequence[str]
) -> dict[str, Any]:
    """Return ``stac_discovery`` (a STAC item) and ``other_metadata`` of the root.

    Parameters
    ----------
    manifest
        What the manifest says.
    shape
        Rows and columns of the finest image that was found.
    missing
        Names of files that the manifest names and the product has not.
    """
    geometry, bbox = ring_footprint(manifest.footprint) if manifest.footprint else (None, None)
    discovery: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(_EXTENSIONS),
        "id": manifest.identifier,
        "geometry": geometry,
        "properties": _properties(manifest, shape),
        "links": [],
        "assets": {},
    }
    if bbox is not None:
        discovery["bbox"] = bbox
    other: dict[str, Any] = {
        "eopf_category": "eoproduct",
        "baseline_collection": manifest.baseline,
        **manifest.described,
    }
    if missing:
        other["missing_files"] = list(missing)
    return {"stac_discovery": discovery, "other_metadata": other}


def _properties(manifest: Manifest, shape: tuple[int, int] | None) -> dict[str, Any]:
    told = {
        "datetime": _told(manifest.start),
        "start_datetime": _told(manifest.start),
        "end_datetime": _told(manifest.stop),
        "created": _told(manifest.created),
        "platform": f"sentinel-3{manifest.letter.lower()}" if manifest.letter != "_" else "sentinel-3",
        "constellation": "sentinel-3",
        "mission": "copernicus",
        "instruments": _INSTRUMENTS.get(manifest.kind[:2], []),
        "gsd": _GSD.get(manifest.kind),
        "providers": [{"name": "ESA", "roles": ["producer"]}],
        "product:type": manifest.product_type,
        "product:acquisition_type": _ACQUISITIONS.get(manifest.acquisition),
        "product:timeliness": _TIMELINESS.get(manifest.timeliness),
        "product:timeliness_category": manifest.timeliness or None,
        "processing:level": manifest.level,
        "processing:facility": manifest.facility or None,
        "processing:software": manifest.software or None,
        "processing:version": next(iter(manifest.software.values()), None),
        "sat:absolute_orbit": manifest.absolute_orbit,
        "sat:relative_orbit": manifest.relative_orbit,
        "sat:orbit_cycle": manifest.cycle,
        "sat:orbit_state": manifest.orbit_state,
        "sat:platform_international_designator": manifest.designator or None,
        "proj:shape": list(shape) if shape else None,
        "bands": [_band(band) for band in manifest.bands] or None,
    }
    return {key: value for key, value in told.items() if value is not None}


def _band(band: Band) -> dict[str, Any]:
    """Return a band as STAC 1.1 and its ``eo`` extension have it: wavelengths in micrometres."""
    told: dict[str, Any] = {
        "name": band.name,
        "eo:center_wavelength": round(band.central / 1000, 7),
        "eo:full_width_half_max": round(band.width / 1000, 7),
    }
    return told | ({"eo:common_name": _COMMON[band.name]} if band.name in _COMMON else {})


def _told(time: datetime) -> str:
    """Return a time as STAC has it (RFC 3339)."""
    return time.isoformat(timespec="milliseconds").replace("+00:00", "Z")

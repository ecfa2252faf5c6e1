"""Attributes of products: a STAC item, as in EOPF products.

Sources: the models S01SIWSLC, S01SIWGRD and S01SIWRAW of eopf 2.8.1, and products that it converts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from swath.product._footprint import ring_footprint

if TYPE_CHECKING:
    from datetime import datetime

    from swath.product.sentinel1._annotation import Burst, ImageAnnotation
    from swath.product.sentinel1._manifest import Manifest

__all__ = ["common_attributes", "image_attributes", "told"]

_EXTENSIONS = [
    f"https://stac-extensions.github.io/{name}/schema.json"
    for name in ("product/v1.0.0", "sat/v1.1.0", "processing/v1.2.0", "sar/v1.3.0")
]
_EXTENSIONS += ["https://cs-si.github.io/eopf-stac-extension/v1.2.0/schema.json"]

_TIMELINESS = {"NRT-10m": "PT10M", "NRT-1h": "PT1H", "NRT-3h": "PT3H", "Fast-24h": "PT24H", "Off-line": "P1M",
               "Reprocessing": "P1Y"}  # fmt: skip
"""Duration of each category, as products of eopf 2.8.1 have them; others are told by their category alone."""

_SWATHS = {"IW": ["IW1", "IW2", "IW3"], "EW": ["EW1", "EW2", "EW3", "EW4", "EW5"], "WV": ["WV1", "WV2"]}

CENTER_FREQUENCY = 5.405
"""GHz."""


def common_attributes(manifest: Manifest, kind: str, identifier: str, level: str) -> dict[str, Any]:
    """Return ``stac_discovery`` (a STAC item) and ``other_metadata`` of a product's root."""
    geometry, bbox = ring_footprint(manifest.footprint)
    discovery = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(_EXTENSIONS),
        "id": identifier,
        "geometry": geometry,
        "bbox": bbox,
        "properties": _properties(manifest, kind, level),
        "links": [],
        "assets": {},
    }
    other = {
        "eopf_category": "eocontainer",
        "title": kind,
        "cycle_number": manifest.cycle,
        "product_class": manifest.product_class,
    }
    return {"stac_discovery": discovery, "other_metadata": other}


def _properties(manifest: Manifest, kind: str, level: str) -> dict[str, Any]:
    middle = manifest.start + (manifest.stop - manifest.start) / 2
    properties: dict[str, Any] = {
        "datetime": told(middle),
        "start_datetime": told(manifest.start),
        "end_datetime": told(manifest.stop),
        "created": told(manifest.created),
        "platform": manifest.platform,
        "constellation": "sentinel-1",
        "mission": "copernicus",
        "instruments": ["sar"],
        "providers": [
            {"name": manifest.facility, "roles": ["processor"]},
            {"name": "ESA", "roles": ["producer"]},
        ],
        "product:type": kind,
        "processing:level": level,
        "processing:software": manifest.software,
        "processing:version": next(iter(manifest.software.values()), ""),
        "processing:datetime": told(manifest.created),
        "sar:instrument_mode": manifest.mode,
        "sar:frequency_band": "C",
        "sar:center_frequency": CENTER_FREQUENCY,
        "sar:polarizations": list(manifest.polarisations),
        "sar:beam_ids": _SWATHS.get(manifest.mode, [manifest.mode]),
        "sat:absolute_orbit": manifest.absolute_orbit,
        "sat:relative_orbit": manifest.relative_orbit,
        "sat:orbit_state": manifest.orbit_state,
        "sat:platform_international_designator": manifest.designator,
        "eopf:datatake_id": str(manifest.datatake),
        "eopf:instrument_mode": manifest.mode,
    }
    if manifest.ascending_node is not None:
        properties["sat:anx_datetime"] = told(manifest.ascending_node)
    if manifest.timeliness:
        properties["product:timeliness_category"] = manifest.timeliness
        if manifest.timeliness in _TIMELINESS:
            properties["product:timeliness"] = _TIMELINESS[manifest.timeliness]
    return properties


def told(time: datetime) -> str:
    """Return a time as STAC has it (RFC 3339), with the microseconds that products have."""
    return time.isoformat(timespec="microseconds").replace("+00:00", "Z")


def image_attributes(
    manifest: Manifest, image: ImageAnnotation, burst: Burst, name: str, other: dict[str, Any]
) -> dict[str, Any]:
    """Return the attributes of one image, or of one burst of it."""
    kind = f"S01S{manifest.mode_family}{manifest.product_type}"
    attributes = common_attributes(manifest, kind, name, "L1")
    properties = attributes["stac_discovery"]["properties"]
    start = burst.start
    stop = start + np.timedelta64(
        round((burst.lines[1] - burst.lines[0] - 1) * image.axes.line_step * 1e9), "ns"
    )
    properties |= {
        "datetime": _zulu(start + (stop - start) // 2),
        "start_datetime": _zulu(start),
        "end_datetime": _zulu(stop),
        "sar:polarizations": [image.polarisation],
        "sar:beam_ids": [image.swath],
        "sar:pixel_spacing_azimuth": image.spacing[0],
        "sar:pixel_spacing_range": image.spacing[1],
        "view:incidence_angle": image.root.number("incidenceAngleMidSwath", low=0, high=90),
    }
    attributes["other_metadata"] = {
        "eopf_category": "eoproduct",
        "title": kind,
        "image_number": image.number,
        "product_class": manifest.product_class,
        **burst.attributes,
        **({"burst_id": burst.name} if burst.name else {}),
        **other,
    }
    return attributes


def _zulu(time: np.datetime64) -> str:
    return f"{np.datetime_as_string(time, 'us')}Z"

"""Metadata of level 0: datastrips and granules, consolidated (``L0_``) or not (``L0U``).

Source: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), level-0 datastrip and granule
metadata.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import xarray as xr

from swath.errors import ProductError
from swath.product._fields import Fields
from swath.product._footprint import ring_footprint
from swath.product.sentinel2._ancillary import ancillary_datasets
from swath.product.sentinel2._bands import PLATFORMS
from swath.product.sentinel2._datastrip import (
    acquisition_attributes,
    acquisition_datasets,
    quick_look_datasets,
)
from swath.product.sentinel2._granule0 import granule_attributes, granule_datasets

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["L0", "Level0Reader"]

_METADATA = re.compile(r"(S2\w)_(\w{4})_MTD_(L0_|L0U)_(DS|GR)_(.*)\.xml")

_WHAT = {"DS": "datastrip", "GR": "granule"}


class Level0Reader:
    """Reads the metadata of a level-0 datastrip or granule; see :class:`swath.product.Reader`.

    Image data (compressed source packets) and the raw ancillary packets are not read.
    """

    looks_for = "a Sentinel-2 level-0 datastrip or granule (with S2?_OPER_MTD_L0?_DS_….xml or …_GR_….xml)"

    def can_read(self, store: Store) -> bool:
        """Tell whether there is one such file."""
        return len([name for name in store.names() if _METADATA.fullmatch(name)]) == 1

    def open(self, store: Store) -> xr.DataTree:
        """Return what the metadata tells as a tree; all of it is in memory."""
        name = next(name for name in store.names() if _METADATA.fullmatch(name))
        found = _METADATA.fullmatch(name)
        level, kind = (found[3], found[4]) if found else ("", "")
        identifier = name.removesuffix(".xml").replace("_MTD_", "_MSI_")
        root = Fields.read(store, name)
        if not re.fullmatch(rf"(DIMAP_)?Level-0.*{_WHAT[kind].capitalize()}.*", root.name, re.IGNORECASE):
            raise ProductError(
                f"{store.location}: {name} is no metadata of a {_WHAT[kind]}, but a {root.name}"
            )
        if kind == "DS":
            datasets = {
                f"/conditions/ancillary_data/{path}": d for path, d in ancillary_datasets(root).items()
            }
            datasets |= acquisition_datasets(root) | quick_look_datasets(root)
            properties, other = acquisition_attributes(root)
        else:
            datasets = granule_datasets(root)
            properties, other = granule_attributes(root)
        platform = f"sentinel-{identifier[1:3].lower()}"
        properties |= {
            "platform": platform,
            "constellation": "sentinel-2",
            "instruments": ["msi"],
            "providers": [{"name": "ESA", "roles": ["producer"]}],
            "product:type": f"S02MSIL0_{kind}",
            "processing:level": level.rstrip("_"),
        }
        if platform in PLATFORMS:
            properties["sat:platform_international_designator"] = PLATFORMS[platform]
        discovery = _item(root, kind, identifier, properties)
        attributes = {
            "stac_discovery": discovery,
            "other_metadata": {"eopf_category": f"level-0 {_WHAT[kind]} metadata", **other},
        }
        datasets["/"] = xr.Dataset(attrs=attributes)
        return xr.DataTree.from_dict(dict(sorted(datasets.items())))


L0 = Level0Reader()


def _item(root: Fields, kind: str, identifier: str, properties: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": identifier,
        "geometry": None,
        "properties": properties,
        "links": [],
        "assets": {},
    }
    outline = root.find("Footprint/EXT_POS_LIST")
    if outline is not None:
        item["geometry"], item["bbox"] = ring_footprint(_ring(outline, heights=kind == "GR"))
    return item


def _ring(outline: Fields, *, heights: bool) -> list[tuple[float, float]]:
    """Return longitudes and latitudes of a list of latitudes and longitudes, and heights in granules."""
    step = 3 if heights else 2
    try:
        values = [float(word) for word in outline.text().split()]
    except ValueError:
        raise outline.error("EXT_POS_LIST is no list of numbers") from None
    points = list(zip(values[1::step], values[0::step], strict=False))
    if len(values) % step or len(points) < 4 or not all(abs(x) <= 180 and abs(y) <= 90 for x, y in points):
        raise outline.error("EXT_POS_LIST is no polygon of latitudes and longitudes")
    return points

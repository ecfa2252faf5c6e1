"""The STAC item of a product: what it is, where and when, from what it was made, and its files.

The item is STAC 1.1.0 with the extensions projection 2.0.0, processing 1.2.0 and file 2.1.0, and eo 2.0.0 and
classification 2.0.0 where variables have bands or flags. Nothing here reaches for a network.

Source
------
STAC specification 1.1.0, item and common metadata; the extensions' specifications of those versions.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pystac

from swath.errors import MetadataError
from swath.product._footprint import grid_footprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from swath.product.grid import Grid

__all__ = ["ItemFile", "item", "multihash"]

_EXTENSIONS = {
    "proj": "https://stac-extensions.github.io/projection/v2.0.0/schema.json",
    "processing": "https://stac-extensions.github.io/processing/v1.2.0/schema.json",
    "file": "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "eo": "https://stac-extensions.github.io/eo/v2.0.0/schema.json",
    "classification": "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
}

_KEPT = ("platform", "constellation", "instruments", "mission", "gsd")
"""Properties of the source product that hold for what was made from it."""

_MEDIA_TYPES = {
    ".zarr": "application/vnd+zarr",
    ".tif": str(pystac.MediaType.COG),
    ".png": str(pystac.MediaType.PNG),
    ".html": str(pystac.MediaType.HTML),
    ".json": str(pystac.MediaType.JSON),
    ".nc": str(pystac.MediaType.NETCDF),
}


@dataclass(frozen=True, slots=True)
class ItemFile:
    """One file, or folder, of a product.

    Parameters
    ----------
    path
        Where it is, relative to the item.
    title
        One line for people.
    roles
        STAC roles: ``data``, ``overview``, ``metadata``, …
    variables
        Name of each variable in it → the variable's attributes. ``eo:…``, ``units`` and ``long_name``
        describe the band; CF ``flag_masks`` (or ``flag_values``) and ``flag_meanings`` become classification
        fields.
    raster
        Whether it is an image on the item's grid.
    key
        Of the asset; by default the file's name without its ending.
    grid
        Grid of the image, where it is another than the item's.
    """

    path: str
    title: str
    roles: tuple[str, ...]
    variables: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    raster: bool = False
    key: str = ""
    grid: Grid | None = None


def item(
    identifier: str,
    *,
    grid: Grid,
    folder: Path,
    files: Iterable[ItemFile],
    discovery: Mapping[str, Any],
    lineage: str,
    software: Mapping[str, str],
    level: str | None = None,
    now: datetime | None = None,
) -> pystac.Item:
    """Return the STAC item of a product.

    Parameters
    ----------
    identifier
        Of the item, unique in its collection.
    grid
        Grid of the product, already cropped to its window: the geometry is the outline of it.
    folder
        Where the files are now; sizes and checksums of single files are taken there.
    files
        The product's files; links to them are relative to the item.
    discovery
        ``stac_discovery`` attributes of the source product: times, platform, instrument and identifier.
    lineage
        What was done, in words.
    software
        Name → version.
    level
        Processing level of the product, such as ``L1C``.
    now
        When it was made (UTC); by default now.

    Raises
    ------
    MetadataError
        If the source product tells no time.
    """
    geometry, bbox = grid_footprint(grid)
    source = dict(discovery.get("properties", {}))
    start, middle, end = _times(source)
    properties: dict[str, Any] = {name: source[name] for name in _KEPT if told(source.get(name))}
    if "instruments" not in properties and told(source.get("instrument")):
        properties["instruments"] = [source["instrument"]]
    made = (now or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
    properties |= {
        "created": made,
        "proj:code": grid.crs,
        "proj:shape": list(grid.shape),
        "proj:transform": list(grid.transform),
        "proj:bbox": list(grid.bounds),
        "processing:lineage": lineage,
        "processing:software": dict(software),
        "processing:datetime": made,
    }
    if level:
        properties["processing:level"] = level
    made_from = discovery.get("id")
    if told(made_from):
        properties["derived_from"] = made_from
    result = pystac.Item(
        identifier, geometry, bbox, middle, properties, start_datetime=start, end_datetime=end
    )
    for entry in files:
        result.add_asset(*asset_of(entry, folder))
    result.stac_extensions = extensions_of(result)
    return result


def extensions_of(made: pystac.Item) -> list[str]:
    """Return the schemas of the extensions whose fields an item has, in itself or in its assets."""
    content = made.to_dict(include_self_link=False, transform_hrefs=False)
    used = str(content["assets"]) + str(dict.fromkeys(content["properties"]))
    return [schema for prefix, schema in _EXTENSIONS.items() if f"'{prefix}:" in used]


def multihash(path: Path) -> str:
    """Return a file's SHA-256 as a multihash in hexadecimal, as ``file:checksum`` wants it.

    The two bytes in front say SHA2-256 (0x12) and 32 bytes (0x20).
    """
    with path.open("rb") as stream:
        return "1220" + hashlib.file_digest(stream, "sha256").hexdigest()


def _times(source: Mapping[str, Any]) -> tuple[datetime | None, datetime | None, datetime | None]:
    """Return start, nominal time and end; the nominal time is None where the source has but the other two."""
    start, middle, end = (
        datetime.fromisoformat(source[name]) if told(source.get(name)) else None
        for name in ("start_datetime", "datetime", "end_datetime")
    )
    if middle is None and (start is None or end is None):
        raise MetadataError(
            "The source product's stac_discovery tells no time; it needs datetime, or start_datetime "
            "and end_datetime."
        )
    return (start, middle, end) if start and end else (None, middle, None)


def told(value: Any) -> bool:
    """Return whether a field says something; EOPF products of 2025 write the text ``null`` where not."""
    return value not in (None, "", "null")


def _key(path: str) -> str:
    """``cog/b02.tif`` → ``b02``; the Zarr store is ``product``, the quick look ``quicklook``."""
    return Path(path).stem


def asset_of(entry: ItemFile, folder: Path) -> tuple[str, pystac.Asset]:
    """Return the key and the asset of a file, with its size and checksum."""
    place = folder / entry.path
    fields: dict[str, Any] = {}
    if place.is_file():
        fields |= {"file:size": place.stat().st_size, "file:checksum": multihash(place)}
    if entry.raster and entry.variables:
        fields["bands"] = [_band(name, attrs) for name, attrs in entry.variables.items()]
    if len(entry.variables) == 1:
        fields |= _classification(*entry.variables.values())
    if entry.grid is not None:
        fields |= {
            "proj:code": entry.grid.crs,
            "proj:shape": list(entry.grid.shape),
            "proj:transform": list(entry.grid.transform),
        }
    return entry.key or _key(entry.path), pystac.Asset(
        href=f"./{entry.path}", title=entry.title, roles=list(entry.roles), extra_fields=fields,
        media_type=_MEDIA_TYPES.get(Path(entry.path).suffix),
    )  # fmt: skip


def _band(name: str, attrs: Mapping[str, Any]) -> dict[str, Any]:
    band: dict[str, Any] = {"name": name}
    if attrs.get("long_name"):
        band["description"] = str(attrs["long_name"])
    if attrs.get("units"):
        band["unit"] = str(attrs["units"])
    return band | {key: value for key, value in attrs.items() if key.startswith("eo:")}


def _classification(attrs: Mapping[str, Any]) -> dict[str, Any]:
    """CF flags as STAC classes: one bit field a mask, or one class a value."""
    meanings = attrs.get("flag_meanings", [])
    names = meanings.split() if isinstance(meanings, str) else list(meanings)
    if not names:
        return {}
    if "flag_masks" not in attrs:
        values = [int(value) for value in attrs.get("flag_values", [])]
        return {
            "classification:classes": [{"value": v, "name": n} for v, n in zip(values, names, strict=True)]
        }
    return {
        "classification:bitfields": [
            {
                "name": name,
                "offset": int(mask).bit_length() - 1,
                "length": 1,
                "classes": [{"value": 0, "name": f"no_{name}"}, {"value": 1, "name": name}],
            }
            for mask, name in zip(attrs["flag_masks"], names, strict=True)
        ]
    }

"""STAC items of whole products, and collections of items."""

from __future__ import annotations

import json
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pystac

from swath.errors import InputError, MetadataError
from swath.io.commit import replaced_file
from swath.product.stac import asset_of, extensions_of, told

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import xarray as xr

    from swath.product.stac import ItemFile

__all__ = ["add_to_collection", "collection", "product_item", "write_item"]

_SUMMARISED = ("platform", "constellation", "product:type", "processing:level", "gsd", "sar:instrument_mode",
               "sat:orbit_state", "sat:relative_orbit", "proj:code")  # fmt: skip
"""Properties of which a collection lists the values."""

_EXTENSION = re.compile(r"stac-extensions[.]github[.]io/([a-z-]+)/")
_PREFIXES = {"projection": "proj", "scientific": "sci"}
"""Prefixes of fields that are not the name of their extension."""

_RANGED = ("eo:cloud_cover", "eo:snow_cover", "created")
"""Properties of which a collection tells the least and the greatest value."""


def product_item(
    product: xr.DataTree, files: Iterable[ItemFile] = (), folder: Path | None = None
) -> pystac.Item:
    """Return the STAC item of any product: what its ``stac_discovery`` says, with its files as assets.

    Parameters
    ----------
    product
        A product.
    files
        Its files; links to them are relative to the item.
    folder
        Where the files are now, for sizes and checksums; where there are files, it must be told.

    Raises
    ------
    MetadataError
        The product has no ``stac_discovery``, or it lacks an identifier or a time.
    """
    discovery = product.attrs.get("stac_discovery")
    if not isinstance(discovery, dict) or not told(discovery.get("id")):
        raise MetadataError(
            "the product cannot become a STAC item: its attribute stac_discovery has no id; set it"
        )
    properties = {key: value for key, value in discovery.get("properties", {}).items() if told(value)}
    start, middle, end = (_time(properties, name) for name in ("start_datetime", "datetime", "end_datetime"))
    if middle is None and (start is None or end is None):
        raise MetadataError(
            "the product cannot become a STAC item: its stac_discovery tells no time; it needs datetime, or "
            "start_datetime and end_datetime"
        )
    for name in ("start_datetime", "datetime", "end_datetime"):
        properties.pop(name, None)
    bands = properties.pop("bands", None)  # STAC 1.1 has them in assets
    both = start is not None and end is not None
    made = pystac.Item(
        str(discovery["id"]), discovery.get("geometry"), discovery.get("bbox"), middle, properties,
        start_datetime=start if both else None, end_datetime=end if both else None,
    )  # fmt: skip
    for file in files:
        if folder is None:
            raise InputError("files of an item need the folder that they are in")
        made.add_asset(*asset_of(file, folder))
    for asset in made.assets.values():
        if bands and "data" in (asset.roles or []) and "bands" not in asset.extra_fields:
            asset.extra_fields["bands"] = bands
    listed = [str(url) for url in discovery.get("stac_extensions", []) if _is_used(str(url), made)]
    made.stac_extensions = list(dict.fromkeys([*listed, *extensions_of(made)]))
    return made


def _is_used(url: str, made: pystac.Item) -> bool:
    """Tell whether an item has fields of an extension, without which its schema refuses the item."""
    found = _EXTENSION.search(url)
    prefix = _PREFIXES.get(found[1], found[1]) if found else ""
    fields = [made.properties, *(asset.extra_fields for asset in made.assets.values())]
    fields += [band for told in fields for band in told.get("bands", []) if isinstance(band, dict)]
    return not prefix or any(key.startswith(f"{prefix}:") for told in fields for key in told)


def _time(properties: Mapping[str, Any], name: str) -> datetime | None:
    value = properties.get(name)
    if not told(value):
        return None
    try:
        time = datetime.fromisoformat(str(value))
    except ValueError:
        raise MetadataError(
            f"stac_discovery/properties/{name} is {value!r}, expected a time like 2017-12-07T00:20:51Z"
        ) from None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def write_item(item: pystac.Item, path: str | os.PathLike[str]) -> None:
    """Write an item as JSON; the file appears when it is whole, and replaces an older one.

    Raises
    ------
    WriteError
        The system refused to write.
    """
    _write(item.to_dict(include_self_link=False, transform_hrefs=False), Path(path))


def _write(document: Mapping[str, Any], path: Path) -> None:
    with replaced_file(path) as partial:
        partial.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def collection(
    items: Sequence[pystac.Item],
    *,
    identifier: str,
    description: str,
    title: str = "",
    license_id: str = "other",
) -> pystac.Collection:
    """Return the STAC collection of items: their extent in space and time, and the values of properties.

    Parameters
    ----------
    items
        At least one.
    identifier
        Of the collection.
    description, title
        For people; the description in CommonMark.
    license_id
        Licence of the data, by its SPDX identifier, or ``other``.

    Raises
    ------
    InputError
        There are no items.
    """
    if not items:
        raise InputError("a collection needs at least one item, because its extent is theirs")
    made = pystac.Collection(
        identifier,
        description,
        _extent(items),
        title=title or None,
        license=license_id,
        summaries=_summaries(items),
    )
    made.stac_extensions = sorted({url for item in items for url in item.stac_extensions})
    return made


def _extent(items: Sequence[pystac.Item]) -> pystac.Extent:
    boxes = [item.bbox for item in items if item.bbox is not None] or [[-180.0, -90.0, 180.0, 90.0]]
    crosses = any(box[0] > box[2] for box in boxes)
    # Over the 180th meridian, the least box would depend on the order of the items: all longitudes are told.
    west = -180.0 if crosses else min(box[0] for box in boxes)
    east = 180.0 if crosses else max(box[2] for box in boxes)
    whole = [west, min(box[1] for box in boxes), east, max(box[3] for box in boxes)]
    starts = [time for item in items if (time := item.common_metadata.start_datetime or item.datetime)]
    ends = [time for item in items if (time := item.common_metadata.end_datetime or item.datetime)]
    return pystac.Extent(
        pystac.SpatialExtent([whole]),
        pystac.TemporalExtent([[min(starts, default=None), max(ends, default=None)]]),
    )


def _summaries(items: Sequence[pystac.Item]) -> pystac.Summaries:
    told_of: dict[str, Any] = {}
    for name in _SUMMARISED:
        values = {
            item.properties[name]
            for item in items
            if isinstance(item.properties.get(name), str | int | float)
        }
        if values:
            told_of[name] = sorted(values)
    instruments = {name for item in items for name in item.properties.get("instruments", [])}
    if instruments:
        told_of["instruments"] = sorted(instruments)
    for name in _RANGED:
        values = {item.properties[name] for item in items if name in item.properties}
        if values:
            told_of[name] = {"minimum": min(values), "maximum": max(values)}
    return pystac.Summaries(told_of)


def add_to_collection(
    item: pystac.Item,
    item_path: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    description: str = "",
) -> pystac.Collection:
    """Write an item that belongs to a collection, and the collection: a new one, or one with this item added.

    The extent and summaries of a collection are made anew from all of its items. An item of the same
    identifier is replaced.

    Parameters
    ----------
    item
        The item; its links to the collection are set here.
    item_path, path
        Files of the item and of the collection; links are relative.
    description
        Of a new collection.

    Returns
    -------
    pystac.Collection
        As it was written.

    Raises
    ------
    InputError
        The file of the collection is none, or one of its items cannot be read.
    WriteError
        The system refused to write.
    """
    place, own = Path(path).absolute(), Path(item_path).absolute()
    old: dict[str, Any] = _read(place) if place.exists() else {"type": "Collection", "links": []}
    if old.get("type") != "Collection":
        raise InputError(
            f"{place} is no STAC collection (its type is {old.get('type')!r}): choose another file"
        )
    linked = [str(link["href"]) for link in old["links"] if link.get("rel") == "item"]
    members: dict[str, tuple[str, pystac.Item]] = {}
    for href in linked:
        other = _item(place.parent / href)
        members[other.id] = (href, other)
    members[item.id] = (_relative(own, place.parent), item)
    identifier = str(old.get("id") or place.parent.name or "products")
    made = collection(
        [member for _, member in members.values()],
        identifier=identifier,
        description=str(old.get("description") or description or f"Products of {identifier}"),
        title=str(old.get("title") or ""),
        license_id=str(old.get("license") or "other"),
    )
    content = made.to_dict(include_self_link=False)
    kept = [link for link in old["links"] if link.get("rel") not in ("item", "self")]
    listed = [{"rel": "item", "href": href, "type": "application/geo+json"} for href, _ in members.values()]
    up = _relative(place, own.parent)
    item.links = [link for link in item.links if link.rel not in ("collection", "parent")]
    document = item.to_dict(include_self_link=False, transform_hrefs=False)
    document["collection"] = identifier
    document["links"] += [{"rel": "collection", "href": up, "type": "application/json"}]
    _write(document, own)
    _write({**old, **content, "links": [*kept, *listed]}, place)
    return made


def _relative(path: Path, folder: Path) -> str:
    way = Path(os.path.relpath(path, folder)).as_posix()
    return way if way.startswith(".") else f"./{way}"


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(
            f"{path} cannot be read as JSON ({error}); repair it or choose another file"
        ) from None
    if not isinstance(document, dict) or not isinstance(document.get("links", []), list):
        raise InputError(f"{path} is no STAC document: expected an object with links")
    return {"links": [], **document}


def _item(path: Path) -> pystac.Item:
    try:
        return pystac.Item.from_dict(_read(path))
    except (pystac.STACError, KeyError, ValueError, TypeError) as error:
        raise InputError(
            f"{path}, which the collection lists, is no STAC item ({error}); repair it or take its link out"
        ) from None

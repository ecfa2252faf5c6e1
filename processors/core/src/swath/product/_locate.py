"""Where the product is that a STAC item tells of."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from swath.errors import MetadataError, ProductError
from swath.io.address import NETWORK, is_url, protocol, shown

__all__ = ["choose_asset", "is_item", "locate"]

_MAX_BYTES = 10 << 20
"""Largest item that is read; those of products have some 50 kB."""

_ITEM = re.compile(r"\.(geo)?json(#.*)?$|^https?://[^?#]*/items/[^/?#]+(\?[^#]*)?(#.*)?$", re.IGNORECASE)
"""Addresses that are those of items: JSON files, and what a STAC API serves."""

_ROOT = re.compile(r"^(.*?\.(?:zarr|safe|sen3)(?:\.zip|\.tar)?)(?:/.*)?$", re.IGNORECASE)
"""A product's folder or archive, as the first part of the address of something in it."""

_KEYS = ("product", "zarr", "safe", "sen3", "safe-manifest", "safe_manifest", "manifest", "zipped_product",
         "downloadlink")  # fmt: skip
"""Keys under which catalogues have products, the better ones first."""

_ENDINGS = (".zip", ".tar", ".nc", ".tif", ".tiff")
"""Endings of names of files that can be read, where no type is told."""

_TYPES = ("zarr", "netcdf", "tiff", "zip", "x-tar", "x-hdf")
"""Parts of the media types of what can be read."""


def is_item(location: str) -> bool:
    """Tell from an address alone whether it is to be read as a STAC item."""
    return _ITEM.search(location) is not None


def locate(location: str) -> str:
    """Return where a product is: the address itself, or where the asset of a STAC item leads.

    Parameters
    ----------
    location
        Path or URL of a product, or of a STAC item; of an item, ``#KEY`` after it names the asset to take.

    Raises
    ------
    ProductError
        There is no such item, or none of its assets is a product, or several are.
    MetadataError
        It is no STAC item.
    StoreError
        The server that has it fails.
    """
    if not is_item(location):
        return location
    address, _, key = location.partition("#")
    if protocol(address) == "file":
        address = unquote(urlsplit(address).path)
    return choose_asset(_read(address), address, key)


def _read(address: str) -> dict[str, Any]:
    try:
        content = json.loads(_bytes(address))
    except (ValueError, RecursionError) as error:
        raise MetadataError(
            f"{shown(address)} is no JSON ({error}); expected a product or a STAC item"
        ) from None
    if not isinstance(content, dict) or content.get("type") != "Feature" or "stac_version" not in content:
        raise MetadataError(f"{shown(address)} is JSON, but no STAC item: give a product or an item")
    return content


def _bytes(address: str) -> bytes:
    if protocol(address) in NETWORK:
        from swath.io.remote import GoneError, open_files  # noqa: PLC0415 -- only where something is remote

        kind = protocol(address)
        files = open_files("s3" if kind.startswith("s3") else kind)
        try:
            return files.read(
                address if kind.startswith("http") else address.partition("://")[2], 0, _MAX_BYTES
            )
        except GoneError:
            raise ProductError(f"nothing at {shown(address)}: give the address of a STAC item") from None
    path = Path(address)
    try:
        if path.stat().st_size > _MAX_BYTES:
            raise MetadataError(f"{path} has {path.stat().st_size} bytes, expected at most {_MAX_BYTES}")
        return path.read_bytes()
    except OSError as error:
        raise ProductError(f"cannot read {path}: {error.strerror}") from None


def choose_asset(item: dict[str, Any], address: str = "", key: str = "") -> str:
    """Return where the product of an item is.

    Of the assets, the one is taken whose key is ``product``, or else another key that catalogues give to
    whole products, or else the one that lies in a ``.zarr``, ``.SAFE`` or ``.SEN3``, or else the one of role
    *data* and of a type that can be read. What lies in a product's folder, as its manifest does, stands for
    the folder.

    Parameters
    ----------
    item
        As JSON has it.
    address
        Path or URL of the item, from which relative addresses count.
    key
        The asset to take, in place of the rule.

    Raises
    ------
    ProductError
        No asset follows the rule, or several that are not the same product.
    """
    found = item.get("assets")
    assets = {str(k): a for k, a in found.items() if isinstance(a, dict)} if isinstance(found, dict) else {}
    name = shown(address) or str(item.get("id"))
    if key:
        if key not in assets:
            raise ProductError(f"{name} has no asset {key!r}; it has {_told(assets)}")
        chosen = [key]
    else:
        ranks = {k: _rank(k, asset, address) for k, asset in assets.items()}
        best = min(ranks.values(), default=None, key=lambda rank: (rank is None, rank))
        chosen = [k for k, rank in ranks.items() if rank is not None and rank == best]
    places = {place for k in chosen for place in [_place(assets[k], address)] if place}
    if len(places) == 1:
        return places.pop()
    told = "several of its assets may be the product" if places else "none of its assets is a product"
    raise ProductError(f"{name}: {told}; name one with #KEY after the address. It has {_told(assets)}")


def _rank(key: str, asset: dict[str, Any], address: str) -> int | None:
    """Return how surely an asset is the product, smaller is surer; None where it is not."""
    place = _place(asset, address)
    if not place:
        return None
    if key.lower() in _KEYS:
        return _KEYS.index(key.lower())
    if _ROOT.match(urlsplit(place).path if is_url(place) else place):
        return len(_KEYS)
    roles = asset.get("roles") or []
    kind = str(asset.get("type", "")).lower()
    ending = (urlsplit(place).path if is_url(place) else place).lower()
    if "data" in roles and (ending.endswith(_ENDINGS) or any(part in kind for part in _TYPES)):
        return len(_KEYS) + 1
    return None


def _place(asset: dict[str, Any], address: str) -> str:
    """Return the product that an asset lies in, at the first of its addresses that can be read from here."""
    alternates = asset.get("alternate")
    others = list(alternates.values()) if isinstance(alternates, dict) else []
    for told in [asset, *others]:
        href = told.get("href") if isinstance(told, dict) else None
        if isinstance(href, str) and href and protocol(href) in ("", "file", *NETWORK):
            return _root(_resolved(href, address))
    return ""


def _resolved(href: str, address: str) -> str:
    if protocol(href) == "file":
        return unquote(urlsplit(href).path)
    if is_url(href):
        return href
    if protocol(address).startswith("http"):
        return urljoin(address, href)
    if is_url(address):
        scheme, _, rest = address.partition("://")
        return f"{scheme}://{posixpath.normpath(posixpath.join(posixpath.dirname(rest), href))}"
    return str(Path(address).parent / href)


def _root(place: str) -> str:
    if is_url(place):
        parts = urlsplit(place)
        found = _ROOT.match(parts.path)
        return parts._replace(path=found[1]).geturl() if found else place
    found = _ROOT.match(place)
    return found[1] if found else place


def _told(assets: dict[str, dict[str, Any]]) -> str:
    """List assets for an error message."""
    lines = [
        f"{key} ({asset.get('type', 'no type')}, {shown(str(asset.get('href')))})"
        for key, asset in assets.items()
    ]
    more = f" and {len(lines) - 20} more" if len(lines) > 20 else ""
    return ("the assets " + "; ".join(lines[:20]) + more) if lines else "no assets"

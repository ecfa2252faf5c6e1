"""Where a product's files are, in both generations of names.

Since December 2016 (compact) a product has one tile and its metadata is ``MTD_MSIL1C.xml``; before, it had
as many tiles as the datatake, and each file carried its whole identifier: ``S2A_OPER_MTD_SAFL1C_PDMC_….xml``.
Source: Sentinel-2 Products Specification Document (S2-PDGS-TAS-DI-PSD), versions 12 to 15, names of products.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from swath.errors import ProductError
from swath.io.store import safe_name

if TYPE_CHECKING:
    from swath.io.store import Store
    from swath.product._fields import Fields

__all__ = ["Granule", "Level", "find_granules", "product_metadata_file"]

Level = Literal["L1C", "L2A"]

_TILE_METADATA = re.compile(r"(MTD_TL|S2\w_\w{4}_MTD_L(1C|2A)_.*)\.xml")
_IMAGE_TAGS = ("IMAGE_FILE", "IMAGE_ID", "IMAGE_FILE_2A", "IMAGE_ID_2A")
_RESOLUTION = re.compile(r"(.*)_(\d\d)m")
_OLD_KIND = re.compile(r"S2\w_\w{4}_([A-Z]{3})_L2A_")


@dataclass(frozen=True, slots=True)
class Granule:
    """The files of one tile."""

    identifier: str
    datastrip: str
    folder: str
    """``GRANULE/L1C_T55JEJ_A012840_20171207T002252``."""
    metadata: str
    """File of the tile's metadata."""
    images: dict[tuple[str, int | None], str]
    """File of each image, by its kind (``b8a``, ``aot``, ``scl``) and its resolution in metres, None where
    the name does not tell one, as in level 1C."""


def product_metadata_file(store: Store, level: Level) -> str | None:
    """Return the name of the product's metadata, or None where this is no product of that level."""
    compact = f"MTD_MSI{level}.xml"
    if store.exists(compact):
        return compact
    old = re.compile(rf"S2\w_\w{{4}}_MTD_SAF{level}_?.*\.xml")
    return next((name for name in store.names() if old.fullmatch(name)), None)


def find_granules(store: Store, info: Fields, needed: tuple[str, ...]) -> list[Granule]:
    """Return the tiles that the product's metadata names, each once, in its order.

    Parameters
    ----------
    store
        The product.
    info
        The element that the granules are listed in.
    needed
        Kinds of images that each tile must have.

    Raises
    ------
    MetadataError
        A tile lacks such an image.
    ProductError
        There are no granules, or the files of one are missing, or lead out of the product.
    """
    listed: dict[str, list[Fields]] = {}
    for found in info.all("Granule_List/Granule") + info.all("Granule_List/Granules"):
        listed.setdefault(str(found.element.get("granuleIdentifier", "")), []).append(found)
    if not listed:
        raise info.error("there is no Granule in a Granule_List")
    return [_granule(store, identifier, parts, needed) for identifier, parts in listed.items()]


def _granule(store: Store, identifier: str, parts: list[Fields], needed: tuple[str, ...]) -> Granule:
    stems = [
        safe_name(image.text()).removesuffix(".jp2")
        for part in parts
        for tag in _IMAGE_TAGS
        for image in part.all(tag)
    ]
    kinds = {_kind(stem.rpartition("/")[2])[0] for stem in stems}
    lacking = [kind for kind in needed if kind not in kinds]
    if lacking:
        raise parts[0].error(f"no IMAGE_FILE for {', '.join(lacking)}")
    compact = "/" in stems[0]
    folder = safe_name("/".join(stems[0].split("/")[:2]) if compact else f"GRANULE/{identifier}")
    names = [name for name in store.names() if name.startswith(f"{folder}/")]
    metadata = [name for name in names if _TILE_METADATA.fullmatch(name.removeprefix(f"{folder}/"))]
    if len(metadata) != 1:
        raise ProductError(
            f"{store.location}: {len(metadata)} files of tile metadata in {folder} (MTD_TL.xml, or "
            f"S2?_OPER_MTD_L…xml of products before December 2016), expected one; the product is "
            "incomplete, get it again"
        )
    places = {} if compact else {name.rpartition("/")[2]: name for name in names}
    images = {}
    for stem in stems:
        file = safe_name(f"{stem}.jp2")
        # Old metadata names images without their folders.
        images[_kind(stem.rpartition("/")[2])] = (
            file if compact else places.get(file, f"{folder}/IMG_DATA/{file}")
        )
    return Granule(
        identifier, str(parts[0].element.get("datastripIdentifier", "")), folder, metadata[0], images
    )


def _kind(stem: str) -> tuple[str, int | None]:
    """Return what an image shows, and its resolution: ``…_B8A_20m``, ``S2A_USER_SCL_L2A_…_20m``."""
    found = _RESOLUTION.fullmatch(stem)
    name, resolution = (found[1], int(found[2])) if found else (stem, None)
    old = _OLD_KIND.match(name)
    kind = old[1] if old and old[1] != "MSI" else name.rpartition("_")[2]
    return kind.lower(), resolution

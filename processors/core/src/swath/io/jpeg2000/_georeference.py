"""Where an image lies on the ground, as its boxes tell: GeoTIFF in a UUID box, or GML (GMLJP2)."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import Any

from swath.errors import MetadataError
from swath.io.xml import parse

__all__ = ["GEOTIFF_UUID", "Georeference", "of_geotiff", "of_gml"]

GEOTIFF_UUID = bytes.fromhex("b14bf8bd083d4b43a5ae8cd7d5a6ce03")
"""UUID of the box that holds a degenerate GeoTIFF (GeoJP2)."""

_PIXEL_SCALE, _TIE_POINT, _KEYS = 33550, 33922, 34735
_RASTER_TYPE, _PROJECTED = 1025, 3072
_TYPES = {2: ("B", 1), 3: ("H", 2), 4: ("I", 4), 12: ("d", 8)}
_GML = "{http://www.opengis.net/gml}"


@dataclass(frozen=True, slots=True)
class Georeference:
    """An affine transform and a reference system."""

    transform: tuple[float, float, float, float, float, float]
    """``(a, b, c, d, e, f)``: x = a*column + b*row + c, y = d*column + e*row + f, of a pixel's upper left
    corner."""
    crs: str
    """``EPSG:32755``."""


def of_geotiff(data: bytes) -> Georeference | None:
    """Read scale, tie point and projected system of a degenerate GeoTIFF; None where it lacks them.

    Source: OGC GeoTIFF 1.1 (19-008r4), chapters 7.4 and 7.5; TIFF 6.0, section 2.
    """
    try:
        tags = _tags(data)
    except struct.error:
        return None
    keys = tags.get(_KEYS, ())
    entries = {keys[at]: keys[at + 3] for at in range(4, len(keys) - 3, 4) if keys[at + 1] == 0}
    scale, tie, epsg = tags.get(_PIXEL_SCALE, ()), tags.get(_TIE_POINT, ()), entries.get(_PROJECTED)
    if len(scale) < 2 or len(tie) < 6 or not epsg or epsg == 32767:
        return None
    # RasterPixelIsPoint: the tie point is the pixel's centre.
    half = 0.5 if entries.get(_RASTER_TYPE) == 2 else 0.0
    left = tie[3] - (tie[0] + half) * scale[0]
    top = tie[4] + (tie[1] + half) * scale[1]
    return Georeference((scale[0], 0.0, left, 0.0, -scale[1], top), f"EPSG:{epsg}")


def _tags(data: bytes) -> dict[int, tuple[Any, ...]]:
    """Return the tags of the first directory of a TIFF."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    if order is None:
        return {}
    (start,) = struct.unpack_from(f"{order}I", data, 4)
    (entries,) = struct.unpack_from(f"{order}H", data, start)
    tags: dict[int, tuple[Any, ...]] = {}
    for at in range(start + 2, start + 2 + 12 * entries, 12):
        tag, kind, number = struct.unpack_from(f"{order}HHI", data, at)
        if kind not in _TYPES or number > 4096:
            continue
        code, size = _TYPES[kind]
        place = at + 8 if number * size <= 4 else struct.unpack_from(f"{order}I", data, at + 8)[0]
        tags[tag] = struct.unpack_from(f"{order}{number}{code}", data, place)
    return tags


def of_gml(data: bytes, name: str) -> Georeference | None:
    """Read the rectified grid of GMLJP2 (OGC 05-047r2): its origin is the centre of the upper left pixel.

    None where there is no such grid, or one that is rotated.
    """
    try:
        root = parse(data.rstrip(b"\0"), f"GML in {name}")
    except MetadataError:
        # Many writers leave GML that is no XML; the tile's metadata then tells the grid.
        return None
    grid = root.find(f".//{_GML}RectifiedGrid")
    position = None if grid is None else grid.find(f".//{_GML}pos")
    vectors = [] if grid is None else grid.findall(f"{_GML}offsetVector")
    if grid is None or position is None or len(vectors) != 2:
        return None
    point = grid.find(f".//{_GML}Point")
    system = (point.get("srsName") if point is not None else None) or vectors[0].get("srsName") or ""
    epsg = re.search(r"(\d+)$", system)
    try:
        x, y = map(float, (position.text or "").split())
        a, d = map(float, (vectors[0].text or "").split())
        b, e = map(float, (vectors[1].text or "").split())
    except ValueError:
        return None
    if epsg is None or b or d:
        return None
    return Georeference((a, 0.0, x - a / 2, 0.0, e, y - e / 2), f"EPSG:{epsg[1]}")

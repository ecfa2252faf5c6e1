"""Footprints as GeoJSON has them (RFC 7946): counter-clockwise, and cut where they cross the antimeridian."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

__all__ = ["bounding_box", "geometry"]

Ring = list[tuple[float, float]]


def geometry(footprint: Ring) -> dict[str, Any]:
    """Return a closed ring of longitude and latitude, degrees, as a Polygon or (cut) a MultiPolygon."""
    rings = [_counter_clockwise(ring) for ring in _cut(footprint)]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": [rings[0]]}
    return {"type": "MultiPolygon", "coordinates": [[ring] for ring in rings]}


def bounding_box(footprint: Ring) -> list[float]:
    """Return west, south, east and north; west is greater than east where the antimeridian is crossed."""
    latitudes = [y for _, y in footprint]
    longitudes = [x for x, _ in _unrolled(footprint)]
    west, east = min(longitudes), max(longitudes)
    return [west, min(latitudes), east - 360 if east > 180 else east, max(latitudes)]


def _unrolled(footprint: Ring) -> Ring:
    """Return a ring that spans more than half the globe in longitudes of 0 to 360: it crosses 180."""
    longitudes = [x for x, _ in footprint]
    if max(longitudes) - min(longitudes) <= 180:
        return footprint
    return [(x + 360 if x < 0 else x, y) for x, y in footprint]


def _cut(footprint: Ring) -> list[Ring]:
    ring = _unrolled(footprint)
    if all(x <= 180 for x, _ in ring):
        return [ring]
    east = [(x - 360, y) for x, y in _half(ring, -1)]
    return [part for part in (_half(ring, 1), east) if len(part) >= 4]


def _half(ring: Ring, side: int) -> Ring:
    """Return the part of a ring below (side 1) or above (-1) longitude 180, after Sutherland and Hodgman."""
    kept: Ring = []
    for (x0, y0), (x1, y1) in pairwise(ring):
        inside0, inside1 = side * (180 - x0) >= 0, side * (180 - x1) >= 0
        if inside0 != inside1:
            kept.append((180.0, y0 + (y1 - y0) * (180 - x0) / (x1 - x0)))
        if inside1:
            kept.append((x1, y1))
    unique = [point for k, point in enumerate(kept) if k == 0 or point != kept[k - 1]]
    return [*unique, unique[0]] if unique and unique[0] != unique[-1] else unique


def _counter_clockwise(ring: Ring) -> list[list[float]]:
    area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in pairwise(ring))
    return [list(point) for point in (ring if area >= 0 else ring[::-1])]

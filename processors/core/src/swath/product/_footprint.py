"""Where a grid lies on the Earth: its outline in longitude and latitude, as GeoJSON wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from rasterio.warp import transform as transform_points

if TYPE_CHECKING:
    from swath.product.grid import Grid

__all__ = ["POINTS", "footprint"]

POINTS = 20
"""Straight pieces that each side of the outline is cut into: edges of a projected grid bend on the Earth."""

_DIGITS = 7
"""Decimals of a coordinate, degrees: about a centimetre."""

Ring = list[tuple[float, float]]


def footprint(grid: Grid, points: int = POINTS) -> tuple[dict[str, Any], list[float]]:
    """Return the outline of a grid and its bounding box.

    Parameters
    ----------
    grid
        The grid; the outline follows the outer edges of its pixels.
    points
        Pieces that each of the four sides is cut into.

    Returns
    -------
    dict
        GeoJSON geometry in EPSG:4326 (longitude, latitude), counter-clockwise. A grid that crosses the 180th
        meridian gives a MultiPolygon of its two parts (RFC 7946, section 3.1.9).
    list of float
        West, south, east and north, degrees. West is greater than east where the meridian is crossed
        (RFC 7946, section 5.2).
    """
    rows, columns = grid.shape
    steps = np.arange(points) / points
    # From the upper left corner down, then right, up, and left again: counter-clockwise on a north-up grid.
    row = np.concatenate([steps * rows, np.full(points, rows), (1 - steps) * rows, np.zeros(points)])
    column = np.concatenate(
        [np.zeros(points), steps * columns, np.full(points, columns), (1 - steps) * columns]
    )
    a, b, c, d, e, f = grid.transform
    longitudes, latitudes = transform_points(
        grid.crs, "EPSG:4326", (a * column + b * row + c).tolist(), (d * column + e * row + f).tolist()
    )
    # Each longitude within half a turn of the first one, so that the outline is in one piece.
    lon = np.asarray(longitudes)
    lon = lon[0] + (lon - lon[0] + 180) % 360 - 180
    ring = _counter_clockwise(list(zip(lon.tolist(), latitudes, strict=True)))
    south, north = min(latitudes), max(latitudes)
    west, east = float(lon.min()), float(lon.max())
    if west >= -180 and east <= 180:
        return {"type": "Polygon", "coordinates": [_closed(ring, 0)]}, _rounded([west, south, east, north])
    # One of the two halves is a whole turn off: left of -180 or right of 180.
    seam = 180.0 if east > 180 else -180.0
    shifts = (0.0, -360.0) if seam > 0 else (360.0, 0.0)
    parts = [_closed(_cut(ring, seam, side), shift) for side, shift in zip((-1, 1), shifts, strict=True)]
    geometry = {"type": "MultiPolygon", "coordinates": [[part] for part in parts]}
    return geometry, _rounded([west + shifts[0], south, east + shifts[1], north])


def _counter_clockwise(ring: Ring) -> Ring:
    area = sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True))
    return ring if area >= 0 else ring[::-1]


def _cut(ring: Ring, seam: float, side: int) -> Ring:
    """Keep what is left (-1) or right (1) of a meridian (Sutherland and Hodgman, 1974, one edge)."""
    kept: Ring = []
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], ring[0]], strict=True):
        if side * (x0 - seam) >= 0:
            kept.append((x0, y0))
        if (x0 - seam) * (x1 - seam) < 0:
            kept.append((seam, y0 + (y1 - y0) * (seam - x0) / (x1 - x0)))
    return kept


def _closed(ring: Ring, shift: float) -> list[list[float]]:
    points = [_rounded([x + shift, y]) for x, y in ring]
    return [*points, points[0]]


def _rounded(values: list[float]) -> list[float]:
    return [round(value, _DIGITS) for value in values]

"""Where a product lies on the Earth: its outline in longitude and latitude, as GeoJSON wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swath.product.grid import Grid

__all__ = ["POINTS", "grid_footprint", "ring_footprint"]

POINTS = 20
"""Straight pieces that each side of a grid's outline is cut into: edges of a projected grid bend on the
Earth."""

_DIGITS = 7
"""Decimals of a coordinate, degrees: about a centimetre."""

Point = tuple[float, float]
Footprint = tuple[dict[str, Any], list[float]]


def grid_footprint(grid: Grid, points: int = POINTS) -> Footprint:
    """Return the outline of a grid and its bounding box; see :func:`ring_footprint`.

    Parameters
    ----------
    grid
        The grid; the outline follows the outer edges of its pixels.
    points
        Pieces that each of the four sides is cut into.
    """
    from rasterio.warp import transform as transform_points  # noqa: PLC0415 -- opening does without

    rows, columns = grid.shape
    steps = [k / points for k in range(points)]
    # From the upper left corner down, then right, up, and left again: counter-clockwise on a north-up grid.
    down = [(step * rows, 0.0) for step in steps]
    right = [(float(rows), step * columns) for step in steps]
    up = [((1 - step) * rows, float(columns)) for step in steps]
    left = [(0.0, (1 - step) * columns) for step in steps]
    a, b, c, d, e, f = grid.transform
    ground = [
        (a * column + b * row + c, d * column + e * row + f) for row, column in (*down, *right, *up, *left)
    ]
    longitudes, latitudes = transform_points(grid.crs, "EPSG:4326", *zip(*ground, strict=True))
    return ring_footprint(zip(longitudes, latitudes, strict=True))


def ring_footprint(points: Iterable[Point]) -> Footprint:
    """Return a ring as a geometry, and its bounding box.

    Parameters
    ----------
    points
        Longitude and latitude, degrees, in either direction; the last point may repeat the first. Less than
        half a turn wide.

    Returns
    -------
    dict
        GeoJSON geometry in EPSG:4326 (longitude, latitude), counter-clockwise. A ring that crosses the 180th
        meridian gives a MultiPolygon of its two parts, the western one first (RFC 7946, section 3.1.9).
    list of float
        West, south, east and north, degrees. West is greater than east where the meridian is crossed
        (RFC 7946, section 5.2).

    Raises
    ------
    MetadataError
        The ring has no area.
    """
    ring = _in_one_piece([(float(x), float(y)) for x, y in points])
    if _area(ring) < 0:
        ring.reverse()
    # What lies a turn to the west, what lies where it should, what lies a turn to the east.
    turned = ([(x + turn, y) for x, y in ring] for turn in (360.0, 0.0, -360.0))
    cut = (_cut(_cut(part, -180.0, 1), 180.0, -1) for part in turned)
    parts = [_closed(part) for part in cut if _area(part) > 0]
    if not parts:
        raise MetadataError(
            "an outline without area (its points lie on a line) cannot be the place of a product"
        )
    latitudes = [y for part in parts for _, y in part]
    box = [min(x for x, _ in parts[0]), min(latitudes), max(x for x, _ in parts[-1]), max(latitudes)]
    if len(parts) == 1:
        return {"type": "Polygon", "coordinates": parts}, box
    return {"type": "MultiPolygon", "coordinates": [[part] for part in parts]}, box


def _in_one_piece(ring: list[Point]) -> list[Point]:
    """Bring each longitude within half a turn of the first one; leave out points that repeat."""
    first = ring[0][0]
    # Only what has to move is computed with: 180.0 must stay exactly that.
    whole = [(x - 360 if x - first > 180 else x + 360 if first - x > 180 else x, y) for x, y in ring]
    return [point for k, point in enumerate(whole) if point != whole[k - 1]]


def _area(ring: list[Point]) -> float:
    """Return twice the area, positive where the ring goes counter-clockwise."""
    following = [*ring[1:], *ring[:1]]
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(ring, following, strict=True))


def _cut(ring: list[Point], seam: float, side: int) -> list[Point]:
    """Keep what is left (-1) or right (1) of a meridian (Sutherland and Hodgman, 1974, one edge)."""
    kept: list[Point] = []
    for (x0, y0), (x1, y1) in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        if side * (x0 - seam) >= 0:
            kept.append((x0, y0))
        if (x0 - seam) * (x1 - seam) < 0:
            kept.append((seam, y0 + (y1 - y0) * (seam - x0) / (x1 - x0)))
    return kept


def _closed(ring: list[Point]) -> list[list[float]]:
    points = [[round(x, _DIGITS), round(y, _DIGITS)] for x, y in ring]
    return [*points, points[0]]

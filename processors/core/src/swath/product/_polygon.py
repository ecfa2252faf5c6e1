"""Polygons in longitude and latitude: which pixels of a grid, or of a swath, have their centre within."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np

from swath.errors import InputError
from swath.io.silence import SILENCE

if TYPE_CHECKING:
    import numpy.typing as npt

    from swath.product.grid import Grid

__all__ = ["Ring", "box_of", "inside_rings", "on_grid", "read_rings"]

Ring = list[tuple[float, float]]
"""Longitudes and latitudes, the first pair repeated at the end."""

_PIECE = 0.01
"""Longest piece of an edge, degrees. Edges are straight in longitude and latitude (RFC 7946, section 3.1.1),
and bend on a map; a piece of 0.01 degrees (1.1 km) is off by less than 0.2 m up to 84 degrees of latitude."""

_MARGIN = 0.1
"""Degrees around a grid to which polygons are cut before they are projected: projections fail far away."""


def read_rings(text: str) -> list[Ring]:
    """Return the rings of a GeoJSON polygon, text or a file's path: all outlines and holes, each once.

    Raises
    ------
    InputError
        It is none.
    """
    try:
        told = json.loads(text if text.lstrip().startswith("{") else Path(text).read_text(encoding="utf-8"))
        if told.get("type") == "FeatureCollection":
            (told,) = told["features"]
        geometry = told["geometry"] if told.get("type") == "Feature" else told
        parts = [geometry["coordinates"]] if geometry["type"] == "Polygon" else geometry["coordinates"]
        if geometry["type"] not in ("Polygon", "MultiPolygon"):
            raise ValueError(f"it is a {geometry['type']}")  # noqa: TRY301 -- told below with the rest
        rings = [[(float(x), float(y)) for x, y, *_ in ring] for part in parts for ring in part]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InputError(
            f"polygon {text[:60]!r} cannot be used ({error}): give the path of a GeoJSON Polygon or "
            f"MultiPolygon in "
            "EPSG:4326, or one feature with such a geometry"
        ) from None
    if not all(math.isfinite(number) for ring in rings for point in ring for number in point):
        raise InputError("a polygon needs finite longitudes and latitudes")
    if not rings or any(len(ring) < 4 for ring in rings):
        raise InputError("a polygon needs at least three corners, the first one repeated at the end")
    return rings


def box_of(rings: list[Ring]) -> str:
    """Return the window around rings."""
    xs, ys = zip(*(point for ring in rings for point in ring), strict=True)
    return f"lon {min(xs)!r}:{max(xs)!r}, lat {min(ys)!r}:{max(ys)!r}"


def on_grid(grid: Grid, rings: list[Ring], chunks: tuple[tuple[int, ...], tuple[int, ...]]) -> da.Array:
    """Return which pixels of a grid have their centre inside (bool), drawn chunk by chunk when asked for."""
    from rasterio.warp import transform  # noqa: PLC0415 -- only needed for polygons on a map

    near = [_cut_in_pieces(ring) for ring in _around(grid, rings)]
    projected = [
        list(zip(*transform("EPSG:4326", grid.crs, *zip(*ring, strict=True)), strict=True)) for ring in near
    ]
    return da.map_blocks(  # type: ignore[no-untyped-call,no-any-return] # dask's
        _draw, chunks=chunks, dtype=bool, meta=np.empty((0, 0), bool), grid=grid, rings=projected
    )


def _around(grid: Grid, rings: list[Ring]) -> list[Ring]:
    """Cut rings to the surroundings of a grid, which are not beyond the reach of its projection."""
    from rasterio.warp import transform_bounds  # noqa: PLC0415 -- only needed for polygons on a map

    # It knows of the poles, too: a grid with one in it has all longitudes.
    west, south, east, north = transform_bounds(grid.crs, "EPSG:4326", *grid.bounds)
    east += 360 if east < west else 0
    found = []
    for ring, turn in itertools.product(rings, (-360.0, 0.0, 360.0)):
        part = [(x + turn, y) for x, y in ring[:-1]]
        for axis, bound, side in ((0, west - _MARGIN, 1), (0, east + _MARGIN, -1),
                                  (1, south - _MARGIN, 1), (1, north + _MARGIN, -1)):  # fmt: skip
            part = _kept(part, axis, bound, side)
        if part:
            found.append([*part, part[0]])
    return found


def _kept(ring: Ring, axis: int, bound: float, side: int) -> Ring:
    """Keep what is below (-1) or above (1) a bound (Sutherland and Hodgman, 1974, one edge)."""
    kept: Ring = []
    for one, other in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        if side * (one[axis] - bound) >= 0:
            kept.append(one)
        if (one[axis] - bound) * (other[axis] - bound) < 0:
            part = (bound - one[axis]) / (other[axis] - one[axis])
            kept.append((one[0] + part * (other[0] - one[0]), one[1] + part * (other[1] - one[1])))
    return kept


def _cut_in_pieces(ring: Ring) -> Ring:
    points: Ring = []
    for (x0, y0), (x1, y1) in itertools.pairwise(ring):
        pieces = max(math.ceil(max(abs(x1 - x0), abs(y1 - y0)) / _PIECE), 1)
        points += [(x0 + (x1 - x0) * k / pieces, y0 + (y1 - y0) * k / pieces) for k in range(pieces)]
    return [*points, ring[-1]]


def _draw(*, grid: Grid, rings: list[Ring], block_info: Any = None) -> npt.NDArray[np.bool_]:
    """Draw one chunk; the body of every task."""
    from rasterio.features import geometry_mask  # noqa: PLC0415 -- only needed for polygons on a map
    from rasterio.transform import Affine  # noqa: PLC0415

    (row, stop), (column, end) = block_info[None]["array-location"]
    if not rings:
        return np.zeros((stop - row, end - column), bool)
    a, b, c, d, e, f = grid.transform
    corner = Affine(a, b, a * column + b * row + c, d, e, d * column + e * row + f)
    # All rings as those of one polygon: what an odd number of them goes around is inside.
    shape = {"type": "Polygon", "coordinates": rings}
    with SILENCE:  # rasterio puts a warning of its own off
        mask: npt.NDArray[np.bool_] = geometry_mask(
            [shape], (stop - row, end - column), corner, invert=True, all_touched=False
        )
    return mask


def inside_rings(xs: npt.NDArray[Any], ys: npt.NDArray[Any], *, rings: list[Ring]) -> npt.NDArray[np.bool_]:
    """Return which points lie inside: those from which a ray crosses the outline an odd number of times."""
    inside = np.zeros(np.shape(xs), bool)
    for ring in rings:
        for (x0, y0), (x1, y1) in itertools.pairwise(ring):
            if y0 != y1:
                between = (ys >= min(y0, y1)) & (ys < max(y0, y1))
                inside ^= between & (xs < x0 + (ys - y0) * (x1 - x0) / (y1 - y0))
    return inside

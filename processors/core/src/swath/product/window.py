"""Windows: the part of an output grid that is asked for."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swath.errors import WindowError

if TYPE_CHECKING:
    from swath.product.grid import Grid

__all__ = ["Window", "parts_of"]

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_PART = re.compile(rf"\s*([A-Za-z]+)\s+({_NUMBER})\s*:\s*({_NUMBER})\s*")
_NAMES = {
    "rows": "rows", "row": "rows", "columns": "columns", "column": "columns", "cols": "columns",
    "lon": "lon", "longitude": "lon", "lat": "lat", "latitude": "lat",
}  # fmt: skip
_FORMS = (
    "'rows 0:512, columns 1024:1536' (zero-based, end not included) or 'lon 147.1:147.3, lat -28.2:-28.0'"
)

_DENSITY = 21
"""Points put on each edge of a rectangle of longitude and latitude before it is projected: its edges become
curves."""


@dataclass(frozen=True, slots=True)
class Window:
    """Rows and columns of an output grid: zero-based, start included, stop not."""

    rows: tuple[int, int]
    columns: tuple[int, int]

    @classmethod
    def whole(cls, grid: Grid) -> Window:
        """Return the window that is all of a grid."""
        return cls((0, grid.shape[0]), (0, grid.shape[1]))

    @classmethod
    def parse(cls, text: str | Mapping[str, Any], grid: Grid) -> Window:
        """Return the window that was asked for, as pixels of a grid.

        Parameters
        ----------
        text
            ``rows 0:512, columns 1024:1536``, or bounds in EPSG:4326, ``lon 147.1:147.3, lat -28.2:-28.0``,
            of which the smallest window that contains them is taken; or the same as a mapping (of a payload):
            ``{"rows": [0, 512], "columns": [1024, 1536]}``, ``{"lon": [w, e], "lat": [s, n]}``.
        grid
            Grid that rows and columns count on.

        Raises
        ------
        WindowError
            Malformed, empty, or with a part outside the grid (bounds: wholly outside); the valid range is
            told.
        """
        parts = parts_of(text)
        if parts.keys() == {"rows", "columns"}:
            return cls(
                _pixels("rows", parts["rows"], grid.shape[0]),
                _pixels("columns", parts["columns"], grid.shape[1]),
            )
        if parts.keys() == {"lon", "lat"}:
            return _of_bounds(parts["lon"], parts["lat"], grid)
        raise WindowError(
            f"a window needs rows and columns, or lon and lat; got {', '.join(parts)}. Write {_FORMS}"
        )

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and columns."""
        return self.rows[1] - self.rows[0], self.columns[1] - self.columns[0]

    @property
    def slices(self) -> tuple[slice, slice]:
        """Slices of rows and columns."""
        return slice(*self.rows), slice(*self.columns)

    def __str__(self) -> str:
        return f"rows {self.rows[0]}:{self.rows[1]}, columns {self.columns[0]}:{self.columns[1]}"


def parts_of(text: str | Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    """Return the two numbers of each part of a window: of ``rows`` and ``columns``, or ``lon`` and ``lat``.

    Raises
    ------
    WindowError
        It is malformed.
    """
    return _of_mapping(text) if isinstance(text, Mapping) else _of_text(text)


def _of_text(text: str) -> dict[str, tuple[float, float]]:
    parts: dict[str, tuple[float, float]] = {}
    for piece in text.split(","):
        found = _PART.fullmatch(piece)
        name = _NAMES.get(found[1].lower()) if found else None
        if found is None or name is None or name in parts:
            raise WindowError(f"window {text!r}: cannot understand {piece.strip()!r}. Write {_FORMS}")
        parts[name] = (float(found[2]), float(found[3]))
    return parts


def _of_mapping(mapping: Mapping[str, Any]) -> dict[str, tuple[float, float]]:
    parts: dict[str, tuple[float, float]] = {}
    for key, pair in mapping.items():
        name = _NAMES.get(str(key).lower())
        right = isinstance(pair, Sequence) and not isinstance(pair, str) and len(pair) == 2
        if name is None or name in parts or not right or not all(_is_number(value) for value in pair):
            raise WindowError(
                f"window: cannot understand {key}: {pair!r}. Give two numbers each for rows and columns, "
                f"or lon and lat"
            )
        parts[name] = (float(pair[0]), float(pair[1]))
    return parts


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _pixels(name: str, pair: tuple[float, float], length: int) -> tuple[int, int]:
    start, stop = pair
    if start != int(start) or stop != int(stop):
        raise WindowError(f"window: {name} {start:g}:{stop:g} are not whole numbers; pixels are counted")
    if not 0 <= start < stop <= length:
        raise WindowError(
            f"window: {name} {start:.0f}:{stop:.0f} is empty or outside the grid; "
            f"valid are 0:{length} (zero-based, the end not included)"
        )
    return int(start), int(stop)


def _of_bounds(lon: tuple[float, float], lat: tuple[float, float], grid: Grid) -> Window:
    from rasterio.crs import CRS  # noqa: PLC0415 -- only needed for geographic windows
    from rasterio.errors import RasterioError  # noqa: PLC0415
    from rasterio.warp import transform_bounds  # noqa: PLC0415

    told = f"lon {lon[0]:g}:{lon[1]:g}, lat {lat[0]:g}:{lat[1]:g}"
    try:
        geographic, projected = CRS.from_epsg(4326), CRS.from_string(grid.crs)
        valid = transform_bounds(projected, geographic, *grid.bounds, densify_pts=_DENSITY)
        # Only a grid that itself lies across the 180th meridian gives WEST > EAST a meaning.
        ordered = lon[0] < lon[1] or (lon[0] > lon[1] and valid[0] > valid[2])
        if not (ordered and all(abs(x) <= 180 for x in lon) and -90 <= lat[0] < lat[1] <= 90):
            raise WindowError(
                f"window: {told} is empty or no place on Earth; valid are lon WEST:EAST within -180:180 and "
                "lat SOUTH:NORTH within -90:90, in degrees"
            )
        near = _near(lon, lat, valid)
        bounds = transform_bounds(geographic, projected, *near, densify_pts=_DENSITY) if near else None
    except RasterioError as error:
        raise WindowError(f"window: {told} cannot be projected to {grid.crs} ({error})") from error
    a, _, c, _, e, f = grid.transform
    columns = bounds and _span((bounds[0] - c) / a, (bounds[2] - c) / a, grid.shape[1])
    rows = bounds and _span((bounds[1] - f) / e, (bounds[3] - f) / e, grid.shape[0])
    if rows is None or columns is None:
        raise WindowError(
            f"window: {told} lies outside the grid; valid are lon {valid[0]:.6f}:{valid[2]:.6f}, "
            f"lat {valid[1]:.6f}:{valid[3]:.6f}"
        )
    return Window(rows, columns)


def _near(
    lon: tuple[float, float], lat: tuple[float, float], valid: tuple[float, float, float, float]
) -> tuple[float, float, float, float] | None:
    """Cut bounds to the surroundings of a grid; None where nothing is left.

    Far from its central meridian a projection tells places on the other side of the Earth to be here.
    Longitudes beyond 180 degrees may come out where the grid lies across the 180th meridian.
    """
    west, south, east, north = valid
    east += 360 if east < west else 0
    # The edges of the grid bend a little farther out between the points that were projected.
    wide, high = (east - west) / 100, (north - south) / 100
    last = lon[1] + (360 if lon[1] < lon[0] else 0)
    pieces = [
        (max(lon[0] + turn, west - wide), min(last + turn, east + wide)) for turn in (-360.0, 0.0, 360.0)
    ]
    pieces = [(low, top) for low, top in pieces if low < top]
    bottom, top = max(lat[0], south - high), min(lat[1], north + high)
    if not pieces or bottom >= top:
        return None
    return pieces[0][0], bottom, pieces[-1][1], top


def _span(one: float, other: float, length: int) -> tuple[int, int] | None:
    """Round a span of pixels outwards and cut it to the grid; None where nothing is left."""
    # Points that are on a pixel's edge but for the rounding of the projection do not drag the next pixel in.
    low, high = sorted((one, other))
    start, stop = math.floor(round(low, 6)), math.ceil(round(high, 6))
    start, stop = max(start, 0), min(stop, length)
    return (start, stop) if start < stop else None

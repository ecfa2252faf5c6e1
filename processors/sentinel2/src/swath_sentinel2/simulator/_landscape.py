"""The ground: which surface covers each pixel of 10 m, and how bright it is there.

An invented landscape of lakes, rivers, mountains with forest, rock and snow, towns and fields; nothing in it
is at its place on Earth. Its forms grow with the scene, so that a small scene shows all of them; parcels and
streets keep their size.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from swath_sentinel2.simulator._noise import Floats, Window, clouded, enlarge, nodes_of, scramble, uniform
from swath_sentinel2.simulator._scene import Scene
from swath_sentinel2.simulator._spectra import Surface

Bytes = NDArray[np.uint8]

SPACING = 8
"""Pixels of 10 m between the nodes of the landscape's smooth fields."""

_DISTRICT = 192
"""Pixels of 10 m along a district, whose parcels share a direction and a size."""
_GRAIN = 256
"""Pixels after which the finest texture repeats."""
_CROPS = np.array(
    [Surface.GREEN_CROP] * 6
    + [Surface.MEADOW] * 4
    + [Surface.RIPE_CROP] * 4
    + [Surface.DARK_SOIL] * 1
    + [Surface.BRIGHT_SOIL] * 1,
    np.uint8,
)
_TOWN = np.array(
    [Surface.ROOF] * 5 + [Surface.ASPHALT] * 5 + [Surface.BROADLEAF] * 3 + [Surface.MEADOW] * 3, np.uint8
)


class _Levels(NamedTuple):
    """Values of the smooth fields at which one surface ends and the next begins."""

    lake: float
    forest: float
    rock: float
    snow: float
    wood: float
    conifer: float
    town: float
    river: float


def ground(scene: Scene, window: Window) -> tuple[Bytes, Bytes]:
    """Give the ground in a window of the 10 m grid.

    Returns
    -------
    surface, tone : ndarray
        Uint8, the window's shape: a number of ``Surface``; and brightness, of which 128 is that of the spectrum
        and each step 1/256 of it.
    """
    levels = _levels(scene)
    relief, slope = _relief(scene, window)
    grain = _grain(scene, window)
    relief += (grain - np.float32(0.5)) * np.float32(0.006)
    moisture = _field(scene, window, "moisture")
    crop, tone = _parcels(scene, window, moisture)
    surface = crop
    wood = (moisture > levels.wood) | (relief > levels.forest)
    conifer = wood & (relief > levels.conifer)
    town = (_field(scene, window, "town") > levels.town) & ~wood
    _build(scene, window, town, surface, tone)
    surface[wood] = Surface.BROADLEAF
    surface[conifer] = Surface.CONIFER
    surface[relief > levels.rock] = Surface.ROCK
    surface[relief > levels.snow] = Surface.SNOW
    natural = wood | (relief > levels.rock)
    tone[natural] = 128
    river = np.abs(_field(scene, window, "river") - np.float32(levels.river)) < 0.0035
    surface[river & (relief < levels.forest)] = Surface.RIVER
    surface[relief < levels.lake] = Surface.LAKE
    water = surface <= Surface.RIVER
    tone[water] = 128
    texture = np.where(wood & ~water, np.float32(26), np.float32(7))
    texture[water] = 3
    shade = slope * np.float32(1500) * (relief > levels.lake)
    bright = tone + (grain - np.float32(0.5)) * texture + np.clip(shade, -52, 60)
    return surface, np.clip(bright, 0, 255).astype(np.uint8)


def _period(scene: Scene) -> int:
    """Nodes between two hills: about a quarter of the scene, a power of two."""
    return max(1 << round(np.log2(scene.size / 4 / SPACING)), 4)


_FIELDS = {"relief": (1, 7, 1), "moisture": (2, 5, 2), "town": (4, 4, 3), "river": (1, 5, 4)}
"""For each smooth field: how many times finer than the relief, its octaves, its salt."""


def _nodes(scene: Scene, rows: NDArray[np.int64], columns: NDArray[np.int64], name: str) -> Floats:
    finer, octaves, salt = _FIELDS[name]
    period = max(_period(scene) // finer, 2)
    return clouded(
        rows, columns, period=period, octaves=min(octaves, period.bit_length()), salt=scene.seed * 64 + salt
    )


def _field(scene: Scene, window: Window, name: str) -> Floats:
    return enlarge(_nodes(scene, *nodes_of(window, SPACING), name), window, SPACING)


def _relief(scene: Scene, window: Window) -> tuple[Floats, Floats]:
    """Height in [0, 1), and how much it falls towards the south-east, where the sun is."""
    rows, columns = nodes_of(window, SPACING)
    beyond_rows, beyond_columns = np.append(rows, rows[-1] + 1), np.append(columns, columns[-1] + 1)
    height = _nodes(scene, beyond_rows, beyond_columns, "relief")
    fall = (height[:-1, :-1] - height[1:, 1:]) * np.float32(_period(scene) / 256)
    return enlarge(height[:-1, :-1], window, SPACING), enlarge(fall, window, SPACING)


@lru_cache(maxsize=16)
def _levels(scene: Scene) -> _Levels:
    """Find the levels that give each surface its share of the scene, from up to 200 by 200 nodes."""
    index = np.unique(np.linspace(0, scene.size // SPACING, 200).astype(np.int64))
    fields = {name: _nodes(scene, index, index, name) for name in _FIELDS}

    def level(name: str, share: float) -> float:
        return float(np.quantile(fields[name], share))

    return _Levels(
        lake=level("relief", 0.09),
        forest=level("relief", 0.72),
        conifer=level("relief", 0.82),
        rock=level("relief", 0.93),
        snow=level("relief", 0.965),
        wood=level("moisture", 0.74),
        town=level("town", 0.93),
        river=level("river", 0.5),
    )


def _grain(scene: Scene, window: Window) -> Floats:
    """Texture from pixel to pixel, uniform in [0, 1); it repeats, which its low amplitude hides."""
    (top, bottom), (left, right) = window
    index = np.arange(_GRAIN)
    table = uniform(index[:, None], index[None, :], scene.seed * 64 + 9)
    rows = np.arange(top, bottom) % _GRAIN
    wide = np.tile(table, (1, (right - left) // _GRAIN + 2))
    start = left % _GRAIN
    return np.ascontiguousarray(wide[rows, start : start + right - left])


def _parcels(scene: Scene, window: Window, moisture: Floats) -> tuple[Bytes, Bytes]:
    """Crop and brightness of the fields: rectangles whose direction and size change from district to district."""
    (top, bottom), (left, right) = window
    # Float32 holds a pixel's number times a cosine to 0.001 pixel, and is the same in every window.
    row = np.arange(top, bottom, dtype=np.float32)[:, None]
    column = np.arange(left, right, dtype=np.float32)[None, :]
    bend = moisture * np.float32(2 * _DISTRICT)
    district_row = ((row + bend) * np.float32(1 / _DISTRICT)).astype(np.int32)
    district_column = ((column + bend) * np.float32(1 / _DISTRICT)).astype(np.int32)
    first_row, first_column = top // _DISTRICT, left // _DISTRICT
    rows = np.arange(first_row, bottom // _DISTRICT + 4)[:, None]
    columns = np.arange(first_column, right // _DISTRICT + 4)[None, :]
    kind = scramble(rows, columns, scene.seed * 64 + 10)
    angle = (kind & np.uint32(15)).astype(np.float32) * np.float32(np.pi / 16)
    long = 1 / (18 + (kind >> np.uint32(4) & np.uint32(31))).astype(np.float32)
    short = 1 / (9 + (kind >> np.uint32(9) & np.uint32(15))).astype(np.float32)
    at = (district_row - first_row) * columns.size + (district_column - first_column)
    cosine, sine = np.cos(angle), np.sin(angle)
    along = np.take(cosine * long, at) * row + np.take(sine * long, at) * column
    across = np.take(cosine * short, at) * column - np.take(sine * short, at) * row
    which_long, which_short = np.floor(along), np.floor(across)
    number = scramble(
        which_long.astype(np.int64) + np.take(kind >> np.uint32(16), at),
        which_short.astype(np.int64),
        scene.seed,
    )
    crop = np.take(_CROPS, number & np.uint32(15))
    tone = (np.uint32(112) + (number >> np.uint32(8) & np.uint32(31))).astype(np.uint8)
    border = (across - which_short) < np.take(short, at)
    tone[border] -= 22
    return crop, tone


def _build(scene: Scene, window: Window, town: NDArray[np.bool_], surface: Bytes, tone: Bytes) -> None:
    """Put houses, gardens and a grid of streets where there is a town."""
    if not town.any():
        return
    (top, bottom), (left, right) = window
    rows, columns = np.arange(top, bottom), np.arange(left, right)
    number = scramble(rows[:, None] // 2, columns[None, :] // 2, scene.seed * 64 + 11)
    street = (rows[:, None] % 14 == 0) | (columns[None, :] % 18 == 0)
    built = np.where(street, np.uint8(Surface.ASPHALT), np.take(_TOWN, number & np.uint32(15)))
    surface[town] = built[town]
    tone[town] = (np.uint32(104) + (number >> np.uint32(8) & np.uint32(63))).astype(np.uint8)[town]

"""The ground: which surface covers each pixel of 10 m, and how bright it is there.

An invented landscape of lakes, rivers, mountains with forest, rock and snow, towns and fields; nothing in it
is at its place on Earth. Its forms grow with the scene, so that a small scene shows all of them; parcels and
streets keep their size.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from swath_sentinel2.simulator._noise import Floats, Window, clouded, enlarge, nodes_of, uniform
from swath_sentinel2.simulator._parcels import fields, town
from swath_sentinel2.simulator._scene import Scene
from swath_sentinel2.simulator._spectra import Surface

Bytes = NDArray[np.uint8]

SPACING = 8
"""Pixels of 10 m between the nodes of the landscape's smooth fields."""

_GRAIN = 256
"""Pixels after which the finest texture repeats."""


class _Levels(NamedTuple):
    """Values of the smooth fields at which one surface ends and the next begins."""

    lake: float
    forest: float
    conifer: float
    rock: float
    snow: float
    wood: float
    town: float
    river: float


def ground(scene: Scene, window: Window) -> NDArray[np.uint16]:
    """Give the ground in a window of the 10 m grid.

    Returns
    -------
    ndarray
        Uint16, the window's shape: 256 times a number of ``Surface``, plus the brightness there, of which 128
        is that of the surface's spectrum and each step 1/256 of it.
    """
    levels = _levels(scene)
    relief, slope = _relief(scene, window)
    grain = _grain(scene, window)
    # Ragged borders between natural surfaces.
    relief += grain * np.float32(0.003)
    moisture = _field(scene, window, "moisture")
    surface, tone = fields(scene, window, moisture)
    high = relief > levels.forest
    wood = (moisture > levels.wood) | high
    built = _field(scene, window, "town")
    settled = (built > levels.town) & ~wood
    if settled.any():
        town(scene, window, settled, surface, tone)
    rock = relief > levels.rock
    np.copyto(surface, np.uint8(Surface.BROADLEAF), where=wood)
    np.copyto(surface, np.uint8(Surface.CONIFER), where=wood & (relief > levels.conifer))
    np.copyto(surface, np.uint8(Surface.ROCK), where=rock)
    np.copyto(surface, np.uint8(Surface.SNOW), where=relief > levels.snow)
    np.copyto(tone, 128, where=wood | rock)
    river = _field(scene, window, "river")
    river -= np.float32(levels.river)
    flows = (np.abs(river, out=river) < 0.0035) & ~high
    lake = relief < levels.lake
    np.copyto(surface, np.uint8(Surface.RIVER), where=flows)
    np.copyto(surface, np.uint8(Surface.LAKE), where=lake)
    water = flows | lake
    np.copyto(tone, 128, where=water)
    # Mountains are shaded and forests grainy; fields and water are smooth.
    slope *= np.float32(4500)
    grain *= np.float32(12)
    grain *= wood
    slope += grain
    np.clip(slope, -60, 64, out=slope)
    np.copyto(slope, 0, where=water)
    slope += tone
    return surface.astype(np.uint16) << np.uint16(8) | slope.astype(np.uint16)


def _period(scene: Scene) -> int:
    """Nodes between two hills: about a quarter of the scene, a power of two."""
    return 1 << max(round(float(np.log2(scene.size / 4 / SPACING))), 2)


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
    sampled = {name: _nodes(scene, index, index, name) for name in _FIELDS}

    def level(name: str, share: float) -> float:
        return float(np.quantile(sampled[name], share))

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


@lru_cache(maxsize=4)
def _grain_table(seed: int) -> Floats:
    index = np.arange(_GRAIN)
    return uniform(index[:, None], index[None, :], seed * 64 + 9) - np.float32(0.5)


def _grain(scene: Scene, window: Window) -> Floats:
    """Texture from pixel to pixel, uniform from -0.5 to 0.5; it repeats, which its low amplitude hides."""
    (top, bottom), (left, right) = window
    start = left % _GRAIN
    wide = np.tile(_grain_table(scene.seed), (1, (start + right - left) // _GRAIN + 1))
    return wide[np.arange(top, bottom) % _GRAIN, start : start + right - left]

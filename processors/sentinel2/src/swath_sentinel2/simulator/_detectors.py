"""The twelve staggered detectors: which one sees a pixel, and from where.

The swath is 290 km wide on the ground and the satellite flies at 786 km (Sentinel-2 User Handbook, section
1.4). It descends towards the south-south-west, so that the borders between detectors are slanted. Even
detectors look ahead, odd ones back, by an angle that differs from band to band; the angles here were chosen
to give the viewing angles seen in real products. In a scene smaller than a tile, detectors and swath shrink
with it, so that it has as many.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from swath_sentinel2.simulator._bands import Band
from swath_sentinel2.simulator._noise import Window
from swath_sentinel2.simulator._scene import FULL_SIZE, Scene

COUNT = 12
TRACK = np.radians(14.0)
"""Angle between the ground track and grid north."""
_WIDTH = 290_000 / COUNT
_ALTITUDE = 786_000
_EARTH_RADIUS = 6_371_000
_ALONG_TRACK = np.radians([1.80, 1.20, 1.35, 1.45, 1.50, 1.58, 1.65, 1.27, 1.70, 1.90, 1.40, 1.52, 1.72])
"""Angle by which a band looks ahead or back, by ``bandId``."""

Angles = NDArray[np.float64]


def detectors(scene: Scene, band: Band, window: Window) -> NDArray[np.uint8]:
    """Tell which detector sees each pixel of a window of the band's own grid.

    Returns
    -------
    ndarray
        Uint8, the window's shape: 1 to 12, or 0 outside the swath.
    """
    (top, bottom), (left, right) = window
    south = (np.arange(top, bottom, dtype=np.float64) + 0.5) * band.resolution
    limits = _limits(scene, band) * scene.size / FULL_SIZE
    east = (limits[None, :] - south[:, None] * np.sin(TRACK)) / np.cos(TRACK)
    # Each row is a run of columns for each detector, and one for the rest.
    ends = np.clip(np.floor(east / band.resolution + 0.5).astype(np.int64), left, right)
    edges = np.concatenate([np.full((len(ends), 1), left), ends, np.full((len(ends), 1), right)], axis=1)
    numbers = np.tile(np.array([*range(1, COUNT + 1), 0], np.uint8), len(ends))
    return np.repeat(numbers, np.diff(edges, axis=1).ravel()).reshape(bottom - top, right - left)


def detectors_at(scene: Scene, band: Band, east: Angles, south: Angles) -> NDArray[np.uint8]:
    """Tell which detector sees points, given in metres from the scene's upper left corner and broadcast."""
    number = np.searchsorted(_limits(scene, band), _across(scene, east, south)) + 1
    return np.where(number <= COUNT, number, 0).astype(np.uint8)


def _limits(scene: Scene, band: Band) -> Angles:
    """Eastern limit of each detector: distance across the track, in metres of a full-size tile."""
    edge = _edge(scene)
    # Real bands do not meet at the same line; here each is 40 m further than the one before.
    limits = edge - (COUNT - np.arange(1.0, COUNT + 1)) * _WIDTH + 40.0 * band.number
    limits[-1] = edge
    return limits


def viewing_angles(
    scene: Scene, band: Band, detector: int, east: Angles, south: Angles
) -> tuple[Angles, Angles]:
    """Zenith and azimuth, in degrees, of the direction from points on the ground to the satellite."""
    across = _across(scene, east, south) - (_edge(scene) - 290_000 / 2)
    sideways = np.arctan2(across, _ALTITUDE)
    ahead = _ALONG_TRACK[band.number] * (-1 if detector % 2 else 1)
    at_satellite = np.arctan(np.hypot(np.tan(sideways), np.tan(ahead)))
    zenith = np.arcsin((_EARTH_RADIUS + _ALTITUDE) / _EARTH_RADIUS * np.sin(at_satellite))
    # The satellite is on the track's side of the point, and behind what it sees ahead of itself.
    towards_track, backwards = -np.tan(sideways), np.tan(ahead)
    to_east = towards_track * np.cos(TRACK) + backwards * np.sin(TRACK)
    to_north = -towards_track * np.sin(TRACK) + backwards * np.cos(TRACK)
    return np.degrees(zenith), np.degrees(np.arctan2(to_east, to_north)) % 360


def _across(scene: Scene, east: Angles, south: Angles) -> Angles:
    """Distance across the track, eastwards, in metres of a full-size tile."""
    stretch = FULL_SIZE / scene.size
    across: Angles = (east * np.cos(TRACK) + south * np.sin(TRACK)) * stretch
    return across


@lru_cache(maxsize=16)
def _edge(scene: Scene) -> float:
    """Find where across the track the swath ends in the east, so that the asked share of pixels is empty."""
    centre = (np.arange(1000) + 0.5) * scene.extent / 1000
    across = _across(scene, centre[None, :], centre[:, None])
    return (
        float(np.quantile(across, 1 - scene.empty_cover))
        if scene.empty_cover
        else float(across.max()) + 1000.0
    )

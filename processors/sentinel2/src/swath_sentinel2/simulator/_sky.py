"""What is between the ground and the sensor: opaque clouds, their shadows, and cirrus, on the 10 m grid."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from swath_sentinel2.simulator._noise import Floats, Window, clouded, enlarge, nodes_of
from swath_sentinel2.simulator._scene import Scene

Bytes = NDArray[np.uint8]

_CLOUD_SPACING = 4
_CIRRUS_SPACING = 16
_SOFT = np.float32(0.035)
"""Change of the cloud field over which a cloud goes from nothing to opaque."""
_CIRRUS_SOFT = np.float32(0.12)


class _Levels(NamedTuple):
    cloud: float
    cirrus: float


def clouds(scene: Scene, window: Window) -> Bytes:
    """Cover by opaque cloud in a window of the 10 m grid: uint8, 0 nothing to 255 opaque."""
    return _cover(scene, window, (0, 0))


def shadows(scene: Scene, window: Window) -> Bytes:
    """Depth of cloud shadow in a window of the 10 m grid: uint8, 0 none to 255 darkest.

    The shadow lies away from the sun, north-west of its cloud, by 1/60 of the scene; no relief bends it.
    """
    shift = max(scene.size // 60 // _CLOUD_SPACING, 1) * _CLOUD_SPACING
    return _cover(scene, window, (shift, shift))


def cirrus(scene: Scene, window: Window) -> Bytes:
    """Thickness of cirrus in a window of the 10 m grid: uint8, 0 none to 255 thickest."""
    if scene.cirrus_cover == 0:
        return _nothing(window)
    nodes = _cirrus_nodes(scene, *nodes_of(window, _CIRRUS_SPACING))
    field = enlarge(nodes, window, _CIRRUS_SPACING)
    return _to_bytes((field - np.float32(_levels(scene).cirrus)) / _CIRRUS_SOFT)


def _cover(scene: Scene, window: Window, shift: tuple[int, int]) -> Bytes:
    if scene.cloud_cover == 0:
        return _nothing(window)
    (top, bottom), (left, right) = window
    moved = ((top + shift[0], bottom + shift[0]), (left + shift[1], right + shift[1]))
    nodes = _cloud_nodes(scene, *nodes_of(moved, _CLOUD_SPACING))
    level = np.float32(_levels(scene).cloud)
    if nodes.max() < level:
        return _nothing(window)
    return _to_bytes((enlarge(nodes, moved, _CLOUD_SPACING) - level) / _SOFT)


def _nothing(window: Window) -> Bytes:
    (top, bottom), (left, right) = window
    return np.zeros((bottom - top, right - left), np.uint8)


def _to_bytes(share: Floats) -> Bytes:
    return (np.clip(share, 0, 1) * np.float32(255)).astype(np.uint8)


def _period(scene: Scene, spacing: int) -> int:
    return 1 << max(round(float(np.log2(scene.size / 10 / spacing))), 2)


def _cloud_nodes(scene: Scene, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    return clouded(rows, columns, period=_period(scene, _CLOUD_SPACING), octaves=8, salt=scene.seed * 64 + 20)


def _cirrus_nodes(scene: Scene, rows: NDArray[np.int64], columns: NDArray[np.int64]) -> Floats:
    # Streaks: the field is drawn out along the rows.
    return clouded(
        rows * 3, columns, period=_period(scene, _CIRRUS_SPACING) * 2, octaves=5, salt=scene.seed * 64 + 21
    )


@lru_cache(maxsize=16)
def _levels(scene: Scene) -> _Levels:
    """Find the levels above which the asked share of the scene is covered, from up to 300 by 300 nodes."""

    def index(spacing: int) -> NDArray[np.int64]:
        return np.unique(np.linspace(0, scene.size // spacing, 300).astype(np.int64))

    cloud, thin = index(_CLOUD_SPACING), index(_CIRRUS_SPACING)
    half = float(_SOFT) / 2
    return _Levels(
        cloud=float(np.quantile(_cloud_nodes(scene, cloud, cloud), 1 - scene.cloud_cover)) - half,
        cirrus=float(np.quantile(_cirrus_nodes(scene, thin, thin), 1 - scene.cirrus_cover))
        - float(_CIRRUS_SOFT) / 4,
    )

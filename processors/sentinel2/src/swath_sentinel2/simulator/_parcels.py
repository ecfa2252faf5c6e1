"""Fields and towns: the small rectangles of the lowlands, on the 10 m grid."""

import numpy as np
from numpy.typing import NDArray

from swath_sentinel2.simulator._noise import Floats, Window, scramble
from swath_sentinel2.simulator._scene import Scene
from swath_sentinel2.simulator._spectra import Surface

Bytes = NDArray[np.uint8]

_DISTRICT = 192
"""Pixels of 10 m along a district, whose parcels share a direction and a size."""
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


def fields(scene: Scene, window: Window, bend: Floats) -> tuple[Bytes, Bytes]:
    """Crop and brightness of fields, whose direction and size change from district to district.

    Parameters
    ----------
    scene
        The scene.
    window
        Rows and columns of the 10 m grid.
    bend
        A smooth field in [0, 1) on the window, which makes the borders of districts irregular.

    Returns
    -------
    crop, tone : ndarray
        Uint8, the window's shape: a number of ``Surface``; brightness, 128 that of its spectrum.
    """
    (top, bottom), (left, right) = window
    # Float32 holds a pixel's number times a cosine to 0.001 pixel, and is the same in every window.
    row = np.arange(top, bottom, dtype=np.float32)[:, None]
    column = np.arange(left, right, dtype=np.float32)[None, :]
    first_row, first_column = top // _DISTRICT, left // _DISTRICT
    rows = np.arange(first_row, bottom // _DISTRICT + 4)
    columns = np.arange(first_column, right // _DISTRICT + 4)
    district = _district(bend, row, first_row) * np.int32(columns.size) + _district(
        bend, column, first_column
    )

    kind = scramble(rows[:, None], columns[None, :], scene.seed * 64 + 10).ravel()
    angle = (kind & np.uint32(15)).astype(np.float32) * np.float32(np.pi / 16)
    long = 1 / (18 + (kind >> np.uint32(4) & np.uint32(31))).astype(np.float32)
    short = 1 / (9 + (kind >> np.uint32(9) & np.uint32(15))).astype(np.float32)
    cosine, sine = np.cos(angle), np.sin(angle)
    along = np.take(cosine * long, district) * row
    along += np.take(sine * long, district) * column
    across = np.take(cosine * short, district) * column
    across -= np.take(sine * short, district) * row

    which_long, which_short = np.floor(along).astype(np.int32), np.floor(across).astype(np.int32)
    which_long += np.take((kind >> np.uint32(16)).astype(np.int32), district)
    number = scramble(which_long, which_short, scene.seed)
    crop = np.take(_CROPS, (number >> np.uint32(28)).astype(np.uint8))
    tone = (number >> np.uint32(16)).astype(np.uint8)
    tone &= np.uint8(31)
    tone += np.uint8(112)
    across -= which_short
    tone -= (across < np.take(short, district)).astype(np.uint8) * np.uint8(22)
    return crop, tone


def _district(bend: Floats, place: Floats, first: int) -> NDArray[np.int32]:
    """Count districts along rows or columns from the first that the window has."""
    bent = bend * np.float32(2)
    bent += place * np.float32(1 / _DISTRICT)
    number: NDArray[np.int32] = bent.astype(np.int32)
    number -= np.int32(first)
    return number


def town(scene: Scene, window: Window, where: NDArray[np.bool_], surface: Bytes, tone: Bytes) -> None:
    """Put houses, gardens and a grid of streets where there is a town, into a window's surface and tone."""
    (top, bottom), (left, right) = window
    rows, columns = np.arange(top, bottom), np.arange(left, right)
    number = scramble(rows[:, None] // 2, columns[None, :] // 2, scene.seed * 64 + 11)
    street = (rows[:, None] % 14 == 0) | (columns[None, :] % 18 == 0)
    built = np.take(_TOWN, (number >> np.uint32(28)).astype(np.uint8))
    np.copyto(built, np.uint8(Surface.ASPHALT), where=street)
    np.copyto(surface, built, where=where)
    bright = (number >> np.uint32(16)).astype(np.uint8) & np.uint8(63)
    np.copyto(tone, bright + np.uint8(104), where=where)

"""What the images must hold: reflectance, digital numbers, masks, for any window, without the files.

The writer of the product calls these same functions strip by strip; a test that calls them for another window
finds the same values, because each value depends on its position and the scene alone.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from swath.errors import InputError, WindowError

from swath_sentinel2.simulator._bands import BY_NAME, Band
from swath_sentinel2.simulator._detectors import detectors
from swath_sentinel2.simulator._landscape import ground
from swath_sentinel2.simulator._noise import Floats, Window
from swath_sentinel2.simulator._scene import Scene
from swath_sentinel2.simulator._sky import cirrus, clouds, shadows
from swath_sentinel2.simulator._spectra import CIRRUS, CLOUD, GROUND, PATH, SHADOW, Surface

QUANTIFICATION = 10_000
"""Digital counts for a reflectance of 1 (``QUANTIFICATION_VALUE``)."""
OFFSET = -1000
"""``RADIO_ADD_OFFSET`` of every band: reflectance is (digital number + offset) / quantification."""
LARGEST = 2**15 - 1
"""Largest digital number that 15 bits hold."""
TRUE_COLOUR_WHITE = 0.3558
"""Reflectance that is 255 in the true-colour image (S2-PDGS-TAS-DI-PSD, true colour image)."""
DETECTOR_CONTRAST = 0.002
"""Share by which odd detectors see brighter, and even ones darker, than the truth of the ground."""

QUALITY_FLAGS = 8
"""Components of ``MSK_QUALIT``: one flag each."""
NO_DATA = 5
"""Component of ``MSK_QUALIT`` that flags pixels without data, from 0; no other flag is ever raised."""

Bytes = NDArray[np.uint8]


class Layers(NamedTuple):
    """All that bands are made of, on a window of the 10 m grid: arrays of the same shape."""

    ground: NDArray[np.uint16]
    """256 times a number of ``Surface``, plus the brightness, 128 that of the surface's spectrum."""
    cloud: Bytes
    """Cover by opaque cloud, 255 full."""
    shadow: Bytes
    """Depth of cloud shadow, 255 darkest."""
    cirrus: Bytes
    """Thickness of cirrus, 255 thickest."""

    def part(self, window: Window) -> "Layers":
        """Give a window of the layers, as views."""
        (top, bottom), (left, right) = window
        at = slice(top, bottom), slice(left, right)
        return Layers(self.ground[at], self.cloud[at], self.shadow[at], self.cirrus[at])


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth of one band in one window of the band's own grid; all arrays have the window's shape."""

    reflectance: Floats
    """Reflectance (of the top of the atmosphere, or of the ground in level 2A) before quantification,
    float32, NaN outside the swath."""
    digital_number: NDArray[np.uint16]
    """What the image holds: 0 outside the swath, 1 to 32767 within."""
    detector: Bytes
    """Detector that saw the pixel, 1 to 12, or 0 outside the swath."""
    surface: Bytes
    """What covers the ground at the pixel's centre (its lower right quarter), a number of ``Surface``."""
    cloud: Floats
    """Share of the pixel under opaque cloud, 0 to 1."""
    cirrus: Floats
    """Thickness of cirrus, 0 to 1, mean over the pixel."""


def truth(scene: Scene, band: str, window: Window, *, resolution: int | None = None) -> Truth:
    """Tell what one band of the scene holds in a window.

    Parameters
    ----------
    scene
        The scene.
    band
        Name as in file names, for example ``B8A``.
    window
        Rows (start, stop) and columns (start, stop) of the band's own grid, or that of ``resolution``,
        zero-based, half-open.
    resolution
        Metres of a pixel, for the images of level 2A that are not of the band's own.

    Raises
    ------
    InputError
        If there is no such band.
    WindowError
        If the window is empty or reaches beyond the scene.
    """
    if band not in BY_NAME:
        message = f"There is no band {band!r}: expected one of {', '.join(BY_NAME)}."
        raise InputError(message)
    chosen = BY_NAME[band] if resolution is None else replace(BY_NAME[band], resolution=resolution)
    check_window(scene, chosen.resolution, window)
    ten = on_ten_metres(window, chosen.resolution)
    stack = layers(scene, ten)
    seen = detectors(scene, chosen, window)
    reflectance = band_reflectance(stack, seen, chosen, surface=scene.level == "L2A")
    factor = chosen.resolution // 10
    return Truth(
        reflectance=np.where(seen == 0, np.float32(np.nan), reflectance),
        digital_number=quantify(reflectance, seen),
        detector=seen,
        surface=(stack.ground[factor // 2 :: factor, factor // 2 :: factor] >> np.uint16(8)).astype(np.uint8),
        cloud=mean(stack.cloud.astype(np.float32), factor) / np.float32(255),
        cirrus=mean(stack.cirrus.astype(np.float32), factor) / np.float32(255),
    )


def check_window(scene: Scene, resolution: int, window: Window) -> None:
    """Refuse a window that is empty or reaches beyond the grid of that resolution."""
    side = scene.pixels(resolution)
    for start, stop in window:
        if not 0 <= start < stop <= side:
            message = f"Window {window} does not lie in the scene: expected rows and columns within 0:{side}."
            raise WindowError(message)


def on_ten_metres(window: Window, resolution: int) -> Window:
    """Give the window of the 10 m grid that covers the same ground."""
    factor = resolution // 10
    (top, bottom), (left, right) = window
    return (top * factor, bottom * factor), (left * factor, right * factor)


def layers(scene: Scene, window: Window) -> Layers:
    """Make what the bands are made of, in a window of the 10 m grid."""
    return Layers(ground(scene, window), clouds(scene, window), shadows(scene, window), cirrus(scene, window))


def band_reflectance(stack: Layers, seen: Bytes, band: Band, *, surface: bool = False) -> Floats:
    """Give a band's reflectance on its own grid: the mean of what its pixels of 10 m reflect.

    Parameters
    ----------
    stack
        Layers of the same ground on the 10 m grid.
    seen
        Detectors on the band's grid.
    band
        The band.
    surface
        Without what the path and cirrus add: level 2A. Opaque clouds stay, as they do in real products.
    """
    number = band.number
    tones = (np.arange(256, dtype=np.float32) + np.float32(128)) * np.float32(1 / 256)
    lit = (GROUND[:, number, None] * tones).ravel()
    light = np.take(lit, stack.ground)
    if stack.shadow.any():
        kept = np.float32(1) - np.arange(256, dtype=np.float32) * (
            (np.float32(1) - SHADOW[number]) / np.float32(255)
        )
        light *= np.take(kept, stack.shadow)
    if not surface:
        light += PATH[number]
    steps = np.arange(256, dtype=np.float32) * np.float32(1 / 255)
    if stack.cloud.any():
        white = CLOUD[number] * (np.float32(0.72) + np.float32(0.28) * steps)
        light *= np.take(np.float32(1) - steps, stack.cloud)
        light += np.take(white * steps, stack.cloud)
    if stack.cirrus.any() and not surface:
        light += np.take(CIRRUS[number] * steps, stack.cirrus)
    response = np.where(np.arange(13) % 2 == 1, 1 + DETECTOR_CONTRAST, 1 - DETECTOR_CONTRAST).astype(
        np.float32
    )
    return mean(light, band.resolution // 10) * np.take(response, seen)


def mean(fine: Floats, factor: int) -> Floats:
    """Take the mean of blocks of ``factor`` by ``factor`` pixels, always summed in the same order."""
    if factor == 1:
        return fine
    rows = fine[0::factor].copy()
    for start in range(1, factor):
        rows += fine[start::factor]
    total = rows[:, 0::factor].copy()
    for start in range(1, factor):
        total += rows[:, start::factor]
    total *= np.float32(1 / factor**2)
    return total


def quantify(reflectance: Floats, seen: Bytes) -> NDArray[np.uint16]:
    """Turn reflectance into digital numbers: rounded, 1 to 32767, and 0 where no detector saw."""
    counts = reflectance * np.float32(QUANTIFICATION)
    np.rint(counts, out=counts)
    counts -= np.float32(OFFSET)
    np.clip(counts, 1, LARGEST, out=counts)
    numbers = counts.astype(np.uint16)
    np.copyto(numbers, 0, where=seen == 0)
    return numbers


def classes(stack: Layers, seen: Bytes) -> Bytes:
    """Classify pixels of 60 m from the layers of the same ground.

    Returns
    -------
    ndarray
        Uint8, ``(3, rows, columns)``, 0 or 1: opaque clouds (half of the pixel or more), cirrus (a tenth of
        the thickest or more, where no opaque cloud is), snow or ice (half or more, where neither is).
    """
    inside = seen != 0
    opaque = inside & (mean(stack.cloud.astype(np.float32), 6) >= np.float32(127.5))
    thin = inside & ~opaque & (mean(stack.cirrus.astype(np.float32), 6) >= np.float32(25.5))
    snow = (
        inside
        & ~opaque
        & ~thin
        & (mean((stack.ground >> np.uint16(8) == Surface.SNOW).astype(np.float32), 6) >= np.float32(0.5))
    )
    return np.stack([opaque, thin, snow]).astype(np.uint8)


def classification(scene: Scene, window: Window) -> Bytes:
    """Classify a window of the 60 m grid; see ``classes`` for what is returned."""
    check_window(scene, 60, window)
    return classes(layers(scene, on_ten_metres(window, 60)), detectors(scene, BY_NAME["B01"], window))


def true_colour(numbers: NDArray[np.uint16]) -> Bytes:
    """Turn digital numbers of a colour into bytes: 0 no data, else 1 to 255 (``TRUE_COLOUR_WHITE``)."""
    table = (np.arange(LARGEST + 1, dtype=np.float32) + np.float32(OFFSET)) / np.float32(QUANTIFICATION)
    table = np.clip(np.rint(table * np.float32(255 / TRUE_COLOUR_WHITE)), 1, 255)
    table[0] = 0
    colours: Bytes = np.take(table.astype(np.uint8), numbers)
    return colours

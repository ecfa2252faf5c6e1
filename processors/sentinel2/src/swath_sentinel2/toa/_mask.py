"""The mask: one byte a pixel, one bit a reason not to use it."""

from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt
from swath.processing import Input, Output, Step, step

from swath_sentinel2.toa._bands import BandName
from swath_sentinel2.toa._clouds import CIRRUS, CLOUD, SHADOW, SNOW

__all__ = ["TINTS", "Flag", "clouds_step", "dilate", "mask", "quality_step"]

Flags = npt.NDArray[np.uint8]


class Flag(IntFlag):
    """The bits of the mask. 0 is a pixel that nothing speaks against."""

    NO_DATA = 1
    """One of the product's bands has no data here."""
    SATURATED = 2
    """One of the product's bands was saturated on board (bit 8 of the quality mask)."""
    DEFECTIVE = 4
    """One of the product's bands has a defective, lost or degraded measurement (bits 3, 4 and 5)."""
    CLOUD = 8
    """Opaque cloud: by the product's classification or by the spectral test."""
    CIRRUS = 16
    """Cirrus: by the product's classification or by the spectral test."""
    SNOW_ICE = 32
    """Snow or ice: by the product's classification or by the spectral test."""
    SHADOW = 64
    """Shadow, by the spectral test alone."""
    CLOUD_BUFFER = 128
    """Within a distance of cloud or cirrus, but neither of them."""


MASK = Output(
    "mask", "uint8", description="reasons not to use a pixel",
    attrs={
        "standard_name": "quality_flag",
        "flag_masks": [flag.value for flag in Flag],
        "flag_meanings": " ".join(str(flag.name).lower() for flag in Flag),
    },
)  # fmt: skip
"""CF conventions 1.11, section 3.5: flags as bits."""

TINTS: dict[int, tuple[int, int, int]] = {
    Flag.SNOW_ICE: (120, 140, 255),
    Flag.CIRRUS: (0, 200, 220),
    Flag.CLOUD: (255, 160, 0),
    Flag.DEFECTIVE: (255, 0, 255),
    Flag.SATURATED: (255, 0, 0),
}
"""Colours of the flags in the quick look; those that would hide too much of the picture are left out."""

# Bits of the L1C quality mask (MSK_QUALIT) as EOPF products name them: MSI_LOST, MSI_DEG,
# QT_DEFECTIVE_PIXELS, QT_NODATA_PIXELS, QT_SATURATED_PIXELS_L1A. SAFE files have a band for each bit.
_LOST, _DEGRADED, _DEFECTIVE, _NO_DATA, _SATURATED = 4, 8, 16, 32, 128
# Bits of the L1C classification (MSK_CLASSI): OPAQUE, CIRRUS, SNOW_ICE.
_OPAQUE, _CIRRUS, _SNOW_ICE = 1, 2, 4
_OF_CLASS: Flags = np.zeros(256, np.uint8)
_OF_CLASS[[CLOUD, CIRRUS, SNOW, SHADOW]] = Flag.CLOUD, Flag.CIRRUS, Flag.SNOW_ICE, Flag.SHADOW


def quality_step(bands: tuple[BandName, ...]) -> Step:
    """Return the step that makes the first three flags from these bands and their quality masks."""
    inputs = [Input(band, units="1") for band in bands]
    inputs += [Input(f"{band}_quality", "uint8") for band in bands]
    declare = step(inputs=inputs, outputs=[Output("quality", "uint8")], name="quality", memory=_masks)
    return declare(quality)


def _masks(shape: tuple[int, int]) -> int:
    """Return the bytes of the masks that :func:`quality` has at a time, however many bands there are: two."""
    return 3 * shape[0] * shape[1]


def quality(**arrays: npt.NDArray[Any]) -> Flags:
    """Flag pixels without data, and saturated and defective ones, in any band.

    Parameters
    ----------
    **arrays
        Reflectance (NaN for no data) of each band by its name, and the bits of its quality mask as
        ``<band>_quality``.
    """
    result: Flags = np.zeros(next(iter(arrays.values())).shape, np.uint8)
    for name, array in arrays.items():
        if name.endswith("_quality"):
            result |= _where(array, _NO_DATA, Flag.NO_DATA)
            result |= _where(array, _SATURATED, Flag.SATURATED)
            result |= _where(array, _LOST | _DEGRADED | _DEFECTIVE, Flag.DEFECTIVE)
        else:
            result[np.isnan(array)] |= np.uint8(Flag.NO_DATA)
    return result


def clouds_step(pixels: int) -> Step:
    """Return the step that makes the other flags, with a buffer of some pixels around cloud and cirrus."""
    inputs = [Input(name, "uint8") for name in ("spectral_class", "classification")]
    # Counts along the rows are of eight bytes, the masks that they come from of one: measured, it takes 8.1.
    declare = step(
        inputs=inputs, outputs=[Output("clouds", "uint8")], halo=pixels, name="clouds", memory=10.0
    )
    return declare(_Clouds(pixels))


@dataclass(frozen=True, slots=True)
class _Clouds:
    """The function of the step: an object, so that its number of pixels travels to the workers with it."""

    pixels: int

    def __call__(self, spectral_class: Flags, classification: Flags) -> Flags:
        """Put the product's classification and the spectral test together, and widen clouds."""
        result = _where(classification, _OPAQUE, Flag.CLOUD)
        result |= _where(classification, _CIRRUS, Flag.CIRRUS)
        result |= _where(classification, _SNOW_ICE, Flag.SNOW_ICE)
        result |= _OF_CLASS[spectral_class]
        clouds = (result & np.uint8(Flag.CLOUD | Flag.CIRRUS)) > 0
        result[dilate(clouds, self.pixels) & ~clouds] |= np.uint8(Flag.CLOUD_BUFFER)
        return result


@step(inputs=[Input("quality", "uint8"), Input("clouds", "uint8")], outputs=[MASK], name="mask")
def mask(quality: Flags, clouds: Flags) -> Flags:
    """Put all flags into one byte."""
    return quality | clouds


def dilate(mask: npt.NDArray[np.bool_], radius: int) -> npt.NDArray[np.bool_]:
    """Return the pixels whose centre is within a radius (in pixels) of the centre of one that is set.

    Row by row of the disc: what is set within a distance along a row is found with a running count, so that
    the time grows with the radius and not with its square.
    """
    result = mask.copy()
    if radius < 1 or not mask.any():
        return result
    rows, columns = mask.shape
    count = np.zeros((rows, columns + 1), np.int32)
    np.cumsum(mask, axis=1, out=count[:, 1:])
    column = np.arange(columns)
    for offset in range(min(radius, rows - 1) + 1):
        width = int(np.sqrt(radius * radius - offset * offset))
        right, left = np.minimum(column + width + 1, columns), np.maximum(column - width, 0)
        near = count[:, right] > count[:, left]
        result[offset:] |= near[: rows - offset]
        result[: rows - offset] |= near[offset:]
    return result


def _where(array: Flags, bits: int, flag: Flag) -> Flags:
    return np.where(array & np.uint8(bits), np.uint8(flag), np.uint8(0))

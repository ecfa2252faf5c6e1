"""A picture of a product: at most 1024 pixels, made block by block so that memory stays small.

Each pixel of the picture is the mean of the valid pixels in a square of the product. Brightness is stretched
linearly between two percentiles of what no flag covers: each band from its own dark end, which takes the haze
away, and all by one gain, which keeps the colours true. Flagged pixels get a tint of their own, and pixels
without data are transparent.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
import numpy.typing as npt

from swath.errors import WriteError
from swath.io.cog import PixelSource, blocks

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

__all__ = ["LARGEST", "write_quicklook"]

LARGEST = 1024
"""Longest side of the picture, pixels."""

PERCENTILES = (2.0, 98.0)
"""Of the values that no flag covers: what becomes black and what becomes white, percent."""

_OPACITY = 0.6
"""How much of a flag's tint covers the picture, between 0 and 1."""

Floats = npt.NDArray[np.float64]


def write_quicklook(
    bands: Sequence[PixelSource],
    destination: str | os.PathLike[str],
    *,
    flags: PixelSource | None = None,
    tints: Mapping[int, tuple[int, int, int]] | None = None,
    largest: int = LARGEST,
) -> Path:
    """Write a picture of one band (grey) or of three (red, green, blue).

    Parameters
    ----------
    bands
        One or three arrays of one shape ``(rows, columns)``, floating point with NaN for no data; Zarr arrays
        are read one chunk at a time.
    destination
        Path of the PNG file (8 bits, with transparency).
    flags
        Array of bit flags of the same shape; one pixel in each square of the picture is looked at.
    tints
        Bit of a flag → red, green, blue (0 to 255). Later tints cover earlier ones.
    largest
        Longest side of the picture, pixels.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    WriteError
        The number of bands or the shapes do not fit, or the file could not be written.
    """
    shapes = {tuple(band.shape) for band in [*bands, *([flags] if flags is not None else [])]}
    if len(bands) not in (1, 3) or len(shapes) != 1:
        raise WriteError(
            f"A quick look needs one or three bands and flags of one shape, and got {len(bands)} of {shapes}."
        )
    step = -(-max(bands[0].shape) // largest)
    picture = np.stack([_shrink(band, step) for band in bands], axis=-1)
    present = np.asarray(np.isfinite(picture).all(axis=-1))
    flagged = np.zeros(present.shape, np.uint64)
    if flags is not None:
        flagged = np.asarray(flags[::step, ::step]).astype(np.uint64)
    tints = dict(tints or {})
    tinted = (flagged & np.uint64(sum(tints))) > 0
    colours = _stretch(picture, present & ~tinted if (present & ~tinted).any() else present)
    if colours.shape[-1] == 1:
        colours = np.repeat(colours, 3, axis=-1)
    for bit, tint in tints.items():
        where = (flagged & np.uint64(bit)) > 0
        colours[where] = (1 - _OPACITY) * colours[where] + _OPACITY * np.array(tint)
    alpha = np.where(present, 255, 0)[..., np.newaxis]
    pixels = np.concatenate([np.where(present[..., np.newaxis], colours, 0), alpha], axis=-1)
    target = Path(destination)
    try:
        target.write_bytes(imagecodecs.png_encode(np.rint(pixels).astype(np.uint8), level=6))
    except OSError as error:
        raise WriteError(
            f"{target.name} could not be written: {error}. Is the disk full or read-only?"
        ) from error
    return target


def _shrink(band: PixelSource, step: int) -> Floats:
    """Return the mean of the valid pixels of each square of `step` pixels a side, NaN without any."""
    rows, columns = band.shape
    total = np.zeros((-(-rows // step), -(-columns // step)))
    count = np.zeros(total.shape)
    for row, column in blocks(band):
        pixels = np.asarray(band[row, column])
        valid = np.isfinite(pixels)
        # A block may begin and end inside a square: squares are summed up over blocks.
        down, across = _edges(row, step), _edges(column, step)
        part = (
            slice(row.start // step, row.start // step + len(down)),
            slice(column.start // step, column.start // step + len(across)),
        )
        total[part] += _sum_squares(np.where(valid, pixels, 0), down, across)
        count[part] += _sum_squares(valid, down, across)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / count)


def _edges(span: slice, step: int) -> list[int]:
    """Return where squares begin in a span, counted from its start; the first may have begun before."""
    return [0, *range(step - span.start % step, span.stop - span.start, step)]


def _sum_squares(block: npt.NDArray[Any], down: list[int], across: list[int]) -> Floats:
    return np.add.reduceat(np.add.reduceat(block, across, axis=1, dtype=np.float64), down, axis=0)


def _stretch(picture: Floats, judged: npt.NDArray[np.bool_]) -> Floats:
    """Bring bands to 0…255: 0 at each one's low percentile, 255 where the widest one has its high one."""
    if not judged.any():
        return np.zeros(picture.shape)
    low, high = np.percentile(picture[judged], PERCENTILES, axis=0)
    width = float((high - low).max()) or 1.0
    return np.asarray(np.clip(np.nan_to_num((picture - low) / width) * 255, 0, 255))

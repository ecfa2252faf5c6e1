"""Random fields that are pure functions of position and seed: any window gives the same values.

Only integer arithmetic and single elementwise floating-point operations are used, no sums whose order depends
on the window, so that two windows agree bit by bit where they overlap.
"""

import numpy as np
from numpy.typing import NDArray

Window = tuple[tuple[int, int], tuple[int, int]]
"""Rows (start, stop) and columns (start, stop), zero-based, half-open."""

Whole = NDArray[np.int64] | NDArray[np.int32]
"""An array of whole numbers."""

Floats = NDArray[np.float32]
"""An array of single-precision numbers."""


def scramble(rows: Whole, columns: Whole, salt: int) -> NDArray[np.uint32]:
    """Hash integer positions, broadcast against each other, to uniform 32-bit numbers."""
    # Multiply, shift and exclude: the way that MurmurHash3 ends.
    mixed: NDArray[np.uint32] = rows.astype(np.uint32) * np.uint32(0x9E3779B1)
    mixed = mixed ^ (
        columns.astype(np.uint32) * np.uint32(0x85EBCA77) + np.uint32(salt * 0xC2B2AE3D & 0xFFFFFFFF)
    )
    mixed ^= mixed >> np.uint32(15)
    mixed *= np.uint32(0x2C1B3C6D)
    mixed ^= mixed >> np.uint32(12)
    mixed *= np.uint32(0x297A2D39)
    mixed ^= mixed >> np.uint32(15)
    return mixed


def uniform(rows: NDArray[np.int64], columns: NDArray[np.int64], salt: int) -> Floats:
    """Uniform numbers in [0, 1), one for each position."""
    return (scramble(rows, columns, salt) >> np.uint32(8)).astype(np.float32) * np.float32(2.0**-24)


def clouded(
    rows: NDArray[np.int64], columns: NDArray[np.int64], *, period: int, octaves: int, salt: int
) -> Floats:
    """Fractal value noise at the nodes of a lattice.

    Parameters
    ----------
    rows, columns
        Consecutive node indices, one-dimensional.
    period
        Nodes between two independent values of the coarsest octave; halved for each further octave.
    octaves
        Number of octaves, each of half the amplitude of the one before.
    salt
        Makes one field independent of another.

    Returns
    -------
    ndarray
        Float32, ``(len(rows), len(columns))``, values in [0, 1).
    """
    total = np.zeros((rows.size, columns.size), np.float32)
    amplitude = np.float32(0.5)
    for octave in range(octaves):
        spacing = max(period >> octave, 1)
        total += amplitude * _smooth(rows, columns, spacing, salt * 31 + octave)
        amplitude *= np.float32(0.5)
    return total


def _smooth(rows: NDArray[np.int64], columns: NDArray[np.int64], spacing: int, salt: int) -> Floats:
    """Value noise with a node every ``spacing`` positions and smooth steps between."""
    first_row, first_column = rows[0] // spacing, columns[0] // spacing
    nodes = uniform(
        np.arange(first_row, rows[-1] // spacing + 2)[:, None],
        np.arange(first_column, columns[-1] // spacing + 2)[None, :],
        salt,
    )

    def step(index: NDArray[np.int64]) -> Floats:
        share = ((index % spacing) / spacing).astype(np.float32)
        return share * share * (np.float32(3) - np.float32(2) * share)

    return _between(
        nodes, rows // spacing - first_row, step(rows), columns // spacing - first_column, step(columns)
    )


def enlarge(lattice: Floats, window: Window, spacing: int) -> Floats:
    """Interpolate a lattice with a node every ``spacing`` pixels to the pixels of a window, bilinearly.

    The lattice is on the nodes that ``nodes_of`` gives for the window.
    """
    (top, bottom), (left, right) = window
    rows = np.arange(top, bottom)
    share = ((rows % spacing) / spacing).astype(np.float32)[:, None]
    at = rows // spacing - top // spacing
    bands = lattice[at] * (np.float32(1) - share) + lattice[at + 1] * share
    # Columns by broadcasting, which costs a quarter of gathering them: every gap has the same steps.
    steps = (np.arange(spacing) / spacing).astype(np.float32)
    gaps = (bands[:, 1:] - bands[:, :-1])[:, :, None] * steps
    gaps += bands[:, :-1, None]
    start = left % spacing
    pixels: Floats = gaps.reshape(bottom - top, -1)[:, start : start + right - left]
    return pixels


def nodes_of(window: Window, spacing: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the lattice nodes that ``enlarge`` needs for a window."""
    (top, bottom), (left, right) = window
    return (
        np.arange(top // spacing, (bottom - 1) // spacing + 2),
        np.arange(left // spacing, (right - 1) // spacing + 2),
    )


def _between(
    nodes: Floats, row: NDArray[np.int64], row_share: Floats, column: NDArray[np.int64], column_share: Floats
) -> Floats:
    share = row_share[:, None]
    bands = nodes[row] * (np.float32(1) - share) + nodes[row + 1] * share
    start = np.take(bands, column, axis=1)
    rise = np.take(bands[:, 1:] - bands[:, :-1], column, axis=1)
    rise *= column_share
    start += rise
    return start

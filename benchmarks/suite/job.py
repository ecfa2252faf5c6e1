"""What one process is asked to do once, and what it answers. Imported in the peer's environment, too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["BANDS", "CHUNKS", "CLASSES", "CLEAR", "GROUP", "Job"]

GROUP = "measurements/reflectance"
"""Group of the bands in the synthetic tile."""

BANDS = {
    "r10m": ("b02", "b03", "b04", "b08"),
    "r20m": ("b05", "b06", "b07", "b8a", "b11", "b12"),
    "r60m": ("b01", "b09", "b10"),
}
"""Bands of the synthetic tile by resolution; 13 as Sentinel-2 has them."""

CHUNKS = {"r10m": 1830, "r20m": 915, "r60m": 305}
"""Length of a chunk's sides, in pixels, as in EOPF products."""

CLASSES = "quality/mask/r10m/classes"
"""Path of the classes, uint8, one of which is clear ground."""

CLEAR = 4
"""Class of clear ground."""


@dataclass(frozen=True)
class Job:
    """Where a process finds its input and puts its output."""

    tile: Path
    """The synthetic tile, Zarr format 2."""
    safe: Path
    """The simulated level-1C product, a folder."""
    output: Path
    """A name that does not exist, in a folder of the process' own."""
    size: int
    """Rows and columns of the 10 m grid of the tile."""
    groups: int = 50
    """Groups of the product of many small arrays, of ten arrays each."""

    @property
    def aside(self) -> Job:
        """The same job with outputs that stay when those of what is timed are removed."""
        return replace(self, output=self.output.with_name("kept"))

    @property
    def out(self) -> Path:
        """A new name beside ``output`` for each call of what is timed."""
        number = 0
        while (found := self.output.with_name(f"{self.output.name}-{number}.zarr")).exists():
            number += 1
        return found

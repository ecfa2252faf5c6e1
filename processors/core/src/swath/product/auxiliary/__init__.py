"""Auxiliary data: processing parameters of Sentinel-2 (GIPP), the Earth's orientation, and terrain."""

from swath.product.auxiliary._earth_orientation import (
    EARTH_ORIENTATION,
    EarthOrientationReader,
    earth_orientation_at,
    read_earth_orientation,
)
from swath.product.auxiliary._elevation import read_elevation
from swath.product.auxiliary._gipp import GIPP, GippReader

__all__ = [
    "EARTH_ORIENTATION",
    "GIPP",
    "EarthOrientationReader",
    "GippReader",
    "earth_orientation_at",
    "read_earth_orientation",
    "read_elevation",
]
"""``EARTH_ORIENTATION`` and ``GIPP`` are the readers that entry points of the core name."""

"""Sentinel-2 MSI: level 1C and 2A in SAFE, of both generations of names, and the metadata of level 0."""

from swath.product.sentinel2._acquisition import open_ancillary_data
from swath.product.sentinel2._bands import BANDS, Band
from swath.product.sentinel2._level0 import L0, Level0Reader
from swath.product.sentinel2._reader import L1C_SAFE, L2A_SAFE, SafeL1CReader, SafeL2AReader

__all__ = [
    "BANDS",
    "L0",
    "L1C_SAFE",
    "L2A_SAFE",
    "Band",
    "Level0Reader",
    "SafeL1CReader",
    "SafeL2AReader",
    "open_ancillary_data",
]
"""``L0``, ``L1C_SAFE`` and ``L2A_SAFE`` are the readers that entry points of the core name."""

"""Sentinel-2 MSI level-1C in SAFE, compact format (one tile a product, since December 2016)."""

from swath.product.sentinel2._bands import BANDS, Band
from swath.product.sentinel2._reader import L1C_SAFE, SafeL1CReader

__all__ = ["BANDS", "L1C_SAFE", "Band", "SafeL1CReader"]
"""``L1C_SAFE`` is the reader that the entry point of the core names."""

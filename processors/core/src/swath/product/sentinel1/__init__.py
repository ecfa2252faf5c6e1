"""Sentinel-1 SAR: level-0 packets, and level-1 SLC and GRD in SAFE."""

from swath.product.sentinel1._level0 import L0_SAFE, PacketChunks, SafeL0Reader
from swath.product.sentinel1._level1 import L1_SAFE, SafeL1Reader

__all__ = ["L0_SAFE", "L1_SAFE", "PacketChunks", "SafeL0Reader", "SafeL1Reader"]

"""Sentinel-1 SAR: level-0 packets, and level-1 SLC and GRD in SAFE."""

from swath.product.sentinel1._level0 import L0_SAFE, PacketChunks, SafeL0Reader

__all__ = ["L0_SAFE", "PacketChunks", "SafeL0Reader"]

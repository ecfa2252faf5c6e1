"""Sentinel-1 SAR: level-0 packets, level-1 SLC and GRD in SAFE, and auxiliary data."""

from swath.product.sentinel1._auxiliary import AUX_SAFE, AuxiliaryReader
from swath.product.sentinel1._calibrate import calibrated
from swath.product.sentinel1._level0 import L0_SAFE, PacketChunks, SafeL0Reader
from swath.product.sentinel1._level1 import L1_SAFE, SafeL1Reader
from swath.product.sentinel1._orbit import ORBIT, OrbitReader, read_orbit
from swath.product.sentinel1._select import select

__all__ = [
    "AUX_SAFE",
    "L0_SAFE",
    "L1_SAFE",
    "ORBIT",
    "AuxiliaryReader",
    "OrbitReader",
    "PacketChunks",
    "SafeL0Reader",
    "SafeL1Reader",
    "calibrated",
    "read_orbit",
    "select",
]

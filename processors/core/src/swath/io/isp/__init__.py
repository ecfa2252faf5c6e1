"""Instrument source packets of the Sentinel-1 SAR, as level-0 products hold them (S1-IF-ASD-PL-0007)."""

from swath.io.isp._decode import decode_packets, ranges
from swath.io.isp._fields import FIELDS, HEADER_BYTES, SIGNALS, Field
from swath.io.isp._packets import PacketError, Packets, scan_packets

__all__ = [
    "FIELDS",
    "HEADER_BYTES",
    "SIGNALS",
    "Field",
    "PacketError",
    "Packets",
    "decode_packets",
    "ranges",
    "scan_packets",
]

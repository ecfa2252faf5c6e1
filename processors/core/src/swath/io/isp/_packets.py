"""Finding the packets of a file by their headers, without their user data."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.errors import ProductError
from swath.io.isp._fields import HEADER_BYTES, SYNC_MARKER, extract

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["PacketError", "Packets", "scan_packets"]


class PacketError(ProductError):
    """A packet is truncated, or is none, or its user data is not what its header says."""


@dataclass(frozen=True, slots=True)
class Packets:
    """Packets of a file: where they are and what their headers say."""

    store: Store
    name: str
    """The file."""
    numbers: npt.NDArray[np.int64] = field(repr=False)
    """Number of each packet in the file, from 0 on."""
    starts: npt.NDArray[np.int64] = field(repr=False)
    """First byte of each packet in the file."""
    headers: npt.NDArray[np.uint8] = field(repr=False)
    """Bytes of the two headers (packet, 68)."""

    def __len__(self) -> int:
        return len(self.starts)

    def __getitem__(self, chosen: slice | npt.NDArray[Any]) -> Packets:
        return Packets(self.store, self.name, self.numbers[chosen], self.starts[chosen], self.headers[chosen])

    def field(self, name: str) -> npt.NDArray[np.unsignedinteger]:
        """Return a field of all headers; the names are those of :data:`swath.io.isp.FIELDS`."""
        return extract(self.headers, name)

    @property
    def sizes(self) -> npt.NDArray[np.int64]:
        """Bytes of each packet, its headers included."""
        return self.field("packet_data_length").astype(np.int64) + 7

    @property
    def quads(self) -> npt.NDArray[np.int64]:
        """Quads of each packet; each is two complex samples."""
        return self.field("radar_sample_count_service").astype(np.int64)

    def error(self, index: int, told: str) -> PacketError:
        """Return the error that says what is wrong with a packet."""
        return PacketError(
            f"{self.store.location}: {self.name}: packet {self.numbers[index]} at byte {self.starts[index]} "
            f"{told}; get the product again, or leave the packet out"
        )


def scan_packets(store: Store, name: str) -> Packets:
    """Find the packets of a file: each header tells how long its packet is, so user data is passed over.

    Raises
    ------
    PacketError
        A header is not one of Sentinel-1's SAR packets, or the file ends within a packet.
    """
    total = store.size(name)
    starts: list[int] = []
    headers = bytearray()
    position = 0
    with store.opened(name) as read:
        while position < total:
            header = read(position, position + HEADER_BYTES)
            told = _wrong(header, total - position)
            if told:
                raise PacketError(
                    f"{store.location}: {name}: packet {len(starts)} at byte {position} {told}; "
                    "get the product again"
                )
            starts.append(position)
            headers += header
            position += int.from_bytes(header[4:6], "big") + 7
    count = len(starts)
    raw = np.frombuffer(bytes(headers), np.uint8).reshape(count, HEADER_BYTES)
    return Packets(store, name, np.arange(count), np.array(starts, np.int64), raw)


_START = struct.Struct(">HHH6xI")


def _wrong(header: bytes, left: int) -> str:
    """Tell what is wrong with the start of a packet, or nothing."""
    if len(header) < HEADER_BYTES:
        return f"is cut within its header ({len(header)} of {HEADER_BYTES} bytes)"
    first, _, length, marker = _START.unpack_from(header)
    if marker != SYNC_MARKER:
        return f"has the synchronisation marker {marker:#x}, expected {SYNC_MARKER:#x}: it is no SAR packet"
    if first & 0xF800 != 0x0800:
        return f"starts with {first:#06x}, expected a packet of version 0 with a secondary header"
    if length + 7 < HEADER_BYTES:
        return f"claims {length + 7} bytes, its headers alone have {HEADER_BYTES}"
    if length + 7 > left:
        return f"claims {length + 7} bytes, but the file has {left} more"
    return ""

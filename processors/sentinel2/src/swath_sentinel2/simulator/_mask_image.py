"""Masks as JPEG 2000 images, written tile by tile, equal tiles encoded once.

A mask is constant over most of its tiles, yet an encoder spends nearly as long on each as on a picture.
Here each tile is encoded alone, a constant one once, and put wherever it is needed in one codestream
(ISO/IEC 15444-1, annex A). That is exact because masks are written without wavelet decomposition: code
blocks of 64 by 64 are then laid from the canvas' origin, and each tile begins at a multiple of 64. The file
format around it is JP2 (annex I), georeferenced as GeoJP2 and GMLJP2 like Sentinel-2's own.
"""

import struct
from collections.abc import Callable
from pathlib import Path

import imagecodecs
import numpy as np
from numpy.typing import NDArray

from swath_sentinel2.simulator._georeference import Georeference, jp2_boxes
from swath_sentinel2.simulator._noise import Window

Bytes = NDArray[np.uint8]

_SOT, _SOD, _EOC = 0xFF90, b"\xff\x93", b"\xff\xd9"
_TILE_HEADER = struct.Struct(">HHHIBB")
"""SOT, its length, tile number, length of the tile-part, its number, number of tile-parts."""


def write_mask(
    path: Path,
    *,
    side: int,
    tile: int,
    components: int,
    bits: int,
    place: Georeference,
    pixels: Callable[[Window], Bytes],
) -> None:
    """Write a square mask.

    Parameters
    ----------
    path
        File to write.
    side
        Rows and columns.
    tile
        Rows and columns of a tile, a multiple of 64.
    components
        Number of components.
    bits
        Bits of a sample, 1 to 8: the fewer, the faster, for samples are coded as distances from their middle.
    place
        Where the mask lies.
    pixels
        Gives the pixels of a window: uint8, ``(rows, columns, components)``.
    """
    encoder = _Encoder(components, bits)
    parts: list[bytes] = []
    for top in range(0, side, tile):
        for left in range(0, side, tile):
            window = (top, min(top + tile, side)), (left, min(left + tile, side))
            parts.append(encoder.tile_part(pixels(window), len(parts)))
    codestream = encoder.main_header(side, tile) + b"".join(parts) + _EOC
    size = len(codestream) + 8
    boxes = jp2_boxes(side=side, components=components, bits=bits, place=place)
    path.write_bytes(boxes + struct.pack(">I4s", size, b"jp2c") + codestream)


class _Encoder:
    """Encodes tiles of one image, a component at a time, and remembers the constant ones.

    With one layer, one resolution and one precinct, a tile holds one packet for each component, and a packet
    depends on its component alone.
    """

    def __init__(self, components: int, bits: int) -> None:
        self._components = components
        self._bits = bits
        self._known: dict[tuple[int, ...], bytes] = {}
        self._header = b""

    def tile_part(self, pixels: Bytes, number: int) -> bytes:
        """Encode one tile as a tile-part with that tile number."""
        packets = b"".join(self._packet(pixels[:, :, component]) for component in range(self._components))
        length = _TILE_HEADER.size + len(_SOD) + len(packets)
        return _TILE_HEADER.pack(_SOT, 10, number, length, 0, 1) + _SOD + packets

    def main_header(self, side: int, tile: int) -> bytes:
        """Give the image's main header: that of a tile alone, with other sizes and number of components."""
        (length,) = struct.unpack_from(">H", self._header, 4)
        size = struct.pack(">8I", side, side, 0, 0, tile, tile, 0, 0)
        components = struct.pack(">H", self._components) + bytes([self._bits - 1, 1, 1]) * self._components
        return (
            self._header[:4]
            + struct.pack(">HH", 38 + 3 * self._components, 0)
            + size
            + components
            + self._header[4 + length :]
        )

    def _packet(self, plane: Bytes) -> bytes:
        low, high = int(plane.min()), int(plane.max())
        known = self._known.get((low, *plane.shape)) if low == high else None
        if known is not None:
            return known
        code = bytes(
            imagecodecs.jpeg2k_encode(
                np.ascontiguousarray(plane),
                level=0,
                reversible=True,
                codecformat="j2k",
                resolutions=1,
                bitspersample=self._bits,
            )
        )
        start = _tile_start(code)
        self._header = code[:start]
        packet = code[code.index(_SOD, start) + len(_SOD) : -len(_EOC)]
        if low == high:
            self._known[low, *plane.shape] = packet
        return packet


def _tile_start(code: bytes) -> int:
    """Find the first SOT marker by stepping from segment to segment of the main header."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", code, at)
        if marker == _SOT:
            return at
        at += 2 + length

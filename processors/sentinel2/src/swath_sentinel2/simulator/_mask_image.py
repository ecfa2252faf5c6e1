"""Masks as JPEG 2000 images, written tile by tile, equal tiles encoded once.

A mask is constant over most of its tiles, yet an encoder spends as long on each as on a picture. Here each distinct
tile is encoded alone and its tile-part put wherever it is needed in one codestream (ISO/IEC 15444-1, annex A). That
is exact because masks are written without wavelet decomposition: code blocks of 64 by 64 are then laid from the
canvas' origin, and each tile begins at a multiple of 64. The file format around it is JP2 (annex I), georeferenced
as GeoJP2 and GMLJP2 like Sentinel-2's own.
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

_SIZ, _SOT, _EOC = 0xFF51, 0xFF90, b"\xff\xd9"


def write_mask(
    path: Path,
    *,
    side: int,
    tile: int,
    components: int,
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
        Rows and columns of a tile, a multiple of 64 unless there is only one.
    components
        Number of components.
    place
        Where the mask lies.
    pixels
        Gives the pixels of a window: uint8, ``(rows, columns, components)``.
    """
    encoder = _Encoder(components)
    parts: list[bytes] = []
    for top in range(0, side, tile):
        for left in range(0, side, tile):
            window = (top, min(top + tile, side)), (left, min(left + tile, side))
            parts.append(encoder.tile_part(pixels(window), len(parts)))
    codestream = encoder.main_header(side, tile) + b"".join(parts) + _EOC
    size = len(codestream) + 8
    boxes = jp2_boxes(side=side, components=components, place=place)
    path.write_bytes(boxes + struct.pack(">I4s", size, b"jp2c") + codestream)


class _Encoder:
    """Encodes tiles of one image and remembers those it has encoded."""

    def __init__(self, components: int) -> None:
        self._components = components
        self._known: dict[bytes, bytes] = {}
        self._header = b""

    def tile_part(self, pixels: Bytes, number: int) -> bytes:
        """Encode one tile as a tile-part with that tile number."""
        low, high = pixels.min(), pixels.max()
        # Most tiles are constant: their key is a value and a shape, not a digest of a million bytes.
        key = bytes([low]) + struct.pack(">II", *pixels.shape[:2]) if low == high else pixels.tobytes()
        body = self._known.get(key)
        if body is None:
            body = self._encode(pixels)
            if low == high:
                self._known[key] = body
        return body[:4] + struct.pack(">H", number) + body[6:]

    def main_header(self, side: int, tile: int) -> bytes:
        """Give the main header of the whole image: that of a tile alone with other sizes in its SIZ segment."""
        header = bytearray(self._header)
        marker, capabilities = struct.unpack_from(">H2xH", header, 2)
        if marker != _SIZ or capabilities != 0:
            message = "The encoder wrote an unexpected main header."
            raise RuntimeError(message)
        struct.pack_into(">8I", header, 8, side, side, 0, 0, tile, tile, 0, 0)
        return bytes(header)

    def _encode(self, pixels: Bytes) -> bytes:
        alone = pixels[:, :, 0] if self._components == 1 else pixels
        code = bytes(
            imagecodecs.jpeg2k_encode(
                np.ascontiguousarray(alone),
                level=0,
                reversible=True,
                codecformat="j2k",
                resolutions=1,
                mct=False,
            )
        )
        start = _tile_start(code)
        self._header = code[:start]
        (length,) = struct.unpack_from(">I", code, start + 6)
        return code[start : start + length] if length else code[start : -len(_EOC)]


def _tile_start(code: bytes) -> int:
    """Find the first SOT marker by stepping from segment to segment of the main header."""
    at = 2
    while True:
        marker, length = struct.unpack_from(">HH", code, at)
        if marker == _SOT:
            return at
        at += 2 + length

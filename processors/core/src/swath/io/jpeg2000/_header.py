"""What the front of a JPEG 2000 file tells: the boxes of JP2 and the main header of the codestream."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from swath.errors import ProductError
from swath.io.jpeg2000._georeference import GEOTIFF_UUID, Georeference, of_geotiff, of_gml

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath.io.store import Store

__all__ = ["EOC", "FRONT", "SOT", "Header", "Siz", "read_header", "segments"]

SOC, SOT, EOC, SIZ, COD, QCD = 0xFF4F, 0xFF90, 0xFFD9, 0xFF51, 0xFF52, 0xFF5C
TLM, PPM = 0xFF55, 0xFF60

_SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
FRONT = 8192
"""Bytes read at first; the boxes and the main header of a Sentinel-2 image are some three thousand."""
_MAX_FRONT = 4 << 20
"""Most bytes that may lie before the first tile."""
_MAX_TILE = 1 << 31
"""Most bytes that one tile may decode to."""
_SIZ = struct.Struct(">H8IH")


@dataclass(frozen=True, slots=True)
class Siz:
    """The image and tile size segment (A.5.1), in samples of the reference grid."""

    capabilities: int
    width: int
    height: int
    left: int
    top: int
    tile_width: int
    tile_height: int
    tile_left: int
    tile_top: int
    components: int
    rest: bytes
    """Depth and sampling of each component, three bytes each."""

    def encode(self) -> bytes:
        """Return the segment with its marker and length."""
        body = _SIZ.pack(
            self.capabilities, self.width, self.height, self.left, self.top,
            self.tile_width, self.tile_height, self.tile_left, self.tile_top, self.components,
        ) + self.rest  # fmt: skip
        return struct.pack(">HH", SIZ, len(body) + 2) + body


@dataclass(frozen=True, slots=True)
class Header:
    """All that is known of an image before a tile is read."""

    name: str
    """File in the product."""
    shape: tuple[int, int]
    """Rows and columns of the image."""
    tile_shape: tuple[int, int]
    """Rows and columns of a codec tile; those at the lower and right edges may be smaller."""
    components: int
    """Number of components (bands)."""
    bits: int
    """Bits a sample."""
    signed: bool
    siz: Siz
    main: bytes
    """Segments of the main header after SIZ that every tile needs (A.5 to A.9, without pointers and
    lengths)."""
    lengths: tuple[tuple[int, int], ...]
    """Tile and bytes of each tile-part in order, from TLM segments; empty where the file has none."""
    start: int
    """Offset of the first tile-part in the file, in bytes."""
    stop: int
    """Offset of the end of the codestream in the file, exclusive."""
    georeference: Georeference | None
    """Where the image lies on the ground; None where the file does not tell."""

    @property
    def dtype(self) -> np.dtype[np.integer]:
        """Type of the decoded samples."""
        width = 8 if self.bits <= 8 else 16 if self.bits <= 16 else 32
        return np.dtype(f"{'int' if self.signed else 'uint'}{width}")

    @property
    def tiles(self) -> tuple[int, int]:
        """Number of rows and columns of tiles."""
        rows, columns = (-(-n // size) for n, size in zip(self.shape, self.tile_shape, strict=True))
        return rows, columns


class _Front:
    """The first bytes of a file, read in growing pieces."""

    def __init__(self, store: Store, name: str) -> None:
        self.store, self.name = store, name
        self.size = store.size(name)
        self._data = b""

    def take(self, start: int, length: int) -> bytes:
        """Return bytes of the front; a cut header is an error here."""
        stop = start + length
        if stop > self.size:
            raise ProductError(
                f"{self.store.location}: {self.name} is truncated within its header (it has {self.size} "
                f"bytes, the "
                f"header goes on to byte {stop}); get the product again"
            )
        if stop > _MAX_FRONT:
            raise self.corrupt(f"more than {_MAX_FRONT} bytes before the first tile")
        while stop > len(self._data):
            wanted = max(stop, FRONT, 2 * len(self._data))
            self._data += self.store.read_range(self.name, len(self._data), wanted)
        return self._data[start:stop]

    def cut(self, stop: int) -> ProductError:
        """Return the error that says that the header goes on to a byte which the file does not have."""
        return ProductError(
            f"{self.store.location}: {self.name} is truncated within its header (it has {self.size} "
            f"bytes, the "
            f"header goes on to byte {stop}); get the product again"
        )

    def corrupt(self, told: str) -> ProductError:
        """Return the error that says what is wrong with the file."""
        where = f"{self.store.location}: {self.name}"
        return ProductError(
            f"{where} is not a JPEG 2000 image that can be read: {told}; get the product again"
        )


def read_header(store: Store, name: str) -> Header:
    """Parse the boxes and the main header of an image; reads only these.

    Raises
    ------
    ProductError
        No JPEG 2000 image, cut within its header, shorter than its codestream's box says, or of a kind that
        Sentinel products do not have (subsampled components, components of different depths).
    """
    front = _Front(store, name)
    start, stop, georeference = _boxes(front)
    if stop > front.size:
        raise ProductError(
            f"{store.location}: {name} is truncated: it has {front.size} bytes, its header tells of {stop}; "
            "get the product again"
        )
    return _main_header(front, start, stop, georeference)


def _boxes(front: _Front) -> tuple[int, int, Georeference | None]:
    """Return where the codestream starts and stops, and the georeference of the boxes before it (I.4)."""
    if front.take(0, 2) == struct.pack(">H", SOC):
        return 0, front.size, None
    if front.take(0, min(12, front.size)) != _SIGNATURE:
        raise front.corrupt(f"it starts with {front.take(0, min(12, front.size)).hex(' ')}")
    georeference: Georeference | None = None
    for kind, begin, end in _walk(front, 0, front.size):
        if kind == b"jp2c":
            return begin, end, georeference
        if kind == b"uuid" and front.take(begin, 16) == GEOTIFF_UUID:
            georeference = of_geotiff(front.take(begin + 16, end - begin - 16)) or georeference
        if kind == b"asoc" and georeference is None:
            georeference = _of_association(front, begin, end)
    raise front.corrupt("it has no codestream")


def _walk(front: _Front, position: int, stop: int) -> Iterator[tuple[bytes, int, int]]:
    """Go over boxes: type, and where the content begins and ends."""
    while position + 8 <= stop:
        length, kind = struct.unpack(">I4s", front.take(position, 8))
        begin = position + 8
        if length == 1:
            length, begin = struct.unpack(">Q", front.take(begin, 8))[0], position + 16
        end = stop if length == 0 else position + length
        if end < begin:
            raise front.corrupt(f"a box of {length} bytes at byte {position}")
        yield kind, begin, end
        position = end
    if position > front.size:
        raise front.cut(position)


def _of_association(front: _Front, begin: int, end: int, depth: int = 0) -> Georeference | None:
    """Look for GMLJP2 in an association box (OGC 05-047r2): nested boxes with an XML box at the bottom."""
    for kind, inner, stop in _walk(front, begin, end):
        if kind == b"asoc" and depth < 4:
            found = _of_association(front, inner, stop, depth + 1)
            if found:
                return found
        if kind == b"xml ":
            return of_gml(front.take(inner, stop - inner), front.name)
    return None


def segments(front: _Front, position: int) -> Iterator[tuple[int, int, bytes]]:
    """Go over the segments of the main header: marker, offset, content; the first SOT is the last one."""
    while True:
        (marker,) = struct.unpack(">H", front.take(position, 2))
        if marker == SOT:
            yield marker, position, b""
            return
        (length,) = struct.unpack(">H", front.take(position + 2, 2))
        if marker < 0xFF4F or length < 2:
            raise front.corrupt(f"no marker at byte {position} of its main header")
        yield marker, position, front.take(position + 4, length - 2)
        position += 2 + length


def _main_header(front: _Front, start: int, stop: int, georeference: Georeference | None) -> Header:
    if front.take(start, 2) != struct.pack(">H", SOC):
        raise front.corrupt("its codestream does not start with SOC")
    siz: Siz | None = None
    main, seen, first = b"", set(), 0
    lengths: list[tuple[int, int]] = []
    for marker, position, content in segments(front, start + 2):
        seen.add(marker)
        if marker == SOT:
            first = position
        elif marker == SIZ:
            siz = _siz(front, content)
        elif marker == PPM:
            raise front.corrupt("packed packet headers (PPM), which cannot be divided by tiles here")
        elif marker == TLM:
            lengths += _tile_lengths(front, content, len(lengths))
        elif marker not in (0xFF57, 0xFF58, 0xFF64):  # PLM, PLT and COM: of no use to a tile
            main += struct.pack(">HH", marker, len(content) + 2) + content
    if siz is None or not {COD, QCD} <= seen:
        raise front.corrupt("its main header lacks SIZ, COD or QCD")
    bits = (siz.rest[0] & 0x7F) + 1
    header = Header(
        name=front.name,
        shape=(siz.height - siz.top, siz.width - siz.left),
        tile_shape=(min(siz.tile_height, siz.height - siz.top), min(siz.tile_width, siz.width - siz.left)),
        components=siz.components, bits=bits, signed=bool(siz.rest[0] & 0x80),
        siz=siz, main=main, lengths=tuple(lengths), start=first, stop=stop, georeference=georeference,
    )  # fmt: skip
    _check(front, header)
    return header


def _siz(front: _Front, content: bytes) -> Siz:
    if len(content) < _SIZ.size:
        raise front.corrupt("a SIZ segment that is too short")
    siz = Siz(*(*_SIZ.unpack_from(content), content[_SIZ.size :]))
    inside = siz.left < siz.width and siz.top < siz.height and siz.tile_width > 0 and siz.tile_height > 0
    if not inside or siz.components < 1 or len(siz.rest) != 3 * siz.components:
        raise front.corrupt("a SIZ segment that describes no image")
    if (siz.left, siz.top) != (siz.tile_left, siz.tile_top):
        raise front.corrupt("an image that does not start at the corner of a tile")
    if any(siz.rest[k] != siz.rest[0] for k in range(0, len(siz.rest), 3)):
        raise front.corrupt("components of different depths")
    if any(siz.rest[k + 1 : k + 3] != b"\1\1" for k in range(0, len(siz.rest), 3)):
        raise front.corrupt("subsampled components")
    return siz


def _check(front: _Front, header: Header) -> None:
    """Refuse sizes that no image of a product has, before memory is taken for them."""
    rows, columns = header.tiles
    if rows * columns > 65535 or header.bits > 32:
        raise front.corrupt(
            f"{rows} x {columns} tiles of {header.bits} bits; at most 65535 of 32 are possible"
        )
    tile = header.tile_shape[0] * header.tile_shape[1] * header.components * header.dtype.itemsize
    if tile > _MAX_TILE:
        raise front.corrupt(f"tiles of {tile} bytes decoded; at most {_MAX_TILE} can be handled")


def _tile_lengths(front: _Front, content: bytes, before: int) -> list[tuple[int, int]]:
    """Read a TLM segment (A.7.1): tile and bytes of each tile-part."""
    if len(content) < 2:
        raise front.corrupt("a TLM segment that is too short")
    tile_bytes, length_bytes = (content[1] >> 4) & 3, 4 if content[1] & 0x40 else 2
    step = tile_bytes + length_bytes
    if tile_bytes == 3 or (len(content) - 2) % step:
        raise front.corrupt("a TLM segment that makes no sense")
    found = []
    for number, at in enumerate(range(2, len(content), step)):
        tile = int.from_bytes(content[at : at + tile_bytes]) if tile_bytes else before + number
        found.append((tile, int.from_bytes(content[at + tile_bytes : at + step])))
    return found

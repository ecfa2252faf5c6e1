"""Where each tile's bytes are, and decoding one tile from them alone."""

from __future__ import annotations

import struct
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from swath.errors import ProductError
from swath.io.jpeg2000._header import EOC, SOT, Header
from swath.io.metering import Counts, count

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from swath.io.store import Store

__all__ = ["TileIndex", "index_tiles", "read_tile"]

_SOT = struct.Struct(">HHHIBB")
"""Marker, length, tile, bytes of the tile-part from the marker on, number of the part, number of parts
(A.4.2)."""


_SCANNED = 1 << 25
"""Bytes of a remote image without TLM segments that is read whole to find its tiles."""


@dataclass(frozen=True, slots=True)
class TileIndex:
    """Where the tile-parts of an image are in its file."""

    parts: tuple[tuple[tuple[int, int], ...], ...]
    """For each tile, row by row, the start and stop (exclusive) of its parts in the file, in bytes."""

    def tile_bytes(self, tile: int) -> int:
        """Return the bytes of a tile's parts together."""
        return sum(stop - start for start, stop in self.parts[tile])

    def runs(self, tile: int) -> list[tuple[int, int]]:
        """Return the ranges of a tile's parts, those that touch as one."""
        return _merge(self.parts[tile])


def index_tiles(store: Store, header: Header) -> TileIndex:
    """Find all tile-parts: from the TLM segments, or else by going from one tile-part's header to the next.

    Raises
    ------
    ProductError
        The file ends before its tiles do, tiles are missing, or a header makes no sense.
    """
    rows, columns = header.tiles
    parts: list[list[tuple[int, int]]] = [[] for _ in range(rows * columns)]
    position = header.start
    for tile, length in header.lengths or _walk(store, header):
        if tile >= len(parts) or length < _SOT.size:
            raise _corrupt(
                store, header, f"a tile-part of tile {tile} with {length} bytes at byte {position}"
            )
        if position + length > header.stop:
            end = position + length
            raise ProductError(
                f"{store.location}: {header.name} is truncated: its tiles go on to byte {end}, it ends at "
                f"byte {header.stop}; get the product again"
            )
        parts[tile].append((position, position + length))
        position += length
    empty = [number for number, found in enumerate(parts) if not found]
    if empty:
        raise ProductError(
            f"{store.location}: {header.name} is truncated: {len(empty)} of its {len(parts)} tiles are "
            f"missing "
            f"(the first is tile {empty[0]}); get the product again"
        )
    return TileIndex(tuple(tuple(found) for found in parts))


def _walk(store: Store, header: Header) -> list[tuple[int, int]]:
    """Return tile and length of all tile-parts, from their headers, up to the end of the codestream."""
    found = []
    position = header.start
    span = header.stop - header.start
    if store.remote and span <= _SCANNED:
        # One request in the place of one a tile.
        data = store.read_range(header.name, header.start, header.stop)
        read: Callable[[int, int], bytes] = partial(_cut, data, header.start)
    else:
        read = partial(store.read_range, header.name)
    while position + _SOT.size <= header.stop:
        fields = read(position, position + _SOT.size)
        marker, _, tile, length, _, _ = _SOT.unpack(fields)
        if marker == EOC:
            break
        if marker != SOT:
            raise _corrupt(store, header, f"no tile-part at byte {position}")
        if length == 0:
            # The last tile-part may leave its length untold: it goes on to the end of the codestream.
            length = header.stop - position
            if read(header.stop - 2, header.stop) == struct.pack(">H", EOC):
                length -= 2
        found.append((tile, length))
        position += max(length, _SOT.size)
    return found


def _cut(data: bytes, first: int, start: int, stop: int) -> bytes:
    """Return a range of a file of which ``data`` is there from byte ``first`` on."""
    return data[start - first : stop - first]


def read_tile(store: Store, index: TileIndex, header: Header, row: int, column: int) -> npt.NDArray[Any]:
    """Read and decode one tile: exactly its own bytes are read.

    Returns
    -------
    Array of ``(rows, columns)``, or ``(rows, columns, components)`` where the image has several.

    Raises
    ------
    ProductError
        The tile's bytes are not there, or cannot be decoded.
    """
    import imagecodecs  # noqa: PLC0415 -- heavy, and only needed where pixels are read

    tile = row * header.tiles[1] + column
    codestream = _one_tile(store, header, index.parts[tile], row, column)
    count(Counts(chunks=1))
    told = f"tile {tile} (row {row}, column {column})"
    try:
        data = imagecodecs.jpeg2k_decode(codestream)
    except (imagecodecs.Jpeg2kError, ValueError) as error:
        raise _corrupt(store, header, f"{told} cannot be decoded ({error})") from error
    top, left = row * header.tile_shape[0], column * header.tile_shape[1]
    shape = (
        min(header.tile_shape[0], header.shape[0] - top),
        min(header.tile_shape[1], header.shape[1] - left),
    )
    expected = shape if header.components == 1 else (*shape, header.components)
    if data.shape != expected or data.dtype != header.dtype:
        raise _corrupt(
            store, header, f"{told} decodes to {data.dtype} {data.shape}, not {header.dtype} {expected}"
        )
    found: npt.NDArray[Any] = data
    return found


def _one_tile(
    store: Store, header: Header, parts: tuple[tuple[int, int], ...], row: int, column: int
) -> bytes:
    """Return a codestream whose only tile is the one wanted.

    The image area shrinks to the tile, at its place on the reference grid: there lie the same precincts and
    code blocks, so that the tile decodes to the same samples as within the whole image.
    """
    siz = header.siz
    left, top = siz.tile_left + column * siz.tile_width, siz.tile_top + row * siz.tile_height
    alone = replace(
        siz,
        left=left, top=top, tile_left=left, tile_top=top,
        width=min(left + siz.tile_width, siz.width), height=min(top + siz.tile_height, siz.height),
    )  # fmt: skip
    pieces = [b"\xff\x4f", alone.encode(), header.main]
    for start, stop in _merge(parts):
        run = store.read_range(header.name, start, stop)
        if len(run) != stop - start:
            raise ProductError(
                f"{store.location}: {header.name} is truncated: bytes {start} to {stop} should be there, "
                f"and were when "
                "it was opened; get the product again"
            )
        for begin, end in parts:
            if start <= begin and end <= stop:
                part = run[begin - start : end - start]
                marker, length, tile, _, number, total = _SOT.unpack_from(part)
                if marker != SOT or tile != row * header.tiles[1] + column:
                    raise _corrupt(store, header, f"no part of tile ({row}, {column}) at byte {begin}")
                pieces += [_SOT.pack(marker, length, 0, end - begin, number, total), part[_SOT.size :]]
    pieces.append(struct.pack(">H", EOC))
    return b"".join(pieces)


def _merge(parts: tuple[tuple[int, int], ...]) -> list[tuple[int, int]]:
    """Join ranges that touch, so that they are one request."""
    runs: list[tuple[int, int]] = []
    for start, stop in parts:
        if runs and runs[-1][1] == start:
            runs[-1] = (runs[-1][0], stop)
        else:
            runs.append((start, stop))
    return runs


def _corrupt(store: Store, header: Header, told: str) -> ProductError:
    return ProductError(f"{store.location}: {header.name} is corrupt: {told}; get the product again")

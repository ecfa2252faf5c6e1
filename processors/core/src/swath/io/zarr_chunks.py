"""Chunks of numbers that are packed by Blosc, or not at all, without Zarr's own machinery.

That machinery goes through an event loop, once a chunk, for whatever codecs and stores there are. Most arrays
of EOPF products need one codec and one file a chunk: reading and writing them costs then what the codec does.

Sources: Zarr storage specification version 2; Zarr core specification version 3 with the codecs ``bytes`` and
``blosc``; the header of C-Blosc 1 (README_CHUNK_FORMAT: sizes at bytes 4 to 16, little-endian).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["ChunkCodec", "blosc"]

_NUMBERS = "biufc"
"""Kinds of types that are packed as they lie in memory."""

_HEADER = 16
"""Bytes of Blosc's header."""

_SHUFFLES = {"noshuffle": 0, "shuffle": 1, "bitshuffle": 2}
"""Names of format 3 → numbers of format 2."""


@dataclass(frozen=True, slots=True)
class ChunkCodec:
    """How the chunks of an array are stored."""

    shape: tuple[int, ...]
    """Length of a chunk along each dimension; chunks at the edges are stored whole."""
    dtype: np.dtype[Any]
    """Type of the stored values."""
    fill: Any
    """Value of chunks that are not stored, None where the format leaves it open."""
    blosc: tuple[str, int, int] | None
    """Compressor, level and shuffle; None where nothing is packed."""
    prefix: str
    """What a chunk's name begins with: ``c/`` in format 3."""
    separator: str
    """What stands between the numbers of a chunk's name."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> ChunkCodec | None:
        """Return how the array of a document is stored, None where it takes Zarr itself to know."""
        try:
            found = _of_2(document) if document["zarr_format"] == 2 else _of_3(document)
        except (TypeError, ValueError):
            return None  # a type or a fill value told in a way that Zarr knows
        if found is None or found.dtype.kind not in _NUMBERS:
            return None
        shape = document["shape"]
        sound = len(shape) == len(found.shape) and all(isinstance(n, int) for n in (*shape, *found.shape))
        return found if sound and min(shape, default=0) >= 0 < min(found.shape, default=1) else None

    @property
    def size(self) -> int:
        """Bytes of a chunk, unpacked."""
        return math.prod(self.shape) * self.dtype.itemsize

    def encode_chunk_key(self, place: tuple[int, ...]) -> str:
        """Return the name of a chunk's file in its array; named as Zarr's metadata names it."""
        if not place:
            return "c" if self.prefix else "0"
        return self.prefix + self.separator.join(map(str, place))

    def decode(self, data: bytes, place: str) -> npt.NDArray[Any]:
        """Unpack a chunk; ``place`` names it in messages.

        Raises
        ------
        ValueError
            It is cut off, or holds another number of bytes than a chunk has.
        """
        if self.blosc is None:
            _expect(len(data), self.size, place)
            return np.frombuffer(bytearray(data), self.dtype).reshape(self.shape)
        # The codec itself trusts the header: sizes are compared before it writes anywhere.
        if len(data) < _HEADER:
            raise ValueError(f"{place} ends within its header")
        _expect(int.from_bytes(data[4:8], "little"), self.size, place)
        _expect(len(data), int.from_bytes(data[12:16], "little"), place)
        chunk = np.empty(self.shape, self.dtype)
        self._packer().decode(data, out=chunk)
        return chunk

    def encode(self, block: npt.NDArray[Any]) -> bytes | memoryview | None:
        """Pack a block as a chunk: it is widened to a whole chunk at the edges of the array.

        None where all of it is the fill value, so that nothing is stored.
        """
        if self._empty(block):
            return None
        chunk = block
        if block.shape != self.shape:
            chunk = np.full(self.shape, 0 if self.fill is None else self.fill, self.dtype)
            chunk[tuple(slice(length) for length in block.shape)] = block
        chunk = np.ascontiguousarray(chunk, self.dtype)
        if self.blosc is None:
            return chunk.reshape(-1).view(np.uint8).data
        packed: bytes = self._packer().encode(chunk)
        return packed

    def _packer(self) -> Any:
        return blosc(*(self.blosc or ("zstd", 3, 2)))

    def empty(self) -> npt.NDArray[Any]:
        """Return a chunk that is not stored: one number, seen as often as the chunk has it."""
        return np.broadcast_to(np.asarray(0 if self.fill is None else self.fill, self.dtype), self.shape)

    def _empty(self, block: npt.NDArray[Any]) -> bool:
        if self.fill is None or block.size == 0:
            return False
        fill = np.asarray(self.fill, self.dtype)
        missing = bool(fill != fill)  # noqa: PLR0124 -- NaN alone differs from itself
        first = block.flat[0]
        if not (first != first if missing else first == fill):  # noqa: PLR0124
            return False  # most chunks are done with by one look
        return bool(np.isnan(block).all() if missing else (block == fill).all())


@cache
def blosc(compressor: str, level: int, shuffle: int) -> Any:
    """Return the codec, which works in the thread that calls it: whoever wants more threads has them."""
    from numcodecs import Blosc  # type: ignore[import-untyped]  # noqa: PLC0415 -- ships no types
    from numcodecs import blosc as library  # noqa: PLC0415

    # Called by the main thread, it would share a chunk of a few kilobytes between threads, and wait for them;
    # Zarr itself turns that off as well.
    library.use_threads = False
    return Blosc(compressor, level, shuffle)


def _expect(found: int, expected: int, place: str) -> None:
    if found != expected:
        raise ValueError(f"{place} has {found} bytes where {expected} are expected")


def _of_2(document: Mapping[str, Any]) -> ChunkCodec | None:
    told, kind = document["compressor"], document["dtype"]
    if document.get("filters") or document.get("order", "C") != "C" or not isinstance(kind, str):
        return None
    if told is not None and told.get("id") != "blosc":
        return None
    shuffle = 0 if told is None else told.get("shuffle", 1)
    if shuffle not in _SHUFFLES.values():
        return None
    dtype = np.dtype(kind)
    return ChunkCodec(
        tuple(document["chunks"]),
        dtype,
        _number(document["fill_value"], dtype),
        None if told is None else (told.get("cname", "lz4"), told.get("clevel", 5), shuffle),
        prefix="",
        separator=document.get("dimension_separator", "."),
    )


def _of_3(document: Mapping[str, Any]) -> ChunkCodec | None:
    codecs = [
        (codec, {}) if isinstance(codec, str) else (codec["name"], codec.get("configuration", {}))
        for codec in document["codecs"]
    ]
    names = [name for name, _ in codecs]
    grid, keys = document["chunk_grid"], document["chunk_key_encoding"]
    if names not in (["bytes"], ["bytes", "blosc"]) or grid["name"] != "regular" or keys["name"] != "default":
        return None
    if document.get("storage_transformers") or not isinstance(document["data_type"], str):
        return None
    dtype = np.dtype(document["data_type"])
    order: Literal["<", ">"] = ">" if codecs[0][1].get("endian") == "big" else "<"
    told = codecs[-1][1]
    blosc = None
    if len(codecs) == 2:
        blosc = (told["cname"], told["clevel"], _SHUFFLES[told.get("shuffle", "noshuffle")])
    return ChunkCodec(
        tuple(grid["configuration"]["chunk_shape"]),
        dtype.newbyteorder(order),
        _number(document["fill_value"], dtype),
        blosc,
        prefix="c/",
        separator=keys.get("configuration", {}).get("separator", "/"),
    )


def _number(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a fill value of a document as a number."""
    if value is None or dtype.kind not in _NUMBERS:
        return None
    if isinstance(value, list):
        real, imaginary = (float(part) for part in value)
        return dtype.type(complex(real, imaginary))
    if isinstance(value, str) and value not in ("NaN", "Infinity", "-Infinity"):
        raise ValueError(f"the fill value {value!r} is not read here")
    return dtype.type(float(value) if isinstance(value, str) else value)

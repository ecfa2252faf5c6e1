"""Shards: files that hold several chunks of a Zarr array, and the index that tells where each lies.

Source: Zarr core specification version 3 with the codec ``sharding_indexed`` version 1.0 (offset and length
of each chunk as unsigned numbers of eight bytes, little-endian, in row-major order) and ``crc32c``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from swath.io.store import MissingFileError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from swath.io.store import Range, Store

__all__ = ["Shards"]

_ABSENT = 2**64 - 1
"""Offset and length of a chunk that a shard does not hold."""

_CHECKSUM = 4
"""Bytes of the checksum after the index."""


@dataclass(frozen=True, slots=True)
class Shards:
    """How the shards of an array are laid out."""

    shape: tuple[int, ...]
    """Length of a shard along each dimension."""
    chunks: tuple[int, ...]
    """Length of a chunk along each dimension."""
    at_end: bool
    """Whether the index is at the end of the file; at its beginning otherwise."""
    checked: bool
    """Whether a checksum follows the index."""

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Shards | None:
        """Return how the array of a document has its shards; None where it has none that are known here."""
        told = _codec(document)
        if told is None:
            return None
        names = [codec.get("name") for codec in told.get("index_codecs", [])]
        endian = (told.get("index_codecs") or [{}])[0].get("configuration", {}).get("endian", "little")
        shape = tuple(document["chunk_grid"]["configuration"]["chunk_shape"])
        chunks = tuple(told["chunk_shape"])
        location = told.get("index_location", "end")
        sound = len(shape) == len(chunks) and all(
            isinstance(n, int) and isinstance(m, int) and m > 0 and n > 0 and n % m == 0
            for n, m in zip(shape, chunks, strict=False)
        )
        if not sound or names not in (["bytes"], ["bytes", "crc32c"]) or endian != "little":
            return None
        if location not in ("start", "end"):
            return None
        return cls(shape, chunks, location == "end", len(names) == 2)

    @staticmethod
    def inside(document: Mapping[str, Any]) -> dict[str, Any]:
        """Return the document of an array whose chunks are stored as those inside the shards are."""
        told = _codec(document) or {}
        grid = {"name": "regular", "configuration": {"chunk_shape": told["chunk_shape"]}}
        return {**document, "chunk_grid": grid, "codecs": told["codecs"]}

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of chunks in a shard along each dimension."""
        return tuple(whole // part for whole, part in zip(self.shape, self.chunks, strict=True))

    @property
    def index_bytes(self) -> int:
        """Bytes of the index, its checksum included."""
        return 16 * math.prod(self.counts) + (_CHECKSUM if self.checked else 0)

    def shard(self, place: tuple[int, ...]) -> tuple[int, ...]:
        """Return the place of the shard that holds a chunk."""
        return tuple(at // number for at, number in zip(place, self.counts, strict=True))

    def index_range(self, name: str, size: int) -> Range:
        """Return where the index of a shard lies, whose file has ``size`` bytes."""
        length = self.index_bytes
        return (name, max(size - length, 0), size) if self.at_end else (name, 0, length)

    def find(self, store: Store, name: str, place: tuple[int, ...]) -> tuple[int, int] | None:
        """Return where a chunk lies in the file of its shard, first and last (exclusive) byte.

        None where it is not stored. Reads the index.

        Raises
        ------
        ValueError
            The index is cut off, differs from its checksum, or tells what cannot be.
        """
        length = self.index_bytes
        try:
            index = store.read_end(name, length) if self.at_end else store.read_range(name, 0, length)
        except MissingFileError:
            return None
        if len(index) < length:
            raise ValueError(f"{name} ends within the index of its chunks")
        if self.checked:
            import google_crc32c  # noqa: PLC0415 -- of Zarr, where it is needed

            found = int.from_bytes(index[-_CHECKSUM:], "little")
            if google_crc32c.value(bytes(index[:-_CHECKSUM])) != found:
                raise ValueError(f"the index of the chunks in {name} differs from its checksum")
        counts = self.counts
        within = tuple(at % number for at, number in zip(place, counts, strict=True))
        at = 16 * int(np.ravel_multi_index(within, counts)) if counts else 0
        offset, stored = (int.from_bytes(index[first : first + 8], "little") for first in (at, at + 8))
        if (offset, stored) == (_ABSENT, _ABSENT):
            return None
        if offset + stored > 1 << 62:
            raise ValueError(f"the index of {name} tells of {stored} bytes at {offset}")
        return offset, offset + stored


def _codec(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the configuration of the codec that makes shards, if it is the only one."""
    codecs = document.get("codecs") or []
    if len(codecs) != 1 or not isinstance(codecs[0], dict) or codecs[0].get("name") != "sharding_indexed":
        return None
    found: Mapping[str, Any] = codecs[0]["configuration"]
    return found

"""A product's store as Zarr sees it, so that directories, zips and what follows are read by the same code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from zarr.abc.store import (
    ByteRequest,
    OffsetByteRequest,
    RangeByteRequest,
    SuffixByteRequest,
)
from zarr.abc.store import (
    Store as ZarrStore,
)

from swath.io.metering import Counts, count
from swath.io.store import MissingFileError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from zarr.core.buffer import Buffer, BufferPrototype

    from swath.io.store import Store

__all__ = ["StoreView"]


class StoreView(ZarrStore):
    """Zarr's read-only view of a product's files; reading a chunk of an array in ``metered`` counts it."""

    supports_writes = False
    supports_deletes = False
    supports_listing = True

    def __init__(self, store: Store) -> None:
        super().__init__(read_only=True)
        self.files = store
        self.metered: set[str] = set()
        """Paths of the arrays whose chunks count as chunks; filled in after opening."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoreView) and other.files.location == self.files.location

    def __hash__(self) -> int:
        return hash(self.files.location)

    def __str__(self) -> str:
        return self.files.location

    async def get(
        self, key: str, prototype: BufferPrototype, byte_range: ByteRequest | None = None
    ) -> Buffer | None:
        """Return a file or a part of it, None where there is no such file."""
        data = await asyncio.to_thread(self._read, key, byte_range)
        return None if data is None else prototype.buffer.from_bytes(data)

    def _read(self, key: str, byte_range: ByteRequest | None) -> bytes | None:
        if self._array_of(key) in self.metered and not isinstance(byte_range, SuffixByteRequest):
            # A chunk that is not stored (all fill value) was touched all the same. The index of a shard,
            # which is what is read from the end, is no chunk.
            count(Counts(chunks=1))
        try:
            match byte_range:
                case None:
                    return self.files.read(key)
                case RangeByteRequest(begin, end):
                    return self.files.read_range(key, begin, end)
                case SuffixByteRequest(suffix):
                    return self.files.read_end(key, suffix)
                case OffsetByteRequest(offset):
                    return self.files.read_range(key, offset, self.files.size(key))
        except MissingFileError:
            return None
        raise NotImplementedError(f"{byte_range!r}")

    def _array_of(self, key: str) -> str:
        """Return the array that a key is a chunk of: ``a/0.0`` in format 2, ``a/c/0/0`` in format 3."""
        head, _, last = key.rpartition("/")
        if not last[:1].isdecimal():
            return ""
        before, mark, _ = f"{head}/".rpartition("/c/")
        return before if mark else head

    async def get_partial_values(
        self, prototype: BufferPrototype, key_ranges: Iterable[tuple[str, ByteRequest | None]]
    ) -> list[Buffer | None]:
        """Return parts of several files, read at once."""
        return list(
            await asyncio.gather(*(self.get(key, prototype, byte_range) for key, byte_range in key_ranges))
        )

    async def exists(self, key: str) -> bool:
        """Tell whether there is such a file."""
        return await asyncio.to_thread(self.files.exists, key)

    async def getsize(self, key: str) -> int:
        """Return the size of a file in bytes."""
        return await asyncio.to_thread(self.files.size, key)

    async def set(self, key: str, value: Buffer) -> None:
        """Refuse: the view is read-only."""
        raise NotImplementedError

    async def delete(self, key: str) -> None:
        """Refuse: the view is read-only."""
        raise NotImplementedError

    async def list(self) -> AsyncIterator[str]:
        """Go over the names of all files."""
        for name in await asyncio.to_thread(self.files.names):
            yield name

    async def list_prefix(self, prefix: str) -> AsyncIterator[str]:
        """Go over the names that start with a prefix."""
        async for name in self.list():
            if name.startswith(prefix):
                yield name

    async def list_dir(self, prefix: str) -> AsyncIterator[str]:
        """Go over what lies directly in a folder."""
        folder = f"{prefix.rstrip('/')}/" if prefix.strip("/") else ""
        seen = set()
        async for name in self.list_prefix(folder):
            entry = name[len(folder) :].partition("/")[0]
            if entry not in seen:
                seen.add(entry)
                yield entry

    def __getstate__(self) -> dict[str, Any]:
        return dict(self.__dict__)

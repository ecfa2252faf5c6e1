"""A product that is one file, as a store of one name."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from swath.io._archive import BlobStore

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swath.io.blob import Blob
    from swath.io.store import Range

__all__ = ["FILE_MAGICS", "FileStore"]

FILE_MAGICS = (b"\x89HDF", b"CDF\x01", b"CDF\x02", b"CDF\x05", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First four bytes of files that are products of their own: netCDF and TIFF."""


class FileStore(BlobStore):
    """One file; its name in the store is that in its folder."""

    def __init__(self, blob: Blob, path: str) -> None:
        super().__init__(blob)
        self._name = PurePosixPath(path).name

    def names(self) -> list[str]:
        """Return the one name."""
        return [self._name]

    def size(self, name: str) -> int:
        """Return the size of the file in bytes."""
        if name != self._name:
            raise self._missing(name)
        return self._blob.size()

    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        del name  # there is but one
        return self._blob.read(start, stop)

    def _ranges(self, wanted: Iterable[Range]) -> list[tuple[int, int]]:
        size = self._blob.size()
        return [
            (start, size if stop is None else min(stop, size))
            for name, start, stop in wanted
            if name == self._name
        ]

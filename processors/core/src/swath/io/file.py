"""A product that is one file, as a store of one name."""

from __future__ import annotations

from typing import Any

from swath.errors import ProductError
from swath.io.store import Store

__all__ = ["FILE_MAGICS", "FileStore"]

FILE_MAGICS = (b"\x89HDF", b"CDF\x01", b"CDF\x02", b"CDF\x05", b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
"""First four bytes of files that are products of their own: netCDF and TIFF."""


class FileStore(Store):
    """One file of a file system that fsspec knows; its name in the store is that in its folder."""

    def __init__(self, location: str, filesystem: Any, path: str) -> None:
        self.location = location
        self._filesystem = filesystem
        self._path = path
        self._name = path.rstrip("/").rpartition("/")[2]

    def names(self) -> list[str]:
        """Return the one name."""
        return [self._name]

    def size(self, name: str) -> int:
        """Return the size of the file in bytes."""
        if name != self._name:
            raise self._missing(name)
        try:
            return int(self._filesystem.size(self._path))
        except OSError:
            raise self._missing(name) from None

    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        try:
            data: bytes = self._filesystem.cat_file(self._path, start=start, end=stop)
        except FileNotFoundError:
            raise self._missing(name) from None
        except OSError as error:
            raise ProductError(f"cannot read {self.location}: {error.strerror or error}") from error
        return data

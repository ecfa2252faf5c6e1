"""One file that is read in parts, wherever it is: what an archive lies in."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from swath.errors import ProductError
from swath.io.local import local_stamp

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Blob", "BlobReader", "PlainBlob"]


class Blob(ABC):
    """One file."""

    location: str
    """Where it is, as the user gave it."""
    remote: bool = False
    """Whether a request takes long, so that it should answer much."""
    held: int = 0
    """Most bytes that a process holds of it before anybody decodes them; 0 where nothing is read ahead."""

    @property
    def identity(self) -> tuple[Any, ...]:
        """See :attr:`swath.io.store.Store.identity`."""
        return (self.location,)

    @abstractmethod
    def size(self) -> int:
        """Return its bytes."""

    @abstractmethod
    def read(self, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive); fewer where it ends early."""

    def peek(self, start: int, stop: int) -> bytes:
        """Read bytes as :meth:`read` does, but none of those that :meth:`ahead` was told of."""
        return self.read(start, stop)

    def tail(self, length: int) -> bytes:
        """Return its last bytes."""
        size = self.size()
        return self.read(max(size - length, 0), size)

    def warm(self, wanted: Iterable[tuple[int, int]]) -> None:  # noqa: B027 -- nothing to do is right here
        """Read small ranges at once and keep them, where that helps."""

    def ahead(self, wanted: Iterable[tuple[int, int]]) -> None:  # noqa: B027 -- as above
        """Begin to read what will be wanted, where that helps."""

    def fetch(self, wanted: Iterable[tuple[int, int]]) -> None:  # noqa: B027 -- as above
        """Begin to read what will be wanted, and return when it is there, where that helps."""

    def drop(self) -> None:  # noqa: B027 -- as above
        """Give up what was read ahead and not used."""


class PlainBlob(Blob):
    """A file of a file system that fsspec knows, read where asked."""

    def __init__(self, location: str, filesystem: Any, path: str) -> None:
        self.location, self._filesystem, self._path = location, filesystem, path
        self._stamp = local_stamp(filesystem, path)

    @property
    def identity(self) -> tuple[Any, ...]:
        """Where the file is, and which one."""
        return self.location, *self._stamp

    def size(self) -> int:
        """Return its bytes."""
        try:
            return int(self._filesystem.size(self._path))
        except OSError as error:
            raise ProductError(f"cannot read {self.location}: {error.strerror or error}") from error

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive); fewer where it ends early."""
        if not 0 <= start < stop:
            return b""  # as an archive has it that makes no sense
        try:
            data: bytes = self._filesystem.cat_file(self._path, start=start, end=stop)
        except OSError as error:
            raise ProductError(f"cannot read {self.location}: {error.strerror or error}") from error
        return data


class BlobReader(io.RawIOBase):
    """A blob as libraries read files; near reads are answered from one request where it is remote."""

    def __init__(self, blob: Blob, ahead: int) -> None:
        super().__init__()
        self._blob, self._ahead = blob, ahead if blob.remote else 0
        self._size = blob.size()
        self._at = 0
        self._first, self._buffer = 0, b""

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it has places to go to."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def tell(self) -> int:
        """Return the place."""
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Read as much as is asked for, or is there."""
        view = memoryview(buffer).cast("B")
        stop = min(self._at + len(view), self._size)
        if stop <= self._at:
            return 0
        if not (self._first <= self._at and stop <= self._first + len(self._buffer)):
            last = min(max(stop, self._at + self._ahead), self._size)
            self._first, self._buffer = self._at, self._blob.read(self._at, last)
        data = self._buffer[self._at - self._first : stop - self._first]
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

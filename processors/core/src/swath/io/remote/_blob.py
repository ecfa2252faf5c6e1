"""One file behind S3 or HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath.errors import ProductError
from swath.io.blob import Blob
from swath.io.remote._files import HELD
from swath.io.remote._transport import GoneError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swath.io.remote._files import Files

__all__ = ["RemoteBlob"]


class RemoteBlob(Blob):
    """A file behind S3 or HTTP."""

    remote = True
    held = HELD

    def __init__(self, location: str, files: Files, path: str) -> None:
        self.location, self._files, self._path = location, files, path

    def size(self) -> int:
        """Return its bytes."""
        try:
            return self._files.size(self._path)
        except GoneError:
            raise self._gone() from None

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive); fewer where it ends early."""
        try:
            return self._files.read(self._path, start, stop)
        except GoneError:
            raise self._gone() from None

    def peek(self, start: int, stop: int) -> bytes:
        """Read bytes that are none of those that :meth:`ahead` was told of."""
        try:
            return self._files.read(self._path, start, stop, peek=True)
        except GoneError:
            raise self._gone() from None

    def tail(self, length: int) -> bytes:
        """Return its last bytes: one request, which tells its size, too."""
        try:
            return self._files.tail(self._path, length)
        except GoneError:
            raise self._gone() from None

    def warm(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Read small ranges at once and keep them."""
        self._files.warm((self._path, start, stop) for start, stop in wanted)

    def ahead(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Begin to read what will be wanted."""
        self._files.ahead((self._path, start, stop) for start, stop in wanted)

    def fetch(self, wanted: Iterable[tuple[int, int]]) -> None:
        """Begin to read what will be wanted, and return when it is there."""
        self._files.fetch((self._path, start, stop) for start, stop in wanted)

    def drop(self) -> None:
        """Give up what was read ahead and not used."""
        self._files.drop()

    def _gone(self) -> ProductError:
        return ProductError(f"nothing at {self.location}: it was there when the product was opened")

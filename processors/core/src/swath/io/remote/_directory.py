"""A product in a folder of object storage, or below an address of the web."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from swath.io.remote._files import HELD, WHOLE, Files
from swath.io.remote._transport import GoneError
from swath.io.store import Store, safe_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swath.io.remote._transport import Page
    from swath.io.store import Range

__all__ = ["RemoteDirectory"]


class RemoteDirectory(Store):
    """A product's files below one place.

    Parameters
    ----------
    location
        As the user gave it.
    files, root
        The place.
    page
        The first page of its list, if it was listed.
    lists
        Whether lists tell sizes (S3), so that one list is better than a request a file.
    """

    remote = True
    held = HELD

    def __init__(self, location: str, files: Files, root: str, *, page: Page | None, lists: bool) -> None:
        self.location = location
        self._files, self._root, self._lists = files, root.rstrip("/"), lists
        self._sizes: dict[str, int] = {}
        self._more: str | None = ""
        """Token of the next page of the list; None where there is none."""
        self._gone: set[str] = set()
        """Files that were asked for and are not there."""
        self._folders: set[str] = set()
        """Folders whose list is known to its end."""
        self._listing = threading.Lock()
        if page is not None:
            self._take(page, self._root)
            self._more = page.more or None

    def __getstate__(self) -> dict[str, Any]:
        return {key: value for key, value in self.__dict__.items() if key != "_listing"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._listing = threading.Lock()

    def _take(self, page: Page, root: str) -> None:
        inside = root[len(self._root) + 1 :]
        for name, size in page.sizes.items():
            path = f"{inside}/{name}" if inside else name
            self._sizes[path] = size
            if size >= 0:
                self._files.know(self._path(path), size)

    def _path(self, name: str) -> str:
        return self._files.transport.below(self._root, name)

    def names(self) -> list[str]:
        """Return the names of all files, sorted; the rest of the list is asked for now."""
        with self._listing:
            while self._more is not None:
                page = self._files.pages(self._root, self._more)
                self._take(page, self._root)
                self._more = page.more or None
        return sorted(self._sizes)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes; in the list of its folder, which is asked for once."""
        name = safe_name(name)
        size = self._sizes.get(name, -1)
        if size >= 0:
            return size
        if name in self._gone or (self._more is None and self._lists):
            raise self._missing(name)
        folder = _folder(name)
        if not folder or not self._lists:
            try:
                self._sizes[name] = self._files.size(self._path(name))
            except GoneError:
                self._gone.add(name)
                raise self._missing(name) from None
            return self._sizes[name]
        if folder in self._folders:
            raise self._missing(name)
        self._list(folder)
        return self.size(name)

    def known_size(self, name: str) -> int | None:
        """Return the size of a file that lists tell, or whatever of it was read before; None otherwise."""
        if self._lists:
            return super().known_size(name)
        return self._sizes.get(name) or self._files.known(self._path(name))

    def _list(self, folder: str) -> None:
        more: str | None = ""
        with self._listing:
            if folder in self._folders:
                return
            while more is not None:
                page = self._files.pages(f"{self._root}/{folder}", more)
                self._take(page, f"{self._root}/{folder}")
                more = page.more or None
            self._folders.add(folder)

    def read(self, name: str) -> bytes:
        """Return a whole file: one request, whether its size is known or not."""
        return self._counted(self._bytes(safe_name(name), 0, WHOLE))

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive) of a file; ranges past its end are cut there."""
        if start < 0 or start >= stop:
            return b""
        return self._counted(self._bytes(safe_name(name), start, stop))

    def read_end(self, name: str, length: int) -> bytes:
        """Return the last bytes of a file: one request, whether its size is known or not."""
        try:
            return self._counted(self._files.tail(self._path(safe_name(name)), length))
        except GoneError:
            raise self._missing(name) from None

    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        return self._bytes(name, start, stop)

    def _bytes(self, name: str, start: int, stop: int) -> bytes:
        if name in self._gone or (self._more is None and self._lists and name not in self._sizes):
            raise self._missing(name)
        try:
            return self._files.read(self._path(name), start, stop)
        except GoneError:
            self._gone.add(name)
            raise self._missing(name) from None

    def warm(self, wanted: Iterable[Range]) -> None:
        """Read small ranges at once and keep them."""
        self._files.warm(self._paths(wanted))

    def ahead(self, wanted: Iterable[Range]) -> None:
        """Begin to read what will be wanted."""
        self._files.ahead(self._paths(wanted))

    def fetch(self, wanted: Iterable[Range]) -> None:
        """Begin to read what will be wanted, and return when it is there."""
        self._files.fetch(self._paths(wanted))

    def drop(self) -> None:
        """Give up what was read ahead and not used."""
        self._files.drop()

    def _paths(self, wanted: Iterable[Range]) -> list[tuple[str, int, int]]:
        known = self._more is None and self._lists
        return [
            (self._path(name), start, WHOLE if stop is None else stop)
            for name, start, stop in wanted
            if not known or name in self._sizes
        ]


def _folder(name: str) -> str:
    """Return the folder whose list tells of a file: of a chunk of Zarr, that of all chunks of its array."""
    head, _, _ = name.rpartition("/")
    before, mark, rest = f"{head}/".partition("/c/")
    return before if mark and rest.replace("/", "").isdecimal() else head

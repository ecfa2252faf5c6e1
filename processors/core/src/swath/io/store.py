"""A read-only view of a product's files, by names relative to the product's root, wherever they are.

fsspec lies underneath. Nothing is extracted: a range of an archive's member is read from where it lies there.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections import deque
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec

from swath.errors import MetadataError, ProductError
from swath.io.local import is_local, local_stamp
from swath.io.metering import Counts, count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["MissingFileError", "Range", "Store", "open_store", "safe_name"]

Range = tuple[str, int, int | None]
"""A file, and the first and last (exclusive) byte of a range in it; None is its end."""

READ_AHEAD = 1 << 20
"""Most bytes of a request that answers many small reads; the first such request has a sixteenth of it."""

_BUFFERS = 8
"""Answers that :meth:`Store.opened` keeps."""


def safe_name(name: str) -> str:
    """Return a name in its shortest form, or refuse one that is absolute or leads out of the product.

    Raises
    ------
    ProductError
        The name is empty, absolute, has ``..``, a backslash, a NUL or a drive in it.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or "\0" in name or name[1:2] == ":":
        raise ProductError(
            f"the name {name!r} leads out of the product; names inside a product are relative and "
            f"without '..'. "
            "Do not trust this product: get it again from its origin"
        )
    if not path.parts:
        raise ProductError("an empty name is not a file of a product")
    return str(path)


class MissingFileError(ProductError):
    """A product does not have a file that it should have."""


class Store(ABC):
    """A product's files. Safe to use from several threads, and picklable."""

    location: str
    """Where the product is, as the user gave it, without what may be secret."""
    remote: bool = False
    """Whether each request takes long, so that it pays to make few of them, and many at once."""
    held: int = 0
    """Most bytes that a process holds of it before anybody decodes them; 0 where nothing is read ahead."""

    @property
    def identity(self) -> tuple[Any, ...]:
        """What dask's names of arrays are made of: where the product is, and which one it was when opened.

        On this machine one that replaces another under its name is another one: what a cluster still keeps of
        the first is not taken for it. Elsewhere nothing but the place is known.
        """
        return (self.location,)

    @abstractmethod
    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    @abstractmethod
    def size(self, name: str) -> int:
        """Return the size of a file in bytes (decompressed, in a zip)."""

    def known_size(self, name: str) -> int | None:
        """Return the size of a file where telling it costs little; None where it does not, or is missing."""
        try:
            return self.size(name)
        except MissingFileError:
            return None

    @abstractmethod
    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive) of a file; fewer where it ends early."""

    def folder(self, name: str) -> Store:
        """Return a folder of the product as a store of its own."""
        return _Folder(self, safe_name(name))

    def exists(self, name: str) -> bool:
        """Tell whether the product has a file of that name."""
        try:
            self.size(name)
        except MissingFileError:
            return False
        return True

    def read(self, name: str) -> bytes:
        """Return a whole file."""
        return self.read_range(name, 0, self.size(name))

    def read_document(self, name: str, most: int) -> bytes:
        """Return a whole file that cannot have more than so many bytes; one that has is not read.

        Raises
        ------
        MetadataError
            It has more: in an archive a few of them make endlessly many.
        """
        size = self.known_size(name)
        if size is not None and size > most:
            raise MetadataError(
                f"{self.location}: {name} has {size} bytes, expected at most {most}: it is no product's "
                "metadata, get the product again"
            )
        return self.read(name)

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive) of a file; ranges past its end are cut there.

        Raises
        ------
        ProductError
            There is no such file, it leads out of the product, or it holds fewer bytes than it should.
        """
        stop = min(stop, self.size(name))
        if start < 0 or start >= stop:
            return b""
        data = self._counted(self._fetch(safe_name(name), start, stop))
        if len(data) != stop - start:
            raise ProductError(
                f"{self.location}: {name} is truncated: bytes {start} to {stop} should be there, got "
                f"{len(data)} "
                "of them; get the product again"
            )
        return data

    @contextmanager
    def opened(self, name: str) -> Iterator[Callable[[int, int], bytes]]:
        """Return a function of first and last byte for many small reads of a file.

        Near reads are answered from one request, of more bytes the more of them there are, up to
        :data:`READ_AHEAD`; a file on this machine is read where asked, and no more. Reads past the end of the
        file are cut there.
        """
        buffers: deque[tuple[int, bytes]] = deque(maxlen=_BUFFERS)
        ahead = READ_AHEAD // 16

        def read(start: int, stop: int) -> bytes:
            nonlocal ahead
            for first, data in buffers:
                if first <= start and stop <= first + len(data):
                    return data[start - first : stop - first]
            data = self.read_range(name, start, max(stop, start + ahead))
            ahead = min(2 * ahead, READ_AHEAD)
            buffers.appendleft((start, data))
            return data[: stop - start]

        yield read

    def read_end(self, name: str, length: int) -> bytes:
        """Return the last bytes of a file; all of it where it has fewer."""
        size = self.size(name)
        return self.read_range(name, max(size - length, 0), size)

    def warm(self, wanted: Iterable[Range]) -> None:  # noqa: B027 -- nothing to do is right here
        """Read small ranges all at once and keep them, where the store is remote.

        What is missing or fails is told to whoever reads it.
        """

    def ahead(self, wanted: Iterable[Range]) -> None:  # noqa: B027 -- as above
        """Begin to read what will be wanted, in this order, where the store is remote."""

    def fetch(self, wanted: Iterable[Range]) -> None:  # noqa: B027 -- as above
        """Begin to read what will be wanted, and return when it is there, where the store is remote."""

    def drop(self) -> None:  # noqa: B027 -- as above
        """Give up what was read ahead and not used."""

    def _counted(self, data: bytes) -> bytes:
        count(Counts(bytes=len(data), requests=1))
        return data

    def _missing(self, name: str) -> MissingFileError:
        return MissingFileError(
            f"{self.location}: {name} is missing; the product is incomplete, get it again"
        )


class _Folder(Store):
    """A folder of another store."""

    def __init__(self, store: Store, folder: str) -> None:
        self.location = f"{store.location.rstrip('/')}/{folder}"
        self.remote, self.held = store.remote, store.held
        self._store, self._folder = store, folder

    @property
    def identity(self) -> tuple[Any, ...]:
        return *self._store.identity, self._folder

    def _name(self, name: str) -> str:
        return f"{self._folder}/{safe_name(name)}"

    def names(self) -> list[str]:
        start = f"{self._folder}/"
        return [name[len(start) :] for name in self._store.names() if name.startswith(start)]

    def size(self, name: str) -> int:
        return self._store.size(self._name(name))

    def known_size(self, name: str) -> int | None:
        return self._store.known_size(self._name(name))

    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        return self._store._fetch(self._name(name), start, stop)  # noqa: SLF001 -- of its own kind

    def read(self, name: str) -> bytes:
        return self._store.read(self._name(name))

    def read_range(self, name: str, start: int, stop: int) -> bytes:
        return self._store.read_range(self._name(name), start, stop)

    def read_end(self, name: str, length: int) -> bytes:
        return self._store.read_end(self._name(name), length)

    def warm(self, wanted: Iterable[Range]) -> None:
        self._store.warm([(self._name(name), start, stop) for name, start, stop in wanted])

    def ahead(self, wanted: Iterable[Range]) -> None:
        self._store.ahead([(self._name(name), start, stop) for name, start, stop in wanted])

    def fetch(self, wanted: Iterable[Range]) -> None:
        self._store.fetch([(self._name(name), start, stop) for name, start, stop in wanted])

    def drop(self) -> None:
        self._store.drop()


class DirectoryStore(Store):
    """A product in a directory of a file system that fsspec knows."""

    def __init__(self, location: str, filesystem: Any, root: str) -> None:
        self.location = location
        self._filesystem = filesystem
        self._root = root.rstrip("/")
        self._local = Path(self._root).resolve() if is_local(filesystem) else None
        self._stamp = local_stamp(filesystem, self._root)
        self._folders: set[str] = set()
        """Folders that were found to lie in the product."""

    @property
    def identity(self) -> tuple[Any, ...]:
        """Where the product is, and which one."""
        return self.location, *self._stamp

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        found = self._filesystem.find(self._root)
        return sorted(path[len(self._root) + 1 :] for path in found)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        path = self._path(safe_name(name))
        try:
            if self._local is not None:
                return os.stat(path).st_size if os.path.isfile(path) else self._no(name)  # noqa: PTH113, PTH116
            return int(self._filesystem.size(path))
        except OSError:
            return self._no(name)

    @contextmanager
    def opened(self, name: str) -> Iterator[Callable[[int, int], bytes]]:
        """Return a function for many small reads; a file on this machine is opened once."""
        if self._local is None:
            with super().opened(name) as read:
                yield read
            return
        self.size(name)
        total = requests = 0
        with open(self._path(safe_name(name)), "rb", buffering=0) as file:  # noqa: PTH123 -- the path is text

            def read(start: int, stop: int) -> bytes:
                nonlocal total, requests
                data = os.pread(file.fileno(), stop - start, start)
                total, requests = total + len(data), requests + 1
                return data

            try:
                yield read
            finally:
                count(Counts(bytes=total, requests=requests))

    def _no(self, name: str) -> int:
        raise self._missing(name)

    def _path(self, name: str) -> str:
        path = f"{self._root}/{name}"
        if self._local is not None and not self._inside(path):
            raise ProductError(
                f"{self.location}: {name} is a link that leads out of the product; put the file itself "
                f"there, "
                "or get the product again"
            )
        return path

    def _inside(self, path: str) -> bool:
        """Tell whether a file is in the product, links followed; each of its folders is looked at once."""
        if self._folder_inside(path.rpartition("/")[0]) and not os.path.islink(path):  # noqa: PTH114 -- asked for every chunk
            return True
        return Path(path).resolve().is_relative_to(self._local)  # type: ignore[arg-type] # only asked of local ones

    def _folder_inside(self, folder: str) -> bool:
        if folder in self._folders or folder == self._root:
            return True
        if not folder.startswith(f"{self._root}/"):
            return False
        plain = self._folder_inside(folder.rpartition("/")[0]) and not os.path.islink(folder)  # noqa: PTH114 -- as above
        inside = plain or Path(folder).resolve().is_relative_to(self._local)  # type: ignore[arg-type] # as above
        if inside:
            self._folders.add(folder)
        return inside

    def read(self, name: str) -> bytes:
        """Return a whole file; of this machine, it is opened and read once."""
        if self._local is None:
            return super().read(name)
        try:
            with open(self._path(safe_name(name)), "rb") as file:  # noqa: PTH123 -- the path is text
                data = file.read()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            raise self._missing(name) from None
        except OSError as error:
            raise ProductError(f"{self.location}: cannot read {name}: {error.strerror or error}") from error
        count(Counts(bytes=len(data), requests=1))
        return data

    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        try:
            data: bytes = self._filesystem.cat_file(self._path(name), start=start, end=stop)
        except FileNotFoundError:
            raise self._missing(name) from None
        except OSError as error:
            raise ProductError(f"{self.location}: cannot read {name}: {error.strerror or error}") from error
        return data


def open_store(location: str | os.PathLike[str]) -> Store:
    """Return a view of a product. Of an archive its list of members is read, and no more.

    Parameters
    ----------
    location
        A path or a URL, of a directory, a zip, a tar, or a netCDF or TIFF file. Archives are known by their
        first bytes, not by their names; where all members are in one top folder (``X.SAFE/``), that folder is
        the product's root.

    Raises
    ------
    ProductError
        There is nothing at that place, it is none of these, or an archive that cannot be trusted.
    StoreError
        The place does not answer.
    """
    from swath.io._kinds import open_file  # noqa: PLC0415 -- they build on this module
    from swath.io.address import NETWORK, protocol  # noqa: PLC0415
    from swath.io.blob import PlainBlob  # noqa: PLC0415

    text = os.fspath(location)
    if protocol(text) in NETWORK:
        from swath.io.remote import open_remote  # noqa: PLC0415 -- only where something is remote

        return open_remote(text)
    try:
        filesystem, path = fsspec.core.url_to_fs(text)
    except (ImportError, ValueError) as error:
        raise ProductError(
            f"{text} cannot be reached from here ({error}): give a path on this machine, or "
            "install the package that fsspec needs for it"
        ) from None
    try:
        folder = filesystem.isdir(path)
        there = folder or filesystem.exists(path)
    except Exception as error:  # noqa: BLE001 -- a remote file system raises what its client library does
        raise ProductError(
            f"{text} cannot be reached from here ({type(error).__name__}: {error}): see that the address is "
            "right, and that you have the right to read there"
        ) from None
    if folder:
        return DirectoryStore(text, filesystem, path)
    if not there:
        raise ProductError(f"nothing at {text}: give the path of a product, a directory or an archive")
    return open_file(PlainBlob(text, filesystem, path), path)

"""Products in a zip, read without extraction, with the archive's claims checked before they are believed."""

from __future__ import annotations

import stat
import struct
import threading
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from swath.errors import ProductError
from swath.io._inflate import Inflater
from swath.io.store import Store, safe_name

__all__ = ["MAX_MEMBERS", "MAX_TOTAL", "ZipStore"]

MAX_MEMBERS = 1_000_000
"""More members than any product has (a Zarr product of one scene has some ten thousand)."""

MAX_TOTAL = 1 << 38
"""256 GiB: more bytes, decompressed, than any product has."""

MAX_RATIO = 1032
"""No deflate stream holds more bytes a byte than this (a match of 258 bytes costs at least two bits)."""

_LOCAL_HEADER = struct.Struct("<4s5H3I2H")


@dataclass(frozen=True, slots=True)
class Member:
    """Where a member lies in the archive."""

    header: int
    """Offset of its local header, in bytes."""
    packed: int
    """Bytes in the archive."""
    size: int
    """Bytes decompressed."""
    deflated: bool
    checksum: int
    """CRC-32 of the decompressed bytes."""
    link: bool
    """Whether it is a symbolic link."""


class ZipStore(Store):
    """A product in a zip whose members are stored or deflated."""

    def __init__(self, location: str, filesystem: Any, path: str) -> None:
        self.location = location
        self._filesystem = filesystem
        self._path = path
        self._root, self._members = self._directory()
        self._prepare()

    def _prepare(self) -> None:
        self._lock = threading.Lock()
        self._starts: dict[str, int] = {}
        self._inflaters: dict[str, Inflater] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {
            key: value
            for key, value in self.__dict__.items()
            if key not in {"_lock", "_starts", "_inflaters"}
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._prepare()

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(self._members)

    def size(self, name: str) -> int:
        """Return the decompressed size of a file in bytes."""
        return self._member(safe_name(name)).size

    def read(self, name: str) -> bytes:
        """Return a whole file, its checksum compared."""
        data = super().read(name)
        if zlib.crc32(data) != self._member(safe_name(name)).checksum:
            raise ProductError(
                f"{self.location}: {name} is corrupt (its CRC-32 differs); get the product again"
            )
        return data

    def _member(self, name: str) -> Member:
        member = self._members.get(name)
        if member is None:
            raise self._missing(name)
        if member.link:
            raise ProductError(
                f"{self.location}: {name} is a symbolic link, which a product does not have; get it again"
            )
        return member

    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        member = self._member(name)
        offset = self._start(name, member)
        if not member.deflated:
            return self._archive(offset + start, offset + stop)
        with self._lock:
            inflater = self._inflaters.setdefault(name, Inflater(member.packed, member.size))
        try:
            return inflater.read(start, stop, lambda begin, end: self._archive(offset + begin, offset + end))
        except zlib.error as error:
            raise ProductError(
                f"{self.location}: {name} is corrupt ({error}); get the product again"
            ) from error

    def _start(self, name: str, member: Member) -> int:
        """Return where a member's bytes start; only its local header tells how long that header is."""
        if name not in self._starts:
            header = self._archive(member.header, member.header + _LOCAL_HEADER.size)
            if len(header) < _LOCAL_HEADER.size or header[:4] != b"PK\x03\x04":
                raise ProductError(
                    f"{self.location}: corrupt zip: no header where {name} should be; get it again"
                )
            fields = _LOCAL_HEADER.unpack(header)
            self._starts[name] = member.header + _LOCAL_HEADER.size + fields[-2] + fields[-1]
        return self._starts[name]

    def _archive(self, start: int, stop: int) -> bytes:
        try:
            data: bytes = self._filesystem.cat_file(self._path, start=start, end=stop)
        except OSError as error:
            raise ProductError(f"cannot read {self.location}: {error.strerror or error}") from error
        return data

    def _directory(self) -> tuple[str, dict[str, Member]]:
        """Read the archive's list of members and return the root folder and the files below it."""
        try:
            length = int(self._filesystem.size(self._path))
            with self._filesystem.open(self._path, "rb") as file, zipfile.ZipFile(file) as archive:
                infos = archive.infolist()
        except (
            zipfile.BadZipFile,
            EOFError,
            struct.error,
            ValueError,
            NotImplementedError,
            OSError,
        ) as error:
            raise ProductError(
                f"{self.location} is a corrupt or truncated zip ({error}); get it again"
            ) from error
        self._check(infos, length)
        members: dict[str, Member] = {}
        for info in infos:
            if info.is_dir():
                safe_name(info.filename.rstrip("/") or "/")
                continue
            name = safe_name(info.filename)
            if name in members:
                raise ProductError(
                    f"{self.location}: two members of the zip are called {name!r}; get it again"
                )
            if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or info.flag_bits & 0x1:
                raise ProductError(
                    f"{self.location}: {name} is encrypted, or packed by method {info.compress_type}; "
                    f"only stored and "
                    "deflated members can be read: unpack the zip and give the directory"
                )
            members[name] = Member(
                header=info.header_offset,
                packed=info.compress_size,
                size=info.file_size,
                deflated=info.compress_type == zipfile.ZIP_DEFLATED,
                checksum=info.CRC,
                link=stat.S_ISLNK(info.external_attr >> 16),
            )
        tops = {PurePosixPath(name).parts[0] for name in members}
        root = tops.pop() if len(tops) == 1 and not any("/" not in name for name in members) else ""
        if not root:
            return "", members
        return root, {name[len(root) + 1 :]: member for name, member in members.items()}

    def _check(self, infos: list[zipfile.ZipInfo], length: int) -> None:
        """Refuse an archive that claims what no product and no deflate stream can have."""
        if len(infos) > MAX_MEMBERS:
            raise ProductError(
                f"{self.location}: a zip of {len(infos)} members, expected at most {MAX_MEMBERS}"
            )
        total = sum(info.file_size for info in infos)
        if total > MAX_TOTAL:
            raise ProductError(
                f"{self.location}: a zip that would unpack to {total} bytes, expected at most "
                f"{MAX_TOTAL}; this is "
                "no product, do not unpack it"
            )
        packed = sum(info.compress_size for info in infos)
        if packed > length:
            raise ProductError(
                f"{self.location}: the zip's members claim {packed} packed bytes, but it has {length}; it is "
                "truncated or made to deceive, get it again"
            )
        for info in infos:
            stored = info.compress_type == zipfile.ZIP_STORED
            most = info.compress_size if stored else MAX_RATIO * info.compress_size
            if info.file_size > most or (stored and info.file_size != info.compress_size):
                raise ProductError(
                    f"{self.location}: {info.filename} claims {info.file_size} bytes out of "
                    f"{info.compress_size} "
                    "packed ones, which cannot be; the zip is corrupt or made to deceive, get it again"
                )

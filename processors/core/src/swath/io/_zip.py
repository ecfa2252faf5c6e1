"""Products in a zip, read without extraction, with the archive's claims checked before they are believed."""

from __future__ import annotations

import stat
import struct
import threading
import zipfile
import zlib
from dataclasses import dataclass
from io import BufferedReader
from typing import TYPE_CHECKING, Any

from swath.errors import ProductError
from swath.io._archive import BlobStore, below_top
from swath.io._inflate import Inflater
from swath.io.blob import BlobReader
from swath.io.store import READ_AHEAD, safe_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from swath.io.blob import Blob
    from swath.io.store import Range

__all__ = ["MAX_MEMBERS", "MAX_TOTAL", "ZipStore"]

MAX_MEMBERS = 1_000_000
"""More members than any product has (a Zarr product of one scene has some ten thousand)."""

MAX_TOTAL = 1 << 38
"""256 GiB: more bytes, decompressed, than any product has."""

MAX_WHOLE = 1 << 32
"""4 GiB: more bytes than a file has that is read as a whole, a document or a chunk."""

MAX_RATIO = 1032
"""No deflate stream holds more bytes a byte than this (a match of 258 bytes costs at least two bits)."""

_LOCAL_HEADER = struct.Struct("<4s5H3I2H")

_EXTRA = 64
"""Bytes after the name in a member's own header that are expected at most; more cost a second request."""

_BLOCK = 1 << 22
"""Bytes of a deflated member that are asked for at a time where the zip is remote."""


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
    named: int
    """Bytes of its name."""


class ZipStore(BlobStore):
    """A product in a zip whose members are stored or deflated."""

    TAIL = 1 << 16
    """Bytes at the end of a zip that hold the list of members of most products."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(blob)
        self._members = self._directory()
        self._prepare()

    @staticmethod
    def ends(tail: bytes) -> bool:
        """Tell whether the last bytes of a file are those of a zip."""
        return b"PK\x05\x06" in tail

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
        if self._member(safe_name(name)).size > MAX_WHOLE:
            raise ProductError(
                f"{self.location}: {name} claims {self.size(name)} bytes, more than the {MAX_WHOLE} that "
                "are read at once; this is no product"
            )
        data = super().read(name)
        if zlib.crc32(data) != self._member(safe_name(name)).checksum:
            raise ProductError(
                f"{self.location}: {name} is corrupt (its CRC-32 differs); get the product again"
            )
        return data

    def read_end(self, name: str, length: int) -> bytes:
        """Return the last bytes of a file; where the zip is remote, at once with the member's header."""
        name = safe_name(name)
        member = self._member(name)
        if not self.remote or member.deflated or length >= member.size:
            return super().read_end(name, length)
        wanted = (name, member.size - length, member.size)
        if name not in self._starts:
            self.warm([wanted])
        return self._counted(self._packed(name, member, *wanted[1:], read=self._blob.peek))

    def _member(self, name: str) -> Member:
        member = self._members.get(name)
        if member is None:
            raise self._missing(name)
        if member.link:
            raise ProductError(
                f"{self.location}: {name} is a symbolic link, which a product does not have; get it again"
            )
        return member

    def _ranges(self, wanted: Iterable[Range]) -> list[tuple[int, int]]:
        """Return where wanted bytes lie in the archive, as they will be asked for by :meth:`_packed`."""
        found = []
        for name, start, stop in wanted:
            member = self._members.get(name)
            if member is None:
                continue
            last = member.size if stop is None else min(stop, member.size)
            if not member.deflated:
                found += self._places(name, member, start, last)
            elif member.packed <= _BLOCK:
                found += self._places(name, member, 0, member.packed)
        return found

    def _places(self, name: str, member: Member, start: int, stop: int) -> list[tuple[int, int]]:
        begin = self._starts.get(name)
        if begin is not None:
            return [(begin + start, begin + stop)]
        last = member.header + self._lead(member) + stop
        if start <= READ_AHEAD:
            return [(member.header, last)]
        # Far from the header: that is read by itself, and the bytes wherever it will say that they are.
        first = member.header + _LOCAL_HEADER.size + member.named + start
        return [(member.header, member.header + self._lead(member)), (first, last)]

    def _lead(self, member: Member) -> int:
        """Return the most bytes between a member's header and its bytes that are expected."""
        return _LOCAL_HEADER.size + member.named + _EXTRA

    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        member = self._member(name)
        if not member.deflated:
            return self._packed(name, member, start, stop)
        with self._lock:
            block = _BLOCK if self.remote else None
            inflater = self._inflaters.setdefault(name, Inflater(member.packed, member.size, block))
        try:
            return inflater.read(start, stop, lambda begin, end: self._packed(name, member, begin, end))
        except zlib.error as error:
            raise ProductError(
                f"{self.location}: {name} is corrupt ({error}); get the product again"
            ) from error

    def _packed(
        self,
        name: str,
        member: Member,
        start: int,
        stop: int,
        read: Callable[[int, int], bytes] | None = None,
    ) -> bytes:
        """Return bytes of a member as it is packed.

        Where they start is known from the member's own header alone. Bytes near it are read with it, in one
        request.
        """
        read = read or self._blob.read
        begin = self._starts.get(name)
        if begin is not None:
            return read(begin + start, begin + stop)
        lead = self._lead(member)
        near = start <= READ_AHEAD
        ask = read if near else self._blob.peek
        front = ask(member.header, member.header + lead + (stop if near else 0))
        if len(front) < _LOCAL_HEADER.size or front[:4] != b"PK\x03\x04":
            raise ProductError(
                f"{self.location}: corrupt zip: no header where {name} should be; get it again"
            )
        fields = _LOCAL_HEADER.unpack_from(front)
        begin = self._starts[name] = member.header + _LOCAL_HEADER.size + fields[-2] + fields[-1]
        at = begin - member.header
        data = front[at + start : at + stop] if near else b""
        if len(data) < stop - start:
            data += read(begin + start + len(data), begin + stop)
        return data

    def _directory(self) -> dict[str, Member]:
        """Read the archive's list of members and return the files below its root folder."""
        try:
            if self.remote:
                self._blob.tail(self.TAIL)
            length = self._blob.size()
            with BufferedReader(BlobReader(self._blob, 0), 1 << 12) as file, zipfile.ZipFile(file) as archive:
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
                named=len(info.filename.encode()),
            )
        return below_top(members)

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
            if not 0 <= info.header_offset < length:
                raise ProductError(
                    f"{self.location}: corrupt zip: {info.filename} should be at byte {info.header_offset}; "
                    "get it again"
                )
            stored = info.compress_type == zipfile.ZIP_STORED
            most = info.compress_size if stored else MAX_RATIO * info.compress_size
            if info.file_size > most or (stored and info.file_size != info.compress_size):
                raise ProductError(
                    f"{self.location}: {info.filename} claims {info.file_size} bytes out of "
                    f"{info.compress_size} "
                    "packed ones, which cannot be; the zip is corrupt or made to deceive, get it again"
                )

"""Products in a tar, read without extraction."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

from swath.errors import ProductError
from swath.io._archive import BlobStore, below_top
from swath.io.blob import BlobReader
from swath.io.store import safe_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from swath.io.blob import Blob
    from swath.io.store import Range

__all__ = ["TarStore"]

MAX_MEMBERS = 1_000_000
"""More members than any product has."""

MAX_TOTAL = 1 << 38
"""256 GiB: more bytes than any product has."""

_AHEAD = 1 << 15
"""Bytes of a request for headers where the tar is remote: small members that follow cost no other one."""


class TarStore(BlobStore):
    """A product in a tar. What is in it stands all over the archive: it is gone through when opened."""

    def __init__(self, blob: Blob) -> None:
        super().__init__(blob)
        self._members = self._index()

    @staticmethod
    def starts(start: bytes) -> bool:
        """Tell whether a file's first 512 bytes are a tar's first header."""
        try:
            tarfile.TarInfo.frombuf(start, "utf-8", "surrogateescape")
        except tarfile.HeaderError:
            return False
        return True

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(self._members)

    def size(self, name: str) -> int:
        """Return the size of a file in bytes."""
        return self._member(safe_name(name))[1]

    def _member(self, name: str) -> tuple[int, int]:
        if name not in self._members:
            raise self._missing(name)
        return self._members[name]

    def _fetch(self, name: str, start: int, stop: int) -> bytes:
        first, _ = self._member(name)
        return self._blob.read(first + start, first + stop)

    def _ranges(self, wanted: Iterable[Range]) -> list[tuple[int, int]]:
        found = []
        for name, start, stop in wanted:
            if name in self._members:
                first, size = self._members[name]
                found.append((first + start, first + (size if stop is None else min(stop, size))))
        return found

    def _index(self) -> dict[str, tuple[int, int]]:
        """Go through the headers; return the first byte and the length of each file below the root."""
        members: dict[str, tuple[int, int]] = {}
        size, total = self._blob.size(), 0
        try:
            with tarfile.open(fileobj=BlobReader(self._blob, _AHEAD), mode="r:") as archive:
                for number, info in enumerate(archive):
                    name = safe_name(info.name.rstrip("/") or "/") if info.name.strip("./") else ""
                    if number > MAX_MEMBERS:
                        raise ProductError(f"{self.location}: a tar of more than {MAX_MEMBERS} members")
                    if info.isdir():
                        continue
                    self._check(info, name, members)
                    total += info.size
                    if info.offset_data + info.size > size:
                        raise ProductError(
                            f"{self.location} is truncated: {name} ends at byte "
                            f"{info.offset_data + info.size}, the tar has {size}; get it again"
                        )
                    members[name] = (info.offset_data, info.size)
                    if total > MAX_TOTAL:
                        raise ProductError(
                            f"{self.location}: a tar that would unpack to more than {MAX_TOTAL} bytes; this "
                            "is no product, do not unpack it"
                        )
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise ProductError(
                f"{self.location} is a corrupt or truncated tar ({error}); get it again"
            ) from error
        return below_top(members)

    def _check(self, info: tarfile.TarInfo, name: str, members: dict[str, tuple[int, int]]) -> None:
        if not info.isfile() or info.issparse():
            raise ProductError(
                f"{self.location}: {name} is a link, a device or a file with holes, which a product does not "
                "have; get it again"
            )
        if name in members:
            raise ProductError(f"{self.location}: two members of the tar are called {name!r}; get it again")

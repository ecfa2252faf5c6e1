"""A file that is packed by gzip, as the file that it was, without unpacking it to disk."""

from __future__ import annotations

import struct
import zlib
from typing import Any

from swath.errors import ProductError
from swath.io._inflate import Inflater
from swath.io.blob import Blob

__all__ = ["GzipBlob"]

_EXTRA, _NAME, _COMMENT, _CHECK = 4, 8, 16, 2
"""Bits of the flags in the header (RFC 1952, section 2.3.1)."""

_TRAILER = 8
"""Bytes after the stream: checksum and length modulo 2**32."""


class GzipBlob(Blob):
    """The content of a gzip file of one member, on this machine.

    What lies before a wanted byte is unpacked on the way to it, once: the decoder's state is remembered every
    few megabytes. That costs reading all of the file, so a remote one is refused.
    """

    def __init__(self, packed: Blob) -> None:
        self.location = packed.location
        if packed.remote:
            raise ProductError(
                f"{self.location} is a compressed tar, of which no part can be read without all that lies "
                "before it: get it onto this machine first, or store the product as a zip or a plain tar"
            )
        self._packed = packed
        self._start = self._header(packed.read(0, 1 << 16))
        self._stop = max(packed.size() - _TRAILER, self._start)
        self._size: int | None = None
        self._inflater: Inflater | None = None

    @property
    def identity(self) -> tuple[Any, ...]:
        """Where the file is, and which one."""
        return self._packed.identity

    def __getstate__(self) -> dict[str, object]:
        return {**self.__dict__, "_inflater": None}

    def _header(self, data: bytes) -> int:
        """Return where the deflate stream starts."""
        try:
            method, flags = data[2], data[3]
            at = 10
            if flags & _EXTRA:
                at += 2 + int(struct.unpack_from("<H", data, at)[0])
            for bit in (_NAME, _COMMENT):
                if flags & bit:
                    at = data.index(0, at) + 1
        except (IndexError, ValueError, struct.error):
            raise ProductError(f"{self.location} is cut within its gzip header; get it again") from None
        if method != 8:
            raise ProductError(f"{self.location}: a gzip packed by method {method}, expected 8 (deflate)")
        return at + (2 if flags & _CHECK else 0)

    def size(self) -> int:
        """Return an upper bound of its bytes: the trailer tells them modulo 4 GiB only."""
        return 1032 * (self._stop - self._start)

    def read(self, start: int, stop: int) -> bytes:
        """Return bytes ``start`` to ``stop`` (exclusive); fewer where it ends early."""
        if self._inflater is None:
            self._inflater = Inflater(self._stop - self._start, self.size())
        try:
            return self._inflater.read(
                start, stop, lambda begin, end: self._packed.read(self._start + begin, self._start + end)
            )
        except zlib.error as error:
            raise ProductError(f"{self.location} is corrupt ({error}); get it again") from error

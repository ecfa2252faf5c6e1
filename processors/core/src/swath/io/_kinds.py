"""What a file is, by its first bytes, and the store that reads it."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from swath.errors import ProductError
from swath.io._tar import TarStore
from swath.io._zip import ZipStore
from swath.io.file import FILE_MAGICS, FileStore
from swath.io.gzip import GzipBlob

if TYPE_CHECKING:
    from swath.io.blob import Blob
    from swath.io.store import Store

__all__ = ["open_file"]

_START = 512
"""Bytes by which files are told apart: those of a tar's first header."""

_XML = {".dbl", ".eof", ".gml", ".hdr", ".safe", ".xml"}
"""How the names of XML files in products end."""

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OTHER = {
    b"BZh": "bzip2",
    b"\xfd7zXZ": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf": "7z",
    b"Rar!": "rar",
}
"""Archives that cannot be read in parts."""


def open_file(blob: Blob, path: str) -> Store:
    """Return the store of a file.

    Parameters
    ----------
    blob
        The file.
    path
        Its path or URL, whose last part is its name.

    Raises
    ------
    ProductError
        It is no archive and no file that is known, or one that cannot be trusted.
    """
    if blob.remote and path.lower().endswith(".zip"):
        blob.tail(ZipStore.TAIL)  # most often all that is needed, so that the start need not be read
        if ZipStore.ends(blob.tail(ZipStore.TAIL)):
            return ZipStore(blob)
    start = blob.read(0, _START)
    if start.startswith(FILE_MAGICS):
        return FileStore(blob, path)
    if start.startswith(_ZIP):
        return ZipStore(blob)
    if TarStore.starts(start):
        return TarStore(blob)
    if start.startswith(b"\x1f\x8b"):
        return TarStore(GzipBlob(blob))
    ending = PurePosixPath(path).suffix.lower()
    if ending in _XML and start.removeprefix(b"\xef\xbb\xbf").startswith(b"<"):
        if ending == ".eof":  # an orbit: a product of one file
            return FileStore(blob, path)
        raise ProductError(
            f"{blob.location} is one file of a product: give the product's directory, "
            f"{PurePosixPath(path).parent} or above"
        )
    for magic, name in _OTHER.items():
        if start.startswith(magic):
            raise ProductError(
                f"{blob.location} is packed by {name}, which is not read in parts: unpack it, and give what "
                "is in it"
            )
    raise ProductError(
        f"{blob.location} is neither a directory nor a zip or tar (it starts with "
        f"{start[:4].hex(' ') or 'nothing'}, a zip with 50 4b 03 04): give a product's directory or "
        "its archive"
    )

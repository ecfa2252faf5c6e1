"""What lies at an address of S3 or the web."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from swath.errors import ProductError
from swath.io._kinds import open_file
from swath.io.address import protocol, shown
from swath.io.remote._blob import RemoteBlob
from swath.io.remote._directory import RemoteDirectory
from swath.io.remote._files import Files, open_files
from swath.io.remote._transport import GoneError
from swath.io.store import MissingFileError, Store
from swath.io.zarr_documents import ROOTS

__all__ = ["find_remote", "open_remote"]

_FILES = (".zip", ".tar", ".tgz", ".gz", ".nc", ".nc4", ".h5", ".tif", ".tiff", ".bz2", ".xz", ".zst", ".eof")
"""Endings of files; of all else is tried first whether it is a folder."""


def open_remote(text: str) -> Store:
    """Return a view of the product at an address: one or two requests tell what it is.

    Raises
    ------
    ProductError
        There is nothing, it cannot be reached, or it is of no kind that is known.
    StoreError
        The server fails however often it is asked.
    InputError
        The client of that protocol is not installed.
    """
    found = find_remote(text)
    if isinstance(found, RemoteDirectory):
        return found
    return open_file(found, unquote(urlsplit(text).path) if protocol(text) != "s3" else text)


def find_remote(text: str) -> RemoteDirectory | RemoteBlob:
    """Return the folder, or else the file, at an address; raises as :func:`open_remote` does."""
    kind = protocol(text)
    web = kind in ("http", "https")
    path = text if web else text.partition("://")[2]
    files = open_files(kind if web else "s3", path)
    place = unquote(urlsplit(text).path) if web else path
    order = [_file, _web_folder if web else _s3_folder]
    if not place.lower().endswith(_FILES):
        order.reverse()
    for attempt in order:
        found = attempt(text, files, path)
        if found is not None:
            return found
    raise ProductError(
        f"nothing at {shown(text)}: give the address of a product, a directory or an archive"
        + ("; a directory on a web server must be a Zarr, or have an index page" if web else "")
    )


def _file(text: str, files: Files, path: str) -> RemoteBlob | None:
    if path.endswith("/") or "/" not in path:
        return None
    try:
        if urlsplit(text).path.lower().endswith(".zip"):
            files.tail(path, _FRONT)
        else:
            files.read(path, 0, _FRONT)
    except GoneError:
        return None
    return RemoteBlob(shown(text), files, path)


_FRONT = 1 << 16
"""Bytes of the first request: what a file is, and most often its header or the list of its members."""


def _s3_folder(text: str, files: Files, path: str) -> RemoteDirectory | None:
    try:
        page = files.pages(path)
    except GoneError:
        return None
    if not page.sizes:
        return None
    return RemoteDirectory(shown(text), files, path, page=page, lists=True)


def _web_folder(text: str, files: Files, path: str) -> RemoteDirectory | None:
    """Return a folder of which a web server lists the files, or whose root is that of a Zarr."""
    store = RemoteDirectory(shown(text), files, path, page=None, lists=False)
    roots = [f"{folder}{name}" for folder in ("", "product.zarr/") for name in ROOTS]
    store.warm([(name, 0, None) for name in roots])
    found = [name for name in roots if _read(store, name)]  # all of them: what is not there is known then
    if found:
        return store
    return store if _listed(store) else None


def _read(store: Store, name: str) -> bool:
    try:
        return bool(store.read(name))
    except MissingFileError:
        return False


def _listed(store: Store) -> bool:
    try:
        return bool(store.names())
    except ProductError:
        return False

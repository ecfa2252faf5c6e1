"""Opening products: whichever reader knows the product opens it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from functools import lru_cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, Protocol

from swath.errors import MetadataError, ProductError
from swath.io.store import Store, open_store
from swath.product._ahead import ahead
from swath.product._locate import choose_asset, locate

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["READER_GROUP", "Reader", "open_product"]

READER_GROUP = "swath.readers"
"""Entry-point group of the readers: the object is a :class:`Reader`. They are asked in the order of their
names."""


class Reader(Protocol):
    """Opens one kind of product."""

    looks_for: str
    """What it looks for, as told to the user when no reader knows a product."""

    def can_read(self, store: Store) -> bool:
        """Tell whether this is a product of its kind, from the names of files alone."""

    def open(self, store: Store) -> xr.DataTree:
        """Return the product as a lazy tree, having read metadata and image headers only."""


def open_product(location: str | os.PathLike[str] | Mapping[str, Any]) -> xr.DataTree:
    """Open a product: a tree of lazily loaded dask arrays, with STAC attributes on its root.

    Only metadata and the headers of images are read; each chunk of image data is read when it is computed.
    Known are Sentinel-1 and Sentinel-2 in SAFE, Sentinel-3 in SEN3, auxiliary data of these, and EOPF Zarr
    (format 2 or 3), each a directory, a zip or a tar, netCDF and GeoTIFF files, and whatever other installed
    packages bring readers for.

    Parameters
    ----------
    location
        Path or URL (``s3://``, ``https://``) of the product, or of a STAC item that tells where it is; of an
        item, ``#KEY`` after the address names the asset to take. Or the item itself, as JSON has it.

    Raises
    ------
    ProductError
        There is nothing there, it is no product that a reader knows, or it is incomplete or corrupt.
    MetadataError
        Its metadata is malformed or makes no sense.
    StoreError
        The server that has it fails, however often it is asked.
    """
    if isinstance(location, Mapping):
        store = open_store(choose_asset(dict(location)))
    else:
        store = open_store(locate(os.fspath(location)))
    if store.remote:
        ahead()
    readers = _readers(tuple(sys.path))
    for reader in readers:
        if reader.can_read(store):
            return _opened(reader, store)
    sought = "; ".join(reader.looks_for for reader in readers) or "nothing, because no reader is installed"
    raise ProductError(f"{store.location} is not a product that can be read here; looked for: {sought}")


def _opened(reader: Reader, store: Store) -> xr.DataTree:
    """Open a product, and tell whatever its reader stumbles over as the product's fault: it mostly is."""
    try:
        return reader.open(store)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise MetadataError(
            f"{store.location}: its metadata make no sense ({type(error).__name__}: {error}); get the "
            "product again. If it is whole, SWATH_DEBUG=1 shows what to report"
        ) from error


@lru_cache(maxsize=4)
def _readers(_path: tuple[str, ...]) -> list[Reader]:
    """Return the readers of the installed packages; looked for once, as long as the path of imports stays."""
    return [found.load() for found in sorted(entry_points(group=READER_GROUP), key=lambda e: e.name)]

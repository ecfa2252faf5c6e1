"""NetCDF files in a product's store, classic and netCDF-4, read lazily; and written whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath.errors import ProductError
from swath.io.netcdf._apart import read_apart
from swath.io.netcdf._classic import read_classic
from swath.io.netcdf._hdf5 import FRONT
from swath.io.netcdf._sink import Sink
from swath.io.netcdf._variable import Block, File, Variable

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["FRONT", "MAGICS", "Block", "File", "Sink", "Variable", "read_file"]

_HDF5 = b"\x89HDF\r\n\x1a\n"
_CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")

MAGICS = (_HDF5, *_CLASSIC)
"""First bytes of a netCDF file: netCDF-4, and the three classic formats."""


def read_file(store: Store, name: str) -> File:
    """Read the header of a netCDF file, and where its chunks lie.

    Raises
    ------
    ProductError
        The file is truncated, or no netCDF.
    MetadataError
        It has what no product has: more chunks than there can be, or a variable in a form that is not read.
    InputError
        h5py is needed and not installed.
    """
    start = store.read_range(name, 0, len(_HDF5))
    if start == _HDF5:
        return read_apart(store, name)
    if start[:4] in _CLASSIC:
        return read_classic(store, name)
    raise ProductError(
        f"{store.location}: {name} is no netCDF (it starts with {start.hex(' ') or 'nothing'}); "
        "get the product again"
    )

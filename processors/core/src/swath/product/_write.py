"""Writing products."""

from __future__ import annotations
import os
import xarray as xr


def write_product(
    tree: xr.DataTree, destination: str | os.PathLike[str], *, zarr_format: int = 2, overwrite: bool = False
) -> None:
    """Write a product as EOPF Zarr."""
    raise NotImplementedError

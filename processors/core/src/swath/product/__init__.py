"""Products as ``xarray.DataTree``: opening, grids and windows, chunks, and writing."""

from swath.product._chunks import ChunkSource, ahead_bytes, chunk_source, lazy_array, stored_bytes
from swath.product._cogs import write_cogs
from swath.product._encode import encoded
from swath.product._filters import Filters, select
from swath.product._layout import StoredArray, lay_out_store, write_arrays
from swath.product._locate import locate
from swath.product._open import READER_GROUP, Reader, open_product
from swath.product._prepare import prepare_dataset
from swath.product._subset import cut_window, placed, select_variables
from swath.product._validate import Finding, validate_product
from swath.product._waiting import WAITING
from swath.product._write import check_sources, write_product
from swath.product.grid import Grid
from swath.product.netcdf import write_netcdf
from swath.product.picture import write_picture
from swath.product.window import Window
from swath.product.zarr import open_overviews

__all__ = [
    "READER_GROUP",
    "WAITING",
    "ChunkSource",
    "Filters",
    "Finding",
    "Grid",
    "Reader",
    "StoredArray",
    "Window",
    "ahead_bytes",
    "check_sources",
    "chunk_source",
    "cut_window",
    "encoded",
    "lay_out_store",
    "lazy_array",
    "locate",
    "open_overviews",
    "open_product",
    "placed",
    "prepare_dataset",
    "select",
    "select_variables",
    "stored_bytes",
    "validate_product",
    "write_arrays",
    "write_cogs",
    "write_netcdf",
    "write_picture",
    "write_product",
]

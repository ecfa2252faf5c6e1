"""Products as ``xarray.DataTree``: opening, grids and windows, chunks, and writing."""

from swath.product._chunks import ChunkSource, chunk_source, lazy_array
from swath.product._open import READER_GROUP, Reader, open_product
from swath.product._subset import cut_window, placed, select_variables
from swath.product._write import check_sources, consolidate, prepare_dataset, write_product
from swath.product.grid import Grid
from swath.product.window import Window

__all__ = [
    "READER_GROUP",
    "ChunkSource",
    "Grid",
    "Reader",
    "Window",
    "check_sources",
    "chunk_source",
    "consolidate",
    "cut_window",
    "lazy_array",
    "open_product",
    "placed",
    "prepare_dataset",
    "select_variables",
    "write_product",
]

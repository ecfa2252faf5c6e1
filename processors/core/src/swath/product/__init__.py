"""Products as ``xarray.DataTree``: opening, grids and windows, chunks, and writing."""

from swath.product._chunks import ChunkSource, chunk_source, lazy_array
from swath.product._open import READER_GROUP, Reader, open_product
from swath.product._write import write_product
from swath.product.grid import Grid
from swath.product.window import Window

__all__ = [
    "READER_GROUP",
    "ChunkSource",
    "Grid",
    "Reader",
    "Window",
    "chunk_source",
    "lazy_array",
    "open_product",
    "write_product",
]

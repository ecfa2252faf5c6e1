"""Images in TIFF of one component, read block by block through a product's store."""

from swath.io.tiff._blocks import packed_bytes, read_rows
from swath.io.tiff._header import Header, read_header

__all__ = ["Header", "packed_bytes", "read_header", "read_rows"]

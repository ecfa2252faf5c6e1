"""Images in TIFF of one component, read block by block through a product's store."""

from swath.io.tiff._blocks import packed_bytes, packed_runs, read_rows
from swath.io.tiff._header import FRONT, Header, read_header

__all__ = ["FRONT", "Header", "packed_bytes", "packed_runs", "read_header", "read_rows"]

"""Images in TIFF, read block by block through a product's store: of one component, or of any kind."""

from swath.io.tiff._blocks import packed_bytes, packed_runs, read_rows
from swath.io.tiff._directory import Directory, read_directory
from swath.io.tiff._header import FRONT, Header, read_header

__all__ = [
    "FRONT",
    "Directory",
    "Header",
    "packed_bytes",
    "packed_runs",
    "read_directory",
    "read_header",
    "read_rows",
]

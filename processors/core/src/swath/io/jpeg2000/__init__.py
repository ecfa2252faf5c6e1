"""JPEG 2000 images, one codec tile at a time, knowing what each costs before reading it.

The file's boxes and the codestream's markers are parsed here (ISO/IEC 15444-1, annexes A and I); the pixels
are decoded by OpenJPEG, which lets other threads run meanwhile.
"""

from swath.io.jpeg2000._georeference import Georeference
from swath.io.jpeg2000._header import FRONT, Header, read_header
from swath.io.jpeg2000._tiles import TileIndex, index_tiles, read_tile

__all__ = ["FRONT", "Georeference", "Header", "TileIndex", "index_tiles", "read_header", "read_tile"]

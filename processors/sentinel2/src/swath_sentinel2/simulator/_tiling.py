"""Where a tile of the Sentinel-2 grid lies: from its name to a UTM zone and an upper left corner.

The grid is that of the Military Grid Reference System (NGA.STND.0037, Universal Grids and Grid Reference
Systems): a tile's name is a UTM zone, a latitude band and the two letters of a square of 100 km. Sentinel-2's
tiles are 109.8 km wide; their corners are put on multiples of 60 m so that all three grids fit, which was
seen on the tiles T01KAB, T01LAC, T19UDP and T55JEJ.
"""

import math
import re

from swath.errors import InputError

_COLUMNS = ("ABCDEFGH", "JKLMNPQR", "STUVWXYZ")
_ROWS = "ABCDEFGHJKLMNPQRSTUV"
_LATITUDE_BANDS = "CDEFGHJKLMNPQRSTUVWX"
_SQUARE = 100_000
_CYCLE = 2_000_000
_FALSE_NORTHING = 10_000_000
_METRES_PER_DEGREE = 110_700


def tile_corner(tile: str) -> tuple[int, int, int]:
    """Locate a tile.

    Parameters
    ----------
    tile
        For example ``T32TQM``.

    Returns
    -------
    tuple of int
        EPSG code, easting and northing of the outer corner of the upper left pixel, in metres.

    Raises
    ------
    InputError
        If there is no such tile.
    """
    found = re.fullmatch(r"T(\d\d)([C-HJ-NP-X])([A-HJ-NP-Z])([A-HJ-NP-V])", tile)
    zone = int(found[1]) if found else 0
    if not found or not 1 <= zone <= 60 or found[3] not in _COLUMNS[(zone - 1) % 3]:
        message = f"There is no tile {tile!r}: expected a name of the military grid like T32TQM."
        raise InputError(message)
    east = (_COLUMNS[(zone - 1) % 3].index(found[3]) + 1) * _SQUARE
    row = (_ROWS.index(found[4]) - (5 if zone % 2 == 0 else 0)) % 20 * _SQUARE
    southern = found[2] < "N"
    # The row letters repeat every 2000 km: take the repetition that is nearest to the latitude band's middle.
    latitude = -80 + 8 * _LATITUDE_BANDS.index(found[2]) + 4
    middle = latitude * _METRES_PER_DEGREE + (_FALSE_NORTHING if southern else 0)
    south = row + round((middle - row) / _CYCLE) * _CYCLE
    # A band is 8 degrees high, the northernmost 12; its edge bends by less than a degree within the zone.
    reach = 9 if found[2] == "X" else 5
    if abs(south + _SQUARE / 2 - middle) > reach * _METRES_PER_DEGREE:
        square, zone_name = found[3] + found[4], found[1] + found[2]
        message = f"There is no tile {tile!r}: square {square} does not lie in zone {zone_name}."
        raise InputError(message)
    north = south + _SQUARE
    if southern:
        top = _FALSE_NORTHING - (_FALSE_NORTHING - north) // 60 * 60
        return 32700 + zone, east // 60 * 60, top
    return 32600 + zone, east // 60 * 60, math.ceil(north / 60) * 60

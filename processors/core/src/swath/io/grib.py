"""GRIB, edition 1: fields on a regular grid of longitude and latitude, in simple packing.

That is what Sentinel-2 products carry. Source: WMO Manual on Codes, No. 306, FM 92 GRIB edition 1; sections
and octets below are numbered as there.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from swath.errors import ProductError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Field", "read_fields"]

MAX_POINTS = 1_000_000
"""More points than any such field has."""

_MINUTES = {0: 1, 1: 60, 2: 1440, 10: 180, 11: 360, 12: 720}
"""Table 4: minutes of each unit of time."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field."""

    table: int
    """Version of the table of parameters."""
    parameter: int
    """Number of the parameter in that table."""
    level_type: int
    """Table 3: 1 surface, 100 isobaric."""
    level: int
    """In hPa where the level is isobaric."""
    time: np.datetime64
    """Reference time, UTC."""
    step: np.timedelta64
    """From the reference time to that for which the field is."""
    latitude: npt.NDArray[np.float64]
    """Of the rows, degrees."""
    longitude: npt.NDArray[np.float64]
    """Of the columns, degrees."""
    values: npt.NDArray[np.float32]
    """(latitude, longitude); NaN where there is none."""


def read_fields(data: bytes, name: str) -> list[Field]:
    """Read all messages of a file.

    Parameters
    ----------
    data
        The file.
    name
        What the error message calls it.

    Raises
    ------
    ProductError
        It is no GRIB, is truncated, or has a grid, packing or edition that is not read here.
    """
    fields = []
    for at, message in _messages(data, name):
        try:
            fields.append(_field(message))
        except (IndexError, ValueError) as error:
            told = f"{name} is corrupt, GRIB message at byte {at}: {error}; get it again"
            raise ProductError(told) from None
    if not fields:
        raise ProductError(f"{name} is empty: there is no GRIB message in it; get it again")
    return fields


def _messages(data: bytes, name: str) -> Iterator[tuple[int, bytes]]:
    """Cut a file into its messages by the lengths that they tell (section 0)."""
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at + 4 : at + 7], "big")
        message = data[at : at + length]
        if data[at : at + 4] != b"GRIB" or length < 12 or message[-4:] != b"7777":
            raise ProductError(
                f"{name} is corrupt or truncated: expected a GRIB message at byte {at} of "
                f"{len(data)}; get it again"
            )
        if message[7] != 1:
            raise ProductError(f"{name}: GRIB edition {message[7]}, expected 1; it is not read here")
        yield at, message
        at += length


def _field(message: bytes) -> Field:
    product, rest = _section(message[8:-4], 28)
    if not product[7] & 0x80:
        raise ValueError("there is no grid (section 2)")
    grid, rest = _section(rest, 28)
    shape, latitude, longitude = _grid(grid)
    present = np.ones(shape[0] * shape[1], bool)
    if product[7] & 0x40:
        bitmap, rest = _section(rest, 6)
        if bitmap[4:6] != b"\0\0":
            raise ValueError("its bitmap is one that the centre keeps")
        bits = np.unpackbits(np.frombuffer(bitmap, np.uint8, offset=6))
        if len(bits) < len(present):
            raise ValueError("its bitmap (section 3) is shorter than its grid")
        present = bits[: len(present)].astype(bool)
    packed, rest = _section(rest, 11)
    if rest:
        raise ValueError(f"{len(rest)} bytes are left after its data")
    values = np.full(len(present), np.nan)
    values[present] = _unpacked(packed, int(present.sum()), _signed(product[26:28]))
    reference = _reference_time(product)
    return Field(
        table=product[3],
        parameter=product[8],
        level_type=product[9],
        level=int.from_bytes(product[10:12], "big"),
        time=reference,
        step=_step(product),
        latitude=latitude,
        longitude=longitude,
        values=_in_rows(values, shape, grid[27]).astype(np.float32),
    )


def _section(data: bytes, least: int) -> tuple[bytes, bytes]:
    """Return a section, by the length that its first three octets tell, and what comes after it."""
    length = int.from_bytes(data[:3], "big")
    if not least <= length <= len(data):
        raise ValueError(f"a section of {length} bytes, expected {least} to {len(data)}")
    return data[:length], data[length:]


def _signed(octets: bytes) -> int:
    """Return a number whose first bit is its sign."""
    value = int.from_bytes(octets, "big")
    sign = 1 << 8 * len(octets) - 1
    return -(value - sign) if value & sign else value


def _grid(section: bytes) -> tuple[tuple[int, int], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the shape, and the coordinates of rows and columns (section 2, table D)."""
    if section[5] != 0:
        raise ValueError(f"a grid of type {section[5]}, expected 0 (longitude and latitude)")
    columns, rows = (int.from_bytes(section[k : k + 2], "big") for k in (6, 8))
    if not 0 < rows * columns <= MAX_POINTS:
        raise ValueError(f"{rows} x {columns} points, expected 1 to {MAX_POINTS}")
    north, west, south, east = (_signed(section[k : k + 3]) / 1000 for k in (10, 13, 17, 20))
    if not (max(abs(north), abs(south)) <= 90 and max(abs(west), abs(east)) <= 360):
        raise ValueError("its corners lie beyond the Earth")
    return (
        (rows, columns),
        np.linspace(north, south, rows),
        np.linspace(west, east, columns),
    )


def _in_rows(values: npt.NDArray[np.float64], shape: tuple[int, int], mode: int) -> npt.NDArray[np.float64]:
    """Return (rows, columns); points may be told column by column (table 8).

    Rows and columns go from the first point to the last, as their coordinates do.
    """
    return values.reshape(shape[::-1]).T if mode & 0x20 else values.reshape(shape)


def _unpacked(section: bytes, count: int, decimal: int) -> npt.NDArray[np.float64]:
    """Unpack numbers (section 4): (reference + number 2^E) / 10^D."""
    if section[3] >> 4:
        raise ValueError(f"packing {section[3] >> 4:04b}, expected simple packing of a grid")
    scale, bits = _signed(section[4:6]), section[10]
    reference = _ibm_float(section[6:10])
    if bits > 32 or 8 * (len(section) - 11) < count * bits:
        raise ValueError(f"{len(section) - 11} bytes of data, expected {count} numbers of {bits} bits")
    if abs(scale) > 500 or abs(decimal) > 100:
        raise ValueError(f"scales 2^{scale} and 10^{decimal} that make no sense")
    numbers = np.zeros(count)
    if bits:
        stream = np.unpackbits(np.frombuffer(section, np.uint8, offset=11), count=count * bits)
        numbers = stream.reshape(count, bits) @ (2.0 ** np.arange(bits - 1, -1, -1))
    with np.errstate(over="ignore", invalid="ignore"):
        values: npt.NDArray[np.float64] = (reference + numbers * math.ldexp(1.0, scale)) / 10.0**decimal
    if not (np.abs(values) <= np.finfo(np.float32).max).all():
        raise ValueError("numbers that are too large")
    return values


def _ibm_float(octets: bytes) -> float:
    """Return a number of base 16, exponent in excess of 64, of 24 bits."""
    sign = -1.0 if octets[0] & 0x80 else 1.0
    return sign * int.from_bytes(octets[1:], "big") / (1 << 24) * 16.0 ** ((octets[0] & 0x7F) - 64)


def _reference_time(section: bytes) -> np.datetime64:
    year = (section[24] - 1) * 100 + section[12]
    return np.datetime64(datetime(year, *section[13:17]), "ns")  # noqa: DTZ001 -- UTC, as all of numpy's


def _step(section: bytes) -> np.timedelta64:
    """Return how long after the reference time the field is (tables 4 and 5)."""
    unit, first, second, kind = section[17:21]
    if unit not in _MINUTES:
        raise ValueError(f"steps of unit {unit}, expected one of {sorted(_MINUTES)}")
    length = 0 if kind == 1 else first if kind == 0 else (first << 8 | second) if kind == 10 else second
    return np.timedelta64(length * _MINUTES[unit] * 60_000_000_000, "ns")

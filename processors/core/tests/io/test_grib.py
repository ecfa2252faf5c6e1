"""GRIB edition 1: packings of all kinds that occur, read as GDAL reads them; what is damaged is refused."""

import contextlib

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from swath.errors import ProductError
from swath.io.grib import read_fields

VALUES = np.arange(12) * 7 % 31


def signed(value: int, octets: int) -> bytes:
    return (abs(value) | (1 << 8 * octets - 1 if value < 0 else 0)).to_bytes(octets, "big")


def message(
    numbers=VALUES, *, bits=16, scale=0, decimal=0, reference=b"\x42\x64\0\0", bitmap=None, edition=1,
    grid_type=0, packing=0, unit=1, first=3, kind=0, mode=0,
) -> bytes:  # fmt: skip
    """Make a field of 3 rows and 4 columns; the reference is 100 by default."""
    flags = 0x80 | (0x40 if bitmap is not None else 0)
    product = bytes([0, 0, 28, 128, 98, 1, 255, flags, 137, 100, 3, 232, 24, 2, 29])
    product += bytes([6, 30, unit, first, 0, kind])
    product += bytes([0, 0, 0, 21, 0]) + signed(decimal, 2)
    grid = bytes([0, 0, 32, 0, 255, grid_type, 0, 4, 0, 3])
    grid += signed(50000, 3) + signed(-10000, 3) + bytes([0x80])
    grid += signed(49000, 3) + signed(-8500, 3) + bytes([1, 0xF4, 1, 0xF4, mode, 0, 0, 0, 0])
    masked = b""
    if bitmap is not None:
        packed = np.packbits(np.array(bitmap, np.uint8)).tobytes()
        masked = (6 + len(packed)).to_bytes(3, "big") + bytes([8 * len(packed) - len(bitmap), 0, 0]) + packed
    stream = np.array([[n >> k & 1 for k in range(bits - 1, -1, -1)] for n in numbers], np.uint8).ravel()
    data = np.packbits(stream).tobytes() if bits else b""
    data += b"\0" * ((11 + len(data)) % 2)
    unused = 8 * len(data) - len(stream)
    body = (11 + len(data)).to_bytes(3, "big") + bytes([packing << 4 | unused]) + signed(scale, 2)
    body += reference + bytes([bits]) + data
    whole = product + grid + masked + body
    return b"GRIB" + (12 + len(whole)).to_bytes(3, "big") + bytes([edition]) + whole + b"7777"


CASES = {
    "16 bits": {},
    "5 bits": {"bits": 5},
    "13 bits, scaled": {"bits": 13, "scale": -4, "decimal": 1},
    "24 bits, scaled up": {"bits": 24, "scale": 3, "decimal": -1},
    "no bits: all the same": {"bits": 0},
    "a negative reference": {"reference": b"\xc1\x20\0\0"},
    "a bitmap": {"numbers": VALUES[:9], "bitmap": [1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 0, 1]},
}


@pytest.mark.parametrize("case", CASES)
def test_numbers_are_those_of_gdal(case, tmp_path):
    (tmp_path / "field.grb").write_bytes(message(**CASES[case]))
    (field,) = read_fields((tmp_path / "field.grb").read_bytes(), "field")
    with rasterio.Env(GRIB_NORMALIZE_UNITS="NO"), rasterio.open(tmp_path / "field.grb") as file:
        expected = file.read(1, masked=True).filled(np.nan)
        places = [file.xy(0, 0), file.xy(2, 3)]
    np.testing.assert_allclose(field.values, expected, rtol=3e-7)
    np.testing.assert_allclose([(field.longitude[k], field.latitude[k]) for k in (0, -1)], places, atol=1e-6)


@pytest.mark.parametrize(
    ("given", "minutes"),
    [({}, 180), ({"unit": 0, "kind": 10}, 768), ({"kind": 1}, 0), ({"unit": 2}, 4320), ({"unit": 11}, 1080)],
)
def test_times_are_those_of_the_tables(given, minutes):
    (field,) = read_fields(message(**given), "field")
    assert field.time == np.datetime64("2024-02-29T06:30")
    assert field.step == np.timedelta64(minutes, "m")
    assert (field.table, field.parameter, field.level_type, field.level) == (128, 137, 100, 1000)


def test_columns_may_come_first():
    (rows,), (columns,) = read_fields(message(), "rows"), read_fields(message(mode=0x20), "columns")
    np.testing.assert_array_equal(columns.values, rows.values.reshape(4, 3).T)


def test_several_messages_are_several_fields():
    both = read_fields(message() + message(decimal=1), "file")
    assert [float(field.values[0, 1]) for field in both] == [107, pytest.approx(10.7)]


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"edition": 2}, "edition 2, expected 1"),
        ({"grid_type": 50}, "a grid of type 50"),
        ({"packing": 0b0100}, "packing 0100, expected simple"),
        ({"unit": 4}, "steps of unit 4"),
        ({"scale": 900}, r"scales 2\^900"),
        ({"bitmap": [1] * 3}, "shorter than its grid"),
    ],
)
def test_what_is_not_read_is_told(given, told):
    with pytest.raises(ProductError, match=told):
        read_fields(message(**given), "field")


@given(st.data())
def test_damage_is_refused_or_harmless(data):
    whole = bytearray(message())
    for place in data.draw(st.lists(st.integers(0, len(whole) - 1), max_size=4)):
        whole[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(ProductError):
        read_fields(bytes(whole[: data.draw(st.integers(0, len(whole)))]), "field")

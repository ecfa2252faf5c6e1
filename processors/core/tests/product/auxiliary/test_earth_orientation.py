"""IERS Bulletin A: rows as they are printed, and what holds between them."""

import re

import numpy as np
import pytest
import swath
import xarray as xr
from swath.errors import InputError, ProductError
from swath.product.auxiliary import earth_orientation_at, read_earth_orientation


@pytest.fixture(scope="module")
def bulletin(samples):
    return next(samples.glob("s2/gipp_aux/*UT1UTC*/*.DBL"))


def test_rows_are_those_that_are_printed(bulletin):
    found = read_earth_orientation(bulletin)
    text = bulletin.read_text()
    rows = {
        "final": r"^ +22 +2 +2 +59612 +(\S+) +(\S+) +(\S+)",
        "rapid": r"^ +22 +4 +5 +59674 +(\S+) +\S+ +(\S+) +\S+ +(\S+)",
        "predicted": r"^ +2022 +4 +13 +59682 +(\S+) +(\S+) +(\S+)",
    }
    for (kind, pattern), day in zip(rows.items(), ("2022-02-02", "2022-04-05", "2022-04-13"), strict=True):
        expected = [float(value) for value in re.search(pattern, text, re.MULTILINE).groups()]
        row = found.sel(time=day)
        assert [row.pole_x, row.pole_y, row.ut1_utc] == expected
        assert found.kind.attrs["flag_meanings"][int(row.kind)] == kind
    predicted = len(re.findall(r"^ +202[23] +\d+ +\d+ +\d{5} ", text, re.MULTILINE))
    assert predicted == 365
    assert int((found.kind == 2).sum()) == predicted
    assert found.time.values[-1] == np.datetime64("2023-04-07")


def test_values_between_days_are_on_the_line_between(bulletin):
    orientation = read_earth_orientation(bulletin)
    noon = earth_orientation_at(orientation, "2022-04-13T12:00:00")
    assert noon.ut1_utc == pytest.approx((-0.09629 + float(orientation.ut1_utc.sel(time="2022-04-14"))) / 2)
    both = earth_orientation_at(orientation, ["2022-04-13", "2022-04-13T06:00"])
    assert both.ut1_utc[0] == -0.09629
    assert both.sizes == {"time": 2}


def test_a_leap_second_is_not_smeared():
    time = np.array(["2016-12-31", "2017-01-01"], "M8[ns]")
    units = {"units": "s"}
    jump = xr.Dataset(
        {name: ("time", [-0.4086, 0.5903], units) for name in ("ut1_utc", "pole_x", "pole_y")}, {"time": time}
    )
    evening = earth_orientation_at(jump, "2016-12-31T23:00:00").ut1_utc
    assert evening == pytest.approx(-0.4086 - 0.0011 * 23 / 24, abs=1e-9)
    assert earth_orientation_at(jump, "2017-01-01").ut1_utc == pytest.approx(0.5903)


def test_nothing_is_extrapolated(bulletin):
    with pytest.raises(InputError, match="tells of 2022-02-02 to 2023-04-07"):
        earth_orientation_at(read_earth_orientation(bulletin), "2024-01-01")


def test_the_auxiliary_file_of_sentinel_2_opens(bulletin):
    tree = swath.open_product(bulletin.parent)
    item = tree.attrs["stac_discovery"]
    assert item["properties"]["product:type"] == "AUX_UT1UTC"
    assert item["properties"]["start_datetime"] == "2022-04-08T00:00:00Z"
    assert tree.to_dataset().drop_attrs().equals(read_earth_orientation(bulletin).drop_attrs())


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("I E R S   B U L L E T I N - A", "something else", "no IERS Bulletin A"),
        ("2022  4 13  59682", "2022  4 14  59682", "MJD 59682 is 2022-04-13"),
    ],
)
def test_what_is_no_bulletin_is_refused(bulletin, tmp_path, old, new, told):
    text = bulletin.read_text()
    assert old in text
    path = tmp_path / "bulletin.txt"
    path.write_text(text.replace(old, new))
    with pytest.raises(ProductError, match=told):
        read_earth_orientation(path)


def test_a_place_with_nothing(tmp_path):
    with pytest.raises(ProductError, match="give the path of an IERS Bulletin A"):
        read_earth_orientation(tmp_path / "nothing.txt")

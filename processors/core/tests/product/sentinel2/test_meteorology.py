"""Meteorology in GRIB: fields agree with GDAL's decoder."""

import contextlib
import shutil
from pathlib import Path

import numpy as np
import pytest
import rasterio
import swath
from swath.errors import ProductError

GRIB = "AUX_DATA/AUX_ECMWFT"


@pytest.fixture
def grib(sample_safe) -> Path:
    return next(sample_safe.glob(f"GRANULE/*/{GRIB}"))


def test_fields_are_those_of_gdal(sample_safe, grib):
    found = swath.open_product(sample_safe)["/conditions/meteorology/ecmwf"].to_dataset()
    assert set(found.data_vars) == {"tco3", "tcwv", "msl"}
    with rasterio.open(grib) as file:
        names = [file.tags(k)["GRIB_ELEMENT"] for k in file.indexes]
        expected = dict(zip(names, file.read(), strict=True))
        centres = [file.xy(row, column) for row, column in ((0, 0), (file.height - 1, file.width - 1))]
        times = {file.tags(k)["GRIB_REF_TIME"] + " " + file.tags(k)["GRIB_VALID_TIME"] for k in file.indexes}
    # GDAL names fields by the tables of GRIB, so that they are told apart by what they hold.
    for array in found.data_vars.values():
        values = min(expected.values(), key=lambda v: abs(float(v.mean()) - float(array.mean())))
        np.testing.assert_allclose(array, values, rtol=2e-7)
    assert len(expected) == 3
    corners = [(found.longitude[k], found.latitude[k]) for k in (0, -1)]
    np.testing.assert_allclose(corners, centres, atol=1e-6)
    (both,) = times
    seconds = [int(word) for word in both.replace("sec", " ").split() if word.isdigit()]
    assert [np.datetime64(s, "s") for s in seconds] == [found.time.values, found.valid_time.values]


def test_attributes_are_those_of_cf(sample_safe):
    found = swath.open_product(sample_safe)["/conditions/meteorology/ecmwf"]
    assert found["tcwv"].attrs["units"] == "kg m**-2"
    assert found["msl"].attrs["standard_name"] == "air_pressure_at_mean_sea_level"
    assert (found["tco3"].attrs["GRIB_table"], found["tco3"].attrs["GRIB_parameter"]) == (128, 206)
    assert found["tcwv"].dtype == np.float32


@pytest.mark.parametrize("length", [0, 3, 100, 500, 809])
def test_a_truncated_file_is_refused(safe, length):
    path = next(safe.glob(f"GRANULE/*/{GRIB}"))
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ProductError, match=r"AUX_ECMWFT .*(truncated|empty)"):
        swath.open_product(safe)


def test_damaged_fields_are_refused_or_read_but_never_crash(safe):
    path = next(safe.glob(f"GRANULE/*/{GRIB}"))
    whole = path.read_bytes()
    random = np.random.default_rng(7)
    for place in random.integers(0, len(whole), 120):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ int(random.integers(1, 256))]) + whole[place + 1 :]
        )
        with contextlib.suppress(ProductError):
            swath.open_product(safe)


def test_a_zip_has_the_same(sample_zip, sample_safe, tmp_path):
    shutil.copy(sample_zip, tmp_path / "product.zip")
    zipped = swath.open_product(tmp_path / "product.zip")["/conditions/meteorology/ecmwf"].to_dataset()
    assert zipped.identical(swath.open_product(sample_safe)["/conditions/meteorology/ecmwf"].to_dataset())


def test_reference_systems_are_known_after_the_weather_was_read(sample_safe):
    """In a process of its own: two copies of one library in a process have ended it."""
    import subprocess
    import sys

    code = (
        "import sys, swath\n"
        "swath.open_product(sys.argv[1])\n"
        "from pyproj import CRS\n"
        "print(CRS.from_user_input('EPSG:32755').to_epsg())\n"
    )
    command = [sys.executable, "-W", "error::UserWarning", "-c", code, str(sample_safe)]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "32755\n"

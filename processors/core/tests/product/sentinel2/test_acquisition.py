"""What the metadata of a datastrip tells of a product of level 1C."""

import shutil
import zipfile

import numpy as np
import pytest
import swath
from swath.errors import ProductError
from swath.product.sentinel2 import open_ancillary_data


@pytest.fixture(scope="module")
def ancillary(sample_zip):
    return open_ancillary_data(sample_zip)


def test_the_orbit_is_that_of_the_metadata(ancillary):
    orbit = ancillary["ephemeris/aocs_ephemeris"]
    assert orbit.sizes == {"packet_number": 456}
    assert orbit["position_x"].values[0] == -4354163.83243627
    assert orbit["velocity_z"].values[0] == pytest.approx(-7035.8074456123, abs=1e-9)
    height = np.hypot(np.hypot(orbit["position_x"], orbit["position_y"]), orbit["position_z"])
    assert ((height > 7.14e6) & (height < 7.19e6)).all()


def test_positions_by_gps_have_errors_and_times(ancillary):
    points = ancillary["ephemeris/gps_points"]
    assert points["position_x"].values[0] == -5896281520
    assert points["position_errors_z"].values[0] == 554
    assert points["gps_time"].values[0] == np.datetime64("2017-12-07T00:21:53")


def test_the_setting_of_the_instrument_is_read_without_the_orbit(sample_zip):
    other = swath.open_product(sample_zip).attrs["other_metadata"]
    assert other["nuc_table_id"] == 2
    assert other["l0_ephemeris_data_quality"] == 3
    assert other["electronic_crosstalk_correction_flag"] is None  # not told
    assert other["band_description"]["01"]["onboard_compression_rate"] == 2.655
    assert other["band_description"]["12"]["onboard_integration_time"] > 0


def test_refuses_a_product_without_a_datastrip(safe):
    shutil.rmtree(safe / "DATASTRIP")
    with pytest.raises(ProductError, match="DATASTRIP"):
        open_ancillary_data(safe)


def test_a_datastrip_of_another_shape_is_read_whole(sample_zip, safe):
    with zipfile.ZipFile(sample_zip) as archive:
        name = next(name for name in archive.namelist() if name.endswith("/MTD_DS.xml"))
        data = archive.read(name)
    start, end = data.index(b"<n1:Image_Data_Info"), data.index(b"<n1:Satellite_Ancillary")
    moved = data[:start] + data[end : data.index(b"<n1:Quality_Ind")] + data[start:end]
    moved += data[data.index(b"<n1:Quality_Ind") :]
    shutil.rmtree(safe / "DATASTRIP", ignore_errors=True)
    folder = safe / "DATASTRIP/DS_1"
    folder.mkdir(parents=True)
    (folder / "MTD_DS.xml").write_bytes(moved)
    assert swath.open_product(safe).attrs["other_metadata"]["nuc_table_id"] == 2

"""Level-0 metadata: numbers are those that XPath finds, and the satellite looks at the Earth."""

import time

import numpy as np
import pytest
import swath
import xarray as xr
from lxml import etree
from swath.errors import MetadataError
from swath.product import validate_product

ANCILLARY = "/conditions/ancillary_data"


@pytest.fixture(scope="module")
def document(datastrip):
    return etree.parse(str(next(datastrip.glob("S2B_OPER_MTD_L0__DS_*.xml"))))


@pytest.fixture(scope="module")
def tree(datastrip):
    return swath.open_product(datastrip)


def numbers(document, path):
    return np.array([text.split() for text in document.xpath(f"//{path}/text()")], float)


def times(document, path):
    return np.array([text.rstrip("Z")[:29] for text in document.xpath(f"//{path}/text()")], "M8[ns]")


def stacked(dataset, name, axes="xyz"):
    return np.stack([dataset[f"{name}_{axis}"].values for axis in axes], -1)


def test_orbits_have_the_digits_of_the_metadata(tree, document):
    for group, path, count in (("gps_points", "GPS_Point", 200), ("aocs_ephemeris", "AOCS_Ephemeris", 200)):
        found = tree[f"{ANCILLARY}/ephemeris/{group}"].to_dataset()
        assert found.sizes == {"packet_number": count}
        for name in ("position", "velocity"):
            np.testing.assert_array_equal(
                stacked(found, name), numbers(document, f"{path}/{name.upper()}_VALUES")
            )
        np.testing.assert_array_equal(found.gps_time, times(document, f"{path}/GPS_TIME"))
    assert found.gps_time.values[0] == np.datetime64("2025-08-01T07:06:07.330892562")
    assert found.position_x.attrs["units"] == "m"


def test_attitudes_have_the_digits_of_the_metadata(tree, document):
    found = tree[f"{ANCILLARY}/attitudes/corrected_attitudes"].to_dataset()
    expected = numbers(document, "Corrected_Attitudes/Values/QUATERNION_VALUES")
    assert expected.shape == (2000, 4)
    np.testing.assert_array_equal(stacked(found, "quaternion", "xyzs"), expected)
    np.testing.assert_array_equal(found.gps_time, times(document, "Corrected_Attitudes/Values/GPS_TIME"))
    flags = document.xpath("//Corrected_Attitudes/Values[1]/INUSE_FLAGS/text()")[0].split()
    assert [bool(found[f"inuse_flag_{k}"][0]) for k in range(1, 12)] == [flag == "true" for flag in flags]
    for unit in ("STR1", "STR2"):
        tracker = tree[f"{ANCILLARY}/attitudes/raw_attitudes/attitude_data/{unit.lower()}"].to_dataset()
        path = f"STR[@strId='{unit}']//Attitude_Data"
        np.testing.assert_array_equal(
            stacked(tracker, "quaternion", "xyzs"), numbers(document, f"{path}/QUATERNION_VALUES")
        )
        np.testing.assert_array_equal(tracker.gps_time, times(document, f"{path}/GPS_TIME"))
    # The third star tracker gave no attitude, only its health.
    assert "str3" in tree[f"{ANCILLARY}/attitudes/raw_attitudes/status_and_health_data"]
    assert "str3" not in tree[f"{ANCILLARY}/attitudes/raw_attitudes/attitude_data"]


def turned(quaternion, vector):
    """Turn vectors by quaternions whose scalar comes last."""
    axis, scalar = quaternion[:, :3], quaternion[:, 3:]
    return vector + 2 * np.cross(axis, np.cross(axis, vector) + scalar * vector)


def test_the_satellite_looks_down(tree):
    """The z axis, turned by the attitude, points to the Earth's centre: order and sense are right."""
    attitude = tree[f"{ANCILLARY}/attitudes/corrected_attitudes"].to_dataset()
    orbit = tree[f"{ANCILLARY}/ephemeris/aocs_ephemeris"].to_dataset()
    inside = slice(20, 1900)
    seconds = (attitude.gps_time - orbit.gps_time[0]).values[inside] / np.timedelta64(1, "s")
    known = (orbit.gps_time - orbit.gps_time[0]).values / np.timedelta64(1, "s")
    position = np.stack([np.interp(seconds, known, orbit[f"position_{axis}"]) for axis in "xyz"], -1)
    down = -position / np.linalg.norm(position, axis=1)[:, None]
    quaternion = stacked(attitude, "quaternion", "xyzs")[inside]
    np.testing.assert_allclose(np.linalg.norm(quaternion, axis=1), 1, atol=1e-9)
    z = turned(quaternion, np.broadcast_to([0.0, 0.0, 1.0], (len(quaternion), 3)))
    off = np.degrees(np.arccos(np.clip((z * down).sum(axis=1), -1, 1)))
    assert off.max() < 0.03
    wrong = turned(np.roll(quaternion, 1, axis=1), np.broadcast_to([0.0, 0.0, 1.0], (len(quaternion), 3)))
    assert np.degrees(np.arccos((wrong * down).sum(axis=1))).min() > 10


def test_temperatures_have_the_digits_of_the_metadata(tree, document):
    thermal = tree[f"{ANCILLARY}/thermal_data"].to_dataset()
    for name, path in {
        "fpa_vnir": "FPA[@fpaId='VNIR']/Value",
        "fee_swir": "FEE[@feeId='SWIR']/Value",
        "mirror_3": "Mirror[@mirrorId='3']/Value",
        "sensor_temperature_2": "ThSensor[@sensorId='-X-Z']/Value",
        "splitter_top": "Splitter[@splitterId='top-X']/Value",
        "str_sensorplate_2": "STR_Sensorplate[@sensorplateId='2']/Value",
        "imu_sensorplate": "IMU_Sensorplate",
    }.items():
        np.testing.assert_array_equal(thermal[name], numbers(document, f"{path}/T")[:, 0], err_msg=name)
    np.testing.assert_array_equal(thermal.gps_time, times(document, "FPA[1]/Value/GPS_TIME"))
    assert thermal.fpa_vnir.attrs["units"] == "degC"


def test_times_of_lines_and_source_packets_are_by_detector_and_band(tree, document):
    stamps, packets = tree["/conditions/time_stamp"], tree["/conditions/source_packets"]
    for band, detector in (("b01", 1), ("b8a", 7), ("b12", 12)):
        number = list(stamps.band.values).index(band)
        path = f"Band_Time_Stamp[@bandId='{number}']/Detector[@detectorId='{detector:02}']"
        found = stamps.to_dataset().sel(band=band, detector=detector)
        assert found.gps_time.values == times(document, f"{path}/GPS_TIME")[0]
        path = f"Source_Packet_Counters_List//Detector[@detectorId='{detector:02}']//Band[@bandId='{number}']"
        count = packets["nb_of_source_packets"].sel(band=band, detector=detector)
        assert count == numbers(document, f"{path}/NB_OF_SOURCE_PACKETS")[0, 0]
    assert stamps["line_period"] == 1.5658736
    granules = tree["/conditions/granules"]
    assert granules.sizes == {"granule": 432}
    (last,) = document.xpath("(//Granules_Information//Granule)[36]/@granuleId")
    assert granules["granule_id"].values[35] == last


def test_the_geometry_of_the_quick_look_is_there(tree, document):
    look = tree["/conditions/geometry/quick_look"].to_dataset()
    assert look.sizes == {"line": 44, "place": 3}
    expected = numbers(document, "Located_Geometric_Header/Solar_Angles/ZENITH_ANGLE").reshape(44, 3)
    np.testing.assert_array_equal(look.solar_zenith, expected)
    directions = tree["/conditions/geometry/viewing_directions"]
    np.testing.assert_array_equal(directions["tan_psi_x"], numbers(document, "TAN_PSI_X_LIST")[0])


def test_attributes_tell_the_acquisition(tree):
    item, other = tree.attrs["stac_discovery"], tree.attrs["other_metadata"]
    properties = item["properties"]
    assert item["id"] == "S2B_OPER_MSI_L0__DS_2BPS_20250801T074015_S20250801T070620"
    assert (properties["platform"], properties["product:type"]) == ("sentinel-2b", "S02MSIL0_DS")
    assert (properties["sat:relative_orbit"], properties["sat:absolute_orbit"]) == (106, 43890)
    assert properties["start_datetime"] == "2025-08-01T07:06:20.464Z"
    assert item["bbox"][1] > 60
    assert other["iers_bulletin"]["ut1_utc"] == 0.06205
    assert len(other["gipp"]) == 25


def test_the_archive_as_it_is_delivered_reads_as_the_folder(samples, tree):
    archive = next(samples.glob("s2/l0/S2B_OPER_MSI_L0__DS_*.tar.gz"))
    xr.testing.assert_identical(swath.open_product(archive), tree)


def test_a_granule_tells_its_place(level0):
    tree = swath.open_product(next(level0.glob("S2B_OPER_MSI_L0__GR_*")))
    assert tree.attrs["other_metadata"]["detector"] == 4
    assert tree["/conditions/geometry"]["solar_zenith"] == 63.1932140822227
    assert tree["/conditions/geometry"]["latitude"] == 79.8841422751394
    packets = tree["/conditions/source_packets"]
    assert packets.sizes == {"band": 13}
    assert packets["nb_of_source_packets"][0] == 24
    west, south, east, north = tree.attrs["stac_discovery"]["bbox"]
    assert south < 79.8841422751394 < north
    assert west < 102.642763513321 < east


def test_unconsolidated_datastrips_and_granules_have_what_was_known_then(level0):
    datastrip = swath.open_product(next(level0.glob("DT35/DS/S2B_OPER_MSI_L0U_DS*")))
    assert datastrip.attrs["stac_discovery"]["properties"]["processing:level"] == "L0U"
    assert datastrip["/conditions/source_packets"]["nb_of_source_packets"][0, 0] == 1008
    assert ANCILLARY not in datastrip.groups
    found = sorted(level0.glob("DT35/GR/DB1/S2B_OPER_MSI_L0U_GR*/*.xml"))
    assert len(found) > 5
    for path in found:
        granule = swath.open_product(path.parent)
        assert granule.attrs["other_metadata"]["detector"] == int(path.stem[-2:])
        assert granule.attrs["stac_discovery"]["geometry"] is None


def test_names_are_those_of_the_model(tree, level0):
    assert not [f for f in validate_product(tree) if f.level == "error"]
    granule = swath.open_product(next(level0.glob("S2B_OPER_MSI_L0__GR_*")))
    assert not [f for f in validate_product(granule) if f.level == "error"]


def test_opening_takes_a_few_times_what_the_parser_takes(datastrip, document):
    """The whole, a hundred thousand elements in columns, against parsing alone, in the same run."""
    path = document.docinfo.URL

    def seconds(action):
        start = time.process_time()
        action()
        return time.process_time() - start

    turns = [
        (seconds(lambda: etree.parse(path)), seconds(lambda: swath.open_product(datastrip))) for _ in range(5)
    ]
    parsing, opening = (min(times) for times in zip(*turns, strict=True))
    # About six times; twice that where coverage counts our lines and not the parser's.
    assert opening < 40 * parsing


@pytest.mark.parametrize(
    ("pattern", "text", "told"),
    [
        (r"(<QUATERNION_VALUES>)\S+ ", r"\1", "QUATERNION_VALUES is not 4 numbers everywhere"),
        (r"(<QUATERNION_VALIDITY>)true", r"\1maybe", "QUATERNION_VALIDITY is neither true nor false"),
        (r"(<INUSE_FLAGS>)true", r"\1perhaps", "INUSE_FLAGS is not 11 truth values"),
        (r'(<Band_Time_Stamp bandId=")0"', r'\g<1>99"', "bandId='99'"),
        (r'(<Detector detectorId=")01"', r'\g<1>00"', "detectorId is 0, expected 1 to 12"),
        (r'(pos=")center"', r'\1corner"', "pos is 'corner'"),
        (r"(<IMT>)\d+", r"\1soon", "IMT has something else than numbers"),
    ],
)
def test_what_makes_no_sense_is_told_with_its_line(datastrip, change, tmp_path, pattern, text, told):
    (source,) = datastrip.glob("S2B_OPER_MTD_L0__DS_*.xml")
    copy = tmp_path / source.name
    copy.write_bytes(source.read_bytes())
    change(copy, pattern, text)
    with pytest.raises(MetadataError, match=rf"line \d+: .*{told}"):
        swath.open_product(tmp_path)

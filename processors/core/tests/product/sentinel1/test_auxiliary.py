"""Auxiliary data: orbits, antenna patterns, instrument and processing parameters."""

import re
import shutil
import zipfile
from xml.etree import ElementTree as ET

import numpy as np
import pytest
import swath
import xarray as xr
from swath.errors import MetadataError, ProductError
from swath.io.isp import _tables
from swath.product.sentinel1 import _level0, read_orbit


@pytest.fixture(scope="module")
def orbit_file(samples):
    return next((samples / "s1/orbits").glob("*RESORB*.EOF"))


@pytest.fixture(scope="module")
def instrument(samples):
    return next((samples / "s1/aux").glob("S1B_AUX_INS*"))


def document(safe):
    return ET.parse(next(safe.glob("data/*.xml"))).getroot()


def test_an_orbit_has_the_digits_of_its_file(orbit_file):
    orbit = read_orbit(orbit_file)
    vectors = ET.parse(orbit_file).getroot().findall(".//OSV")
    assert orbit.sizes == {"azimuth_time": len(vectors), "axis": 3} == {"azimuth_time": 1186, "axis": 3}
    told = [[float(v.findtext(axis)) for axis in ("X", "Y", "Z")] for v in vectors]
    np.testing.assert_array_equal(orbit.position, told)
    told = [[float(v.findtext(axis)) for axis in ("VX", "VY", "VZ")] for v in vectors]
    np.testing.assert_array_equal(orbit.velocity, told)
    assert str(orbit.azimuth_time.values[0]) == "2017-12-13T10:27:37.593331000"
    assert (orbit.attrs["file_type"], orbit.attrs["reference_frame"]) == ("AUX_RESORB", "EARTH_FIXED")


def test_an_orbit_makes_physical_sense(orbit_file):
    """Earth-fixed velocity is how the position changes."""
    orbit = read_orbit(orbit_file)
    seconds = (orbit.azimuth_time - orbit.azimuth_time[0]) / np.timedelta64(1, "s")
    change = np.gradient(orbit.position.values, seconds.values, axis=0, edge_order=2)
    # Second differences over 10 s: the third derivative of an orbit is some 1e-2 m/s3.
    np.testing.assert_allclose(change[1:-1], orbit.velocity.values[1:-1], atol=0.5)


def test_orbit_files_with_a_namespace_are_read(samples):
    orbit = read_orbit(next((samples / "aux/orbit_eocfi").glob("*ORBRES*.EOF")))
    assert orbit.sizes["azimuth_time"] == 19
    assert orbit.attrs["file_type"] == "AUX_ORBRES"


@pytest.mark.parametrize("packed", [False, True])
def test_an_orbit_opens_as_a_product_by_itself_and_in_a_zip(orbit_file, tmp_path, packed):
    with zipfile.ZipFile(tmp_path / "orbit.zip", "w") as archive:
        archive.write(orbit_file, orbit_file.name)
    tree = swath.open_product(tmp_path / "orbit.zip" if packed else orbit_file)
    xr.testing.assert_equal(tree.to_dataset(), read_orbit(orbit_file))
    assert tree.attrs["stac_discovery"]["properties"]["platform"] == "sentinel-1a"


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("<UTC>UTC=2017-12-13T10:27:47", "<UTC>UTC=2017-12-13T09:27:47", "do not increase"),
        ("<UTC>UTC=2017-12-13T10:27:47", "<UTC>UTC=2017-12-33T10:27:47", "UTC is 'UTC=2017-12-33"),
        ('<X unit="m">-2805892.583633</X>', '<X unit="m">far</X>', "X has something else than numbers"),
        ("<List_of_OSVs", "<List_of_Nothing", "malformed"),
    ],
)
def test_an_orbit_file_that_makes_no_sense(orbit_file, tmp_path, old, new, told):
    text = orbit_file.read_text()
    assert old in text
    (tmp_path / "orbit.EOF").write_text(text.replace(old, new))
    with pytest.raises(MetadataError, match=told):
        read_orbit(tmp_path / "orbit.EOF")


def test_what_is_no_orbit_file(tmp_path):
    (tmp_path / "other.EOF").write_text("<Earth_Explorer_File/>")
    with pytest.raises(MetadataError, match="it is no orbit file"):
        read_orbit(tmp_path / "other.EOF")
    with pytest.raises(ProductError, match="cannot read"):
        read_orbit(tmp_path / "nothing.EOF")


def test_antenna_patterns_have_the_numbers_of_the_file(samples):
    archive = next((samples / "s1/aux").glob("S1B_AUX_CAL*.zip"))
    tree = swath.open_product(archive)
    with zipfile.ZipFile(archive) as file:
        name = next(n for n in file.namelist() if "/data/" in n)
        root = ET.fromstring(file.read(name))
    beams = root.findall(".//calibrationParams")
    assert len(beams) == 88
    for beam in beams:
        found = tree[f"{beam.findtext('swath')}/{beam.findtext('polarisation')}"]
        told = np.array(beam.findtext("elevationAntennaPattern/values").split(), float)
        np.testing.assert_array_equal(found.elevation_antenna_pattern.values.view(float), told)
        told = np.array(beam.findtext("azimuthAntennaPattern/values").split(), float)
        np.testing.assert_array_equal(found.azimuth_antenna_pattern, told)
        assert float(found.absolute_calibration_constant) == float(
            beam.findtext("absoluteCalibrationConstant")
        )
    pattern = tree["IW1/VV/azimuth_antenna_pattern"]
    assert (
        abs(float(pattern.azimuth_angle[pattern.argmax(...)["azimuth_angle"]])) < 0.1
    )  # strongest where it looks
    np.testing.assert_allclose(pattern.azimuth_angle[[0, -1]], [-1, 1])
    assert tree.attrs["stac_discovery"]["id"] == "S1B_AUX_CAL_V20160422T000000_G20210104T140113"


def test_whatever_a_reader_stumbles_over_is_told_as_the_products_fault(samples, tmp_path):
    archive = next((samples / "s1/aux").glob("S1B_AUX_CAL*.zip"))
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path)
    data = next(tmp_path.rglob("data/*.xml"))
    data.write_text(
        re.sub(r'count="\d+"', 'count="many"', data.read_text(encoding="utf-8")), encoding="utf-8"
    )
    with pytest.raises(MetadataError, match=r"make no sense \(ValueError: .*'many'.*get the product again"):
        swath.open_product(next(path for path in tmp_path.iterdir()))


def test_the_instrument_s_parameters_are_read(instrument):
    tree = swath.open_product(instrument)
    root = document(instrument)
    assert tree["instrument"].attrs["radar_frequency"] == 5405000454.33435
    beams = root.findall(".//internalCalibrationParams")
    np.testing.assert_array_equal(
        tree["internal_calibration"].time_delay, [float(b.findtext("timeDelay")) for b in beams]
    )
    gains = [complex(float(b.findtext("pgReference/re")), float(b.findtext("pgReference/im"))) for b in beams]
    np.testing.assert_array_equal(tree["internal_calibration"].pg_reference, gains)
    rate = tree["pulse"].azimuth_steering_rate.sel(swath="IW1")
    assert float(rate) == pytest.approx(1.590368784)


def test_packets_are_decoded_with_the_tables_of_the_instrument(instrument):
    """What the decoder of level 0 has as tables is what the mission's auxiliary data has."""
    decoding = swath.open_product(instrument)["decoding"]
    np.testing.assert_allclose(decoding.sigma_factor, _tables._SIGMA_FACTORS, atol=0.011)
    expected = [*_tables._BAQ_LEVELS.values(), *_tables._FDBAQ_LEVELS]
    simple = [*_tables._BAQ_SIMPLE.values(), *_tables._FDBAQ_SIMPLE]
    for k, code in enumerate(["BAQ 3-Bit", "BAQ 4-Bit", "BAQ 5-Bit", *(f"BRC {n}" for n in range(5))]):
        row = decoding.sel(baq_code=code)
        np.testing.assert_array_equal(row.normalised_reconstruction_levels.dropna("magnitude"), expected[k])
        np.testing.assert_array_equal(row.simple_reconstruction_levels.dropna("low_threshold"), simple[k])


def test_huffman_codes_are_those_of_the_instrument(instrument):
    """The file has each branch as its kind and its bit: 1 a leaf with its magnitude, 0 two branches."""

    def branch(values, code):
        leaf, bit = values.pop(0), values.pop(0)
        code += str(bit)
        return {values.pop(0): code} if leaf else branch(values, code) | branch(values, code)

    for brc, tree in enumerate(document(instrument).iter("huffmanLut")):
        values = [int(v) for v in tree.findtext("values").split()]
        found = branch(values, "") | branch(values, "")
        assert values == []
        assert tuple(found[magnitude] for magnitude in sorted(found)) == _tables.HUFFMAN[brc]


def test_swaths_have_the_numbers_of_the_instrument(instrument):
    told = {}
    for entry in document(instrument).iter("swathMap"):
        # Noise beams (N1 to N6) have the numbers of the strip map beams.
        told[int(entry.findtext("swathNumber"))] = (
            entry.findtext("swath").replace("N", "S").replace("ES", "EN")
        )
    assert told == _level0._SWATHS


@pytest.mark.parametrize("kind", ["PP1", "PP2", "ITC", "SCF"])
def test_parameters_are_groups(samples, kind):
    tree = swath.open_product(next((samples / "s1/aux").glob(f"S1?_AUX_{kind}*")))
    assert tree.attrs["stac_discovery"]["properties"]["product:type"] == f"AUX_{kind}"
    assert len(tree.groups) >= 2
    if kind == "PP1":
        iw = tree["product_list/IW_SL1__1"].attrs
        assert iw["common_proc_params"]["tops_filter_convention"] == "Only Echo Lines"
        assert len(iw["slc_proc_params"]["swath_params_list"]) == 3


def test_what_is_written_is_read_again(samples, tmp_path):
    for kind in ("CAL", "INS", "PP1"):
        tree = swath.open_product(next((samples / "s1/aux").glob(f"S1B_AUX_{kind}*")))
        swath.write_product(tree, tmp_path / f"{kind}.zarr")
        again = swath.open_product(tmp_path / f"{kind}.zarr")
        for path in ("IW1/VV", "pulse", "product_list/IW_SL1__1"):
            if path in tree:
                xr.testing.assert_equal(again[path].to_dataset().compute(), tree[path].to_dataset())
                assert again[path].attrs == tree[path].attrs


def test_another_kind_under_that_name_is_refused(instrument, tmp_path, change):
    safe = shutil.copytree(instrument, tmp_path / instrument.name)
    safe.chmod(0o755)
    (safe / "manifest.safe").chmod(0o644)
    change(safe / "manifest.safe", "auxiliary/sar/ins", "sar/level-1/slc/standard/iwdp")
    with pytest.raises(ProductError, match="is not that of auxiliary data"):
        swath.open_product(safe)

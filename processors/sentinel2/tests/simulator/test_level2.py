"""A simulated level-2A product: GDAL's Sentinel-2 driver and our reader find what its truth says."""

import re

import numpy as np
import pytest
import rasterio
import swath
from swath.errors import InputError, WindowError
from swath.product import validate_product
from swath_sentinel2.simulator import Scene, level2_truth, simulate_level2, truth

PARAMETERS = {"size": 390, "seed": 5, "codec_tiles": (128, 64, 64)}


@pytest.fixture(scope="module")
def level2(tmp_path_factory):
    return simulate_level2(tmp_path_factory.mktemp("level2"), **PARAMETERS)


@pytest.fixture(scope="module")
def scene():
    return Scene(level="L2A", **PARAMETERS)


@pytest.fixture(scope="module")
def tree(level2):
    return swath.open_product(level2)


def whole(scene, resolution):
    side = scene.pixels(resolution)
    return (0, side), (0, side)


@pytest.mark.parametrize("resolution", [10, 20, 60])
def test_gdal_s_sentinel_2_driver_reads_what_the_truth_says(level2, scene, resolution):
    name = f"SENTINEL2_L2A:{level2}/MTD_MSIL2A.xml:{resolution}m:EPSG_{scene.epsg}"
    window = whole(scene, resolution)
    checked = set()
    with rasterio.open(name) as file:
        assert file.driver == "SENTINEL2"
        assert tuple(file.bounds)[0::3] == scene.corner
        for k in file.indexes:
            band = file.tags(k)["BANDNAME"]
            kind = re.sub(r"^B(\d)$", r"B0\1", band)
            kind = {"CLD": "CLDPRB", "SNW": "SNWPRB"}.get(kind, kind)
            if kind[0] == "B":
                expected = truth(scene, kind, window, resolution=resolution).digital_number
                assert file.tags(k)["BOA_ADD_OFFSET"] == "-1000"
            else:
                expected = level2_truth(scene, kind, resolution, window)
            np.testing.assert_array_equal(file.read(k), expected, err_msg=kind)
            checked.add(kind)
    assert {"AOT", "WVP"} < checked
    assert ("SCL" in checked) == (resolution > 10)


@pytest.mark.parametrize("resolution", [10, 20, 60])
def test_our_reader_reads_what_the_truth_says(tree, scene, resolution):
    window = whole(scene, resolution)
    for name, array in tree[f"/measurements/reflectance/r{resolution}m"].data_vars.items():
        known = truth(scene, str(name).upper(), window, resolution=resolution)
        expected = np.where(known.detector == 0, np.nan, known.digital_number * 1e-4 - 0.1)
        np.testing.assert_array_equal(array, expected)
        # Quantified to 1e-4, and kept within the 15 bits.
        np.testing.assert_allclose(array, np.clip(known.reflectance, -0.0999, 3.1767), atol=6e-5)
    for name in ("aot", "wvp"):
        counts = level2_truth(scene, name.upper(), resolution, window)
        expected = np.where(counts == 0, np.nan, counts * 1e-3)
        np.testing.assert_array_equal(tree[f"/quality/atmosphere/r{resolution}m/{name}"], expected)
    if resolution > 10:
        classes = tree[f"/conditions/mask/l2a_classification/r{resolution}m/scl"]
        np.testing.assert_array_equal(classes, level2_truth(scene, "SCL", resolution, window))
        for name in ("cld", "snw"):
            expected = level2_truth(scene, f"{name.upper()}PRB", resolution, window)
            np.testing.assert_array_equal(tree[f"/quality/probability/r{resolution}m/{name}"], expected)


def test_the_ground_reflects_less_than_the_top_of_the_atmosphere_does(scene):
    """Without the light of the path, blue water is dark."""
    top = truth(Scene(**PARAMETERS), "B02", whole(scene, 10))
    ground = truth(scene, "B02", whole(scene, 10))
    clear = (top.cloud == 0) & (top.cirrus == 0) & (top.detector != 0)
    assert clear.any()
    assert (ground.reflectance[clear] < top.reflectance[clear] - 0.05).all()


def test_classes_are_those_that_the_scene_has(tree, scene):
    classes = tree["/conditions/mask/l2a_classification/r20m/scl"]
    found = {classes.attrs["flag_meanings"][value] for value in np.unique(classes)}
    assert {"NODATA", "VEGETATION", "WATER", "NOT_VEGETATED", "CLOUD_HIGH_PROBA"} <= found
    assert scene.level == "L2A"


def test_it_has_the_structure_of_its_model_but_for_meteorology(tree):
    wrong = {f.path for f in validate_product(tree) if f.level == "error"}
    assert wrong
    assert all("/meteorology/" in path for path in wrong)


def test_a_window_of_the_truth_is_the_whole_s(scene):
    side = scene.pixels(20)
    all_of_it = level2_truth(scene, "SCL", 20, whole(scene, 20))
    part = level2_truth(scene, "SCL", 20, ((50, 90), (100, side)))
    np.testing.assert_array_equal(part, all_of_it[50:90, 100:])


def test_impossible_questions_are_refused(scene):
    with pytest.raises(InputError, match="no image 'DEM'"):
        level2_truth(scene, "DEM", 10, whole(scene, 10))
    with pytest.raises(WindowError):
        level2_truth(scene, "AOT", 60, whole(scene, 10))
    with pytest.raises(InputError, match="level L2B cannot be simulated"):
        Scene(level="L2B")

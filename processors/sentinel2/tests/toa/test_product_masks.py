"""The product's own masks in the mask of s2-toa: each flag where the product has it, and nowhere else."""

import shutil

import numpy as np
import pytest
import rasterio
import swath
from swath.processing import apply
from swath_sentinel2 import simulator
from swath_sentinel2.toa import TOA, Flag

PARAMETERS = {"bands": ["b04", "b11"], "indices": [], "cloud_test": "none", "cloud_buffer": 0}
# Bands of MSK_QUALIT, from 0, that a place is raised in: rows and columns of the band's own grid.
RAISED = {
    "B04": {7: (slice(10, 25), slice(120, 141)), 4: (slice(300, 303), slice(255, 256))},
    "B11": {3: (slice(63, 66), slice(200, 210)), 2: (slice(0, 1), slice(5, 6))},
}
FLAG = {7: Flag.SATURATED, 4: Flag.DEFECTIVE, 3: Flag.DEFECTIVE, 2: Flag.DEFECTIVE}


@pytest.fixture(scope="module")
def flagged(simulated, tmp_path_factory):
    """Return the simulated product with some pixels of two bands saturated, defective, degraded and lost."""
    folder = shutil.copytree(simulated, tmp_path_factory.mktemp("flagged") / simulated.name)
    for band, places in RAISED.items():
        (path,) = folder.glob(f"GRANULE/*/QI_DATA/MSK_QUALIT_{band}.jp2")
        with rasterio.open(path) as image:
            masks, profile = image.read(), image.profile
        for component, place in places.items():
            masks[component][place] = 1
        path.unlink()
        profile = {key: profile[key] for key in ("width", "height", "count", "dtype", "crs", "transform")}
        tile = {"tiled": True, "blockxsize": 64, "blockysize": 64}
        with rasterio.open(
            path, "w", driver="JP2OpenJPEG", QUALITY="100", REVERSIBLE="YES", **tile, **profile
        ) as image:
            image.write(masks)
    return swath.open_product(folder)


def mask_of(product, resolution):
    tree = apply(TOA, product, {**PARAMETERS, "resolution": resolution})
    return tree[f"/quality/mask/r{resolution}m/mask"].values


@pytest.mark.parametrize("resolution", [10, 20])
def test_saturated_and_defective_pixels_are_flagged_where_they_are(flagged, resolution):
    side = 5400 // resolution
    expected = {Flag.SATURATED: np.zeros((side, side), bool), Flag.DEFECTIVE: np.zeros((side, side), bool)}
    for band, own in (("B04", 10), ("B11", 20)):
        for component, place in RAISED[band].items():
            rows, columns = (
                slice(span.start * own // resolution, -(-span.stop * own // resolution)) for span in place
            )
            expected[FLAG[component]][rows, columns] = True
    mask = mask_of(flagged, resolution)
    for flag, where in expected.items():
        np.testing.assert_array_equal((mask & flag) > 0, where, err_msg=flag.name)


def test_clouds_cirrus_and_snow_of_the_product_are_the_simulators(simulated_product, scene):
    mask = mask_of(simulated_product, 60)
    opaque, cirrus, snow = simulator.classification(scene, ((0, 90), (0, 90)))
    assert opaque.any()
    assert cirrus.any()
    for flag, where in ((Flag.CLOUD, opaque), (Flag.CIRRUS, cirrus), (Flag.SNOW_ICE, snow)):
        np.testing.assert_array_equal((mask & flag) > 0, where != 0, err_msg=flag.name)

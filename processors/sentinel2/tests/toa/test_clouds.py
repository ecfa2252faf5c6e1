"""The spectral test: each leaf of the published tree, and pixels that cannot be tested."""

import itertools
import json

import numpy as np
import pytest
import rasterio
from swath_sentinel2.toa._clouds import (
    CIRRUS,
    CLEAR,
    CLOUD,
    NOT_TESTED,
    SHADOW,
    SNOW,
    TEST_BANDS,
    WATER,
    cloud_test,
)

GRASS = {
    "b01": 0.12, "b02": 0.09, "b03": 0.09, "b05": 0.1, "b06": 0.25, "b07": 0.3, "b8a": 0.33, "b09": 0.1,
    "b10": 0.002, "b11": 0.2,
}  # fmt: skip
BRIGHT = {**GRASS, "b03": 0.45, "b05": 0.45, "b11": 0.4, "b10": 0.01, "b01": 0.4}


def classes(**bands: float) -> int:
    return int(cloud_test(**{band: np.full((1, 1), bands[band], np.float32) for band in TEST_BANDS})[0, 0])


# Every path of figure 8 in Hollstein et al. (2016), written down from the figure: changes to a base spectrum.
LEAVES = {
    "dark, much near infrared, little cirrus band": (GRASS, {}, CLEAR),
    "…, cirrus band and water vapour band": (GRASS, {"b10": 0.01, "b09": 0.1, "b02": 0.1}, CIRRUS),
    "…, cirrus band, bright water vapour band": (GRASS, {"b10": 0.01, "b09": 0.2, "b02": 0.1}, CLEAR),
    "very dark, infrared not below green, warm": (
        GRASS,
        {"b8a": 0.1, "b07": 0.08, "b09": 0.05, "b11": 0.2},
        CLEAR,
    ),
    "very dark, infrared not below green": (
        GRASS,
        {"b8a": 0.1, "b07": 0.08, "b09": 0.05, "b11": 0.1},
        SHADOW,
    ),
    "very dark, infrared below green": (GRASS, {"b8a": 0.02, "b07": 0.02, "b09": 0.01, "b11": 0.01}, WATER),
    "…, bright water vapour band": (GRASS, {"b8a": 0.02, "b07": 0.02, "b09": 0.05, "b11": 0.01}, SHADOW),
    "bright": (BRIGHT, {}, CLOUD),
    "bright, not in blue": (BRIGHT, {"b01": 0.2}, CLEAR),
    "bright, dark in the infrared": (BRIGHT, {"b11": 0.2}, CLOUD),
    "…, falling red edge": (BRIGHT, {"b11": 0.2, "b06": 0.3, "b07": 0.29}, CIRRUS),
    "very bright, very dark in the infrared": (BRIGHT, {"b03": 0.8, "b05": 0.8, "b11": 0.05}, SNOW),
    "bright, very dark in the infrared": (BRIGHT, {"b11": 0.05}, CLEAR),
    "…, much brighter in blue": (BRIGHT, {"b11": 0.05, "b01": 0.6}, SHADOW),
}


@pytest.mark.parametrize("leaf", LEAVES)
def test_each_leaf_of_the_tree(leaf):
    base, changes, expected = LEAVES[leaf]
    assert classes(**{**base, **changes}) == expected


def by_hand(b: dict[str, float]) -> int:
    """The tree again, pixel by pixel, nested as the figure has it."""
    if b["b03"] < 0.319:
        if b["b8a"] < 0.166:
            if b["b03"] - b["b07"] < 0.027:
                return CLEAR if b["b09"] - b["b11"] < -0.097 else SHADOW
            return WATER if b["b09"] - b["b11"] < 0.021 else SHADOW
        if b["b02"] / b["b10"] < 14.689:
            return CLEAR if b["b02"] / b["b09"] < 0.788 else CIRRUS
        return CLEAR
    if b["b05"] / b["b11"] < 4.33:
        if b["b11"] - b["b10"] < 0.255:
            return CLOUD if b["b06"] - b["b07"] < -0.016 else CIRRUS
        return CLEAR if b["b01"] < 0.3 else CLOUD
    if b["b03"] < 0.525:
        return CLEAR if b["b01"] / b["b05"] < 1.184 else SHADOW
    return SNOW


def test_equals_the_tree_walked_pixel_by_pixel():
    generator = np.random.default_rng(5)
    spectra = generator.uniform(0.001, 0.9, (4000, len(TEST_BANDS))) ** generator.choice([1, 2, 3], (4000, 1))
    bands = {band: spectra[:, [i]] for i, band in enumerate(TEST_BANDS)}
    expected = [by_hand({band: values[i, 0] for band, values in bands.items()}) for i in range(len(spectra))]
    np.testing.assert_array_equal(cloud_test(**bands)[:, 0], expected)
    assert set(expected) == {CLEAR, WATER, SHADOW, CIRRUS, CLOUD, SNOW}


@pytest.mark.parametrize("absent", TEST_BANDS)
def test_a_pixel_without_one_of_its_bands_is_not_tested(absent):
    assert classes(**{**BRIGHT, absent: np.nan}) == NOT_TESTED


def test_zero_reflectance_is_no_error():
    with np.errstate(all="raise"):
        for chosen in itertools.combinations(TEST_BANDS, 2):
            classes(**{**GRASS, **dict.fromkeys(chosen, 0.0)})


@pytest.fixture(scope="module")
def cloudy_scene(samples):
    """Return the reflectances of a real scene over the Saint Lawrence, partly under clouds, at 900 m."""
    folder = samples / "s2/l1c_decimated_T19UDP_20170729"
    read = {}
    for band in (*TEST_BANDS, "b04"):
        with rasterio.open(folder / f"{band.upper()}.jp2") as dataset:
            counts = dataset.read(1)
        read[band] = np.where(counts == 0, np.nan, counts / 10000).astype(np.float32)
    return read


def test_real_clouds_over_water_and_forest_are_found(cloudy_scene):
    """Pixels that are beyond doubt: white and bright in all visible bands, or darker than any cloud."""
    made = cloud_test(**{band: cloudy_scene[band] for band in TEST_BANDS})
    blue, green, red = (cloudy_scene[band] for band in ("b02", "b03", "b04"))
    white = (np.minimum(np.minimum(blue, green), red) > 0.35) & (np.abs(blue / red - 1) < 0.2)
    dark = (red < 0.06) & (cloudy_scene["b11"] < 0.1)
    assert white.sum() > 1000
    assert dark.sum() > 3000
    assert np.isin(made[white], (CLOUD, CIRRUS)).mean() > 0.95
    assert np.isin(made[dark], (CLOUD, CIRRUS, SNOW)).mean() < 0.01


def test_real_cloud_cover_is_near_that_of_the_metadata(cloudy_scene, samples):
    told = json.loads((samples / "s2/l1c_decimated_T19UDP_20170729/tileInfo.json").read_text())
    made = cloud_test(**{band: cloudy_scene[band] for band in TEST_BANDS})
    found = 100 * np.isin(made, (CLOUD, CIRRUS)).sum() / (made != NOT_TESTED).sum()
    assert found == pytest.approx(told["cloudyPixelPercentage"], abs=7)


def test_noise_around_nothing_makes_no_cirrus_and_hides_no_snow():
    """Since baseline 04.00 counts below the offset are negative reflectances; the ratios have a pole at 0."""
    for nothing in (1e-4, 0.0, -1e-4):
        assert classes(**{**GRASS, "b10": nothing}) == CLEAR
        assert classes(**{**BRIGHT, "b03": 0.8, "b05": 0.8, "b11": nothing}) == SNOW

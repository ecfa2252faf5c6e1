"""Calibrated intensities, and the choice of images and bursts."""

import json
from pathlib import Path

import numpy as np
import pytest
import swath
from swath.errors import InputError
from swath.product.sentinel1 import calibrated, select

PREFIX = "S01SIWSLC_20210401T052622_0028_B168_EFA4_032297"


@pytest.fixture(scope="module")
def tree(slc):
    return swath.open_product(slc)


@pytest.fixture(scope="module")
def ground(grd):
    return next(iter(swath.open_product(grd).children.values()))


@pytest.mark.parametrize("quantity", ["sigma_nought", "beta_nought", "gamma", "dn"])
def test_at_the_nodes_of_the_table_it_is_the_table(ground, quantity):
    table = ground[f"quality/calibration/{quantity}"]
    line = next(int(n) for n in table.line.values if 0 < n < 700)
    pixels = table.pixel.values[5:600:31]
    found = calibrated(ground, quantity).isel(azimuth_time=line).values[pixels]
    dn = ground["measurements/grd"].isel(azimuth_time=line).values[pixels].astype(float)
    gain = table.values[table.line.values == line, 5:600:31][0].astype(float)
    np.testing.assert_allclose(found, dn**2 / gain**2, rtol=1e-6)


def test_between_the_nodes_it_is_linear(ground):
    table = ground["quality/calibration/sigma_nought"]
    lines, pixels = table.line.values.astype(float), table.pixel.values.astype(float)
    found = calibrated(ground).values
    for line, pixel in ((3, 17), (250, 13001), (699, 26143), (0, 0)):
        across = [np.interp(pixel, pixels, row) for row in table.values]
        gain = np.interp(line, lines, across)
        dn = float(ground["measurements/grd"].values[line, pixel])
        assert found[line, pixel] == pytest.approx(dn**2 / gain**2, rel=1e-6)


def test_noise_is_that_of_range_times_azimuth(ground):
    plain, clean = calibrated(ground).values, calibrated(ground, denoise=True).values
    gain = ground["quality/calibration/sigma_nought"]
    noise = ground["quality/noise_range/noise_range_lut"]
    for line, pixel, swathe in ((10, 100, "IW1"), (200, 9000, "IW2"), (690, 26000, "IW3")):

        def at(table, line=line, pixel=pixel):
            across = [np.interp(pixel, table.pixel.values, row) for row in table.values]
            return np.interp(line, table.line.values, across)

        azimuth = ground[f"quality/noise_azimuth/{swathe}"]
        factor = np.interp(line, azimuth.line.values, azimuth.noise_azimuth_lut.values)
        expected = at(noise) * factor / at(gain) ** 2
        assert plain[line, pixel] - clean[line, pixel] == pytest.approx(expected, rel=1e-3)


def test_bursts_are_calibrated_at_their_own_lines(tree):
    burst = tree[f"{PREFIX}_VH_IW1_4"]
    found = calibrated(burst)
    assert found.chunks == burst["measurements/slc"].chunks
    table = burst["quality/calibration/sigma_nought"]
    line, pixel = 700, 10000
    across = [np.interp(pixel, table.pixel.values, row) for row in table.values]
    gain = np.interp(4 * 1501 + line, table.line.values, across)
    value = complex(burst["measurements/slc"][line, pixel].values)
    assert float(found[line, pixel].values) == pytest.approx(abs(value) ** 2 / gain**2, rel=1e-6)


def test_numbers_are_those_of_xarray_sentinel(tree):
    """Its numbers are kept beside this file; ``made/make_level1_references.py`` made them."""
    told = json.loads((Path(__file__).parent / "references.json").read_text())
    burst = tree[f"{PREFIX}_VH_IW1_3"]
    measured = burst["measurements"]
    expected = np.array(told["azimuth_time"], "datetime64[ns]")
    # It rounds the step between lines to microseconds.
    assert np.abs(measured.azimuth_time.values[[0, 1, -1]] - expected).max() < np.timedelta64(500, "ns")
    np.testing.assert_allclose(
        measured.slant_range_time.values[[0, 1, -1]], told["slant_range_time"], rtol=3e-16
    )
    for name in ("latitude", "longitude"):
        np.testing.assert_array_equal(burst[f"conditions/gcp/{name}"].values[[0, -1]], told[name])
    np.testing.assert_array_equal(burst["conditions/orbit/position"].values[[0, -1]], told["position"])
    noise = burst["quality/noise_range/noise_range_lut"].values[[0, -1], ::60]
    np.testing.assert_array_equal(noise, np.array(told["noise_range"], np.float32))
    rate = burst["conditions/azimuth_fm_rate/azimuth_fm_rate_polynomial"]
    np.testing.assert_array_equal(rate.values, told["fm_rate"])
    for quantity in ("sigma_nought", "beta_nought", "gamma"):
        found = calibrated(burst, quantity)[700:1400:233, 9000:12000:977].values
        np.testing.assert_allclose(found, told[quantity], rtol=1e-6)


def test_chunks_give_what_the_whole_gives(ground):
    whole = calibrated(ground, denoise=True).values
    cut = ground.copy()
    cut["measurements"] = cut["measurements"].to_dataset().chunk(azimuth_time=77, ground_range=5000)
    np.testing.assert_array_equal(calibrated(cut, denoise=True).values, whole)


def test_what_cannot_be_calibrated_is_told(tree, new_slc):
    with pytest.raises(InputError, match="quantity is 'sigma', expected one of beta_nought"):
        calibrated(tree[f"{PREFIX}_VH_IW1_4"], "sigma")
    with pytest.raises(InputError, match="give one image or burst of a product"):
        calibrated(tree)
    burst = next(iter(swath.open_product(new_slc).children.values()))
    with pytest.raises(InputError, match="has no quality/noise_range/noise_range_lut"):
        calibrated(burst, denoise=True)


def test_images_and_bursts_are_chosen(tree, new_slc):
    names = [f"{PREFIX}_{image}_2" for image in ("VH_IW1", "VH_IW2", "VV_IW1")]
    assert sorted(select(tree, burst=2).children) == names
    assert list(select(tree, burst=2, polarisation="VV").children) == names[2:]
    assert len(select(tree, swath=("IW1", "IW2"), polarisation="VH").children) == 19
    assert select(tree, burst=2).attrs == tree.attrs
    by_name = select(swath.open_product(new_slc), burst="249403")
    assert [name[-6:] for name in by_name.children] == ["249403"]


def test_what_is_not_there_is_told_with_what_is(tree):
    with pytest.raises(InputError, match=r"no image with swath=\{'IW3'\}; there are VH IW1 0"):
        select(tree, swath="IW3")

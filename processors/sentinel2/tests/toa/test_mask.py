"""The mask: which bit comes from where, and the buffer around clouds."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from swath_sentinel2.toa import Flag
from swath_sentinel2.toa._clouds import CIRRUS, CLEAR, CLOUD, NOT_TESTED, SHADOW, SNOW, WATER
from swath_sentinel2.toa._mask import clouds_step, dilate, mask, quality

FLAGS = {1: 0, 2: 0, 4: Flag.DEFECTIVE, 8: Flag.DEFECTIVE, 16: Flag.DEFECTIVE, 32: Flag.NO_DATA, 64: 0,
         128: Flag.SATURATED}  # fmt: skip


def one(value: int) -> np.ndarray:
    return np.full((1, 1), value, np.uint8)


@pytest.mark.parametrize(("bit", "flag"), FLAGS.items())
def test_bits_of_the_quality_mask(bit, flag):
    assert quality(b02_quality=one(bit), b02=np.ones((1, 1), np.float32))[0, 0] == flag


def test_any_band_without_data_is_no_data():
    bands = {"b02": np.ones((1, 2), np.float32), "b12": np.array([[np.nan, 0.5]], np.float32)}
    assert quality(**bands).tolist() == [[Flag.NO_DATA, 0]]


@pytest.mark.parametrize(
    ("classification", "spectral", "flag"),
    [
        (1, NOT_TESTED, Flag.CLOUD), (2, NOT_TESTED, Flag.CIRRUS), (4, NOT_TESTED, Flag.SNOW_ICE),
        (0, CLOUD, Flag.CLOUD), (0, CIRRUS, Flag.CIRRUS), (0, SNOW, Flag.SNOW_ICE), (0, SHADOW, Flag.SHADOW),
        (0, CLEAR, 0), (0, WATER, 0), (0, NOT_TESTED, 0), (2, CLOUD, Flag.CLOUD | Flag.CIRRUS),
    ],
)  # fmt: skip
def test_product_and_spectral_test_both_count(classification, spectral, flag):
    made = clouds_step(0).function(spectral_class=one(spectral), classification=one(classification))
    assert made[0, 0] == flag


def test_the_mask_is_both():
    assert mask(quality=one(Flag.SATURATED), clouds=one(Flag.CLOUD))[0, 0] == Flag.SATURATED | Flag.CLOUD


def test_flags_are_described_as_cf_has_it():
    (output,) = mask.outputs
    assert output.attrs["flag_masks"] == [1, 2, 4, 8, 16, 32, 64, 128]
    assert output.attrs["flag_meanings"].split()[3:5] == ["cloud", "cirrus"]


def test_the_buffer_is_a_disc_around_cloud_and_cirrus_and_not_they_themselves():
    classification = np.zeros((41, 41), np.uint8)
    classification[20, 20] = 1
    classification[0, 0] = 4  # snow has no buffer
    made = clouds_step(5).function(
        spectral_class=np.zeros_like(classification), classification=classification
    )
    rows, columns = np.indices(made.shape)
    near = (rows - 20) ** 2 + (columns - 20) ** 2 <= 25
    expected = np.where(near, Flag.CLOUD_BUFFER, 0)
    expected[20, 20] = Flag.CLOUD
    expected[0, 0] = Flag.SNOW_ICE
    np.testing.assert_array_equal(made, expected)


def test_the_step_declares_the_halo_that_it_needs():
    assert clouds_step(7).halo == 7


@settings(max_examples=60, deadline=None)
@given(arrays(np.bool_, st.tuples(st.integers(1, 25), st.integers(1, 25))), st.integers(0, 9))
def test_dilation_equals_its_definition(image, radius):
    rows, columns = np.indices(image.shape)
    expected = np.zeros(image.shape, bool)
    for row, column in np.argwhere(image):
        expected |= (rows - row) ** 2 + (columns - column) ** 2 <= radius**2
    np.testing.assert_array_equal(dilate(image, radius), expected)

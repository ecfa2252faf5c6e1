"""Bit flags on a coarser or finer grid: no flag is lost, and none is made up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from swath.processing._resample import Axis, resample


def flags_by_definition(data: np.ndarray, size: float, shape: tuple[int, int]) -> np.ndarray:
    """Unite what each target pixel touches, pixel by pixel; target pixels are `size` source pixels wide."""
    made = np.zeros(shape, data.dtype)
    for row, column in np.ndindex(shape):
        rows, columns = (slice(int(i * size), int(np.ceil((i + 1) * size))) for i in (row, column))
        made[row, column] = np.bitwise_or.reduce(data[rows, columns], axis=None)
    return made


@pytest.mark.parametrize("size", [1, 2, 6, 1.5, 0.5, 1 / 6])
def test_equals_the_definition_for_any_ratio(size):
    data = np.random.default_rng(1).integers(0, 256, (17, 12), dtype=np.uint8)
    data[data % 3 > 0] = 0
    shape = tuple(int(np.ceil(side / size)) for side in data.shape)
    axes = tuple(Axis.between((0.0, 10.0), side, (0.0, 10.0 * size)) for side in data.shape)
    made = resample(data, (0, 0), axes, ((0, shape[0]), (0, shape[1])), method="any", fill=0)
    assert made.dtype == np.uint8
    np.testing.assert_array_equal(made, flags_by_definition(data, size, shape))


@given(st.integers(0, 15), st.integers(1, 14), st.sampled_from([2, 3, 6]))
def test_a_window_equals_that_part_of_the_whole(start, length, size):
    data = np.random.default_rng(2).integers(0, 256, (173, 173), dtype=np.uint8)
    axis = Axis.between((0.0, 10.0), 173, (0.0, 10.0 * size))
    whole = resample(data, (0, 0), (axis, axis), ((0, 29), (0, 29)), method="any", fill=0)
    span = start, start + length
    first, last = axis.needs(span, "any")
    part = data[first:last, first:last]
    made = resample(part, (first, first), (axis, axis), (span, span), method="any", fill=0)
    np.testing.assert_array_equal(made, whole[slice(*span), slice(*span)])

"""Resampling between grids: against GDAL, against closed forms, and the same whatever part is asked for."""

import numpy as np
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from rasterio.crs import CRS
from rasterio.warp import Resampling, reproject
from swath.processing._resample import Axis, resample

METHODS = ["nearest", "bilinear", "mean"]


def whole(data, source_pixel, pixels, target_pixel, method, start=0.0, fill=np.nan):
    """Resample all of a square source to a target grid of square pixels that starts `start` metres off."""
    axes = tuple(Axis.between((0.0, source_pixel), n, (start, target_pixel)) for n in data.shape)
    spans = [axis.needs((0, n), method) for axis, n in zip(axes, pixels, strict=True)]
    part = data[slice(*spans[0]), slice(*spans[1])]
    origin = spans[0][0], spans[1][0]
    return resample(part, origin, axes, tuple((0, n) for n in pixels), method=method, fill=fill)


def by_gdal(data, source_pixel, pixels, target_pixel, method, start=0.0):
    result = np.full(pixels, np.nan, data.dtype)
    # GDAL wants rows to run southwards; both grids start at the same corner but for `start`.
    reproject(
        data,
        result,
        src_transform=Affine(source_pixel, 0, 0, 0, -source_pixel, 0),
        dst_transform=Affine(target_pixel, 0, start, 0, -target_pixel, -start),
        src_crs=CRS.from_epsg(32755),
        dst_crs=CRS.from_epsg(32755),
        src_nodata=np.nan,
        dst_nodata=np.nan,
        resampling=method,
    )
    return result


@pytest.fixture
def noise():
    return np.random.default_rng(1).random((60, 60))


@pytest.mark.parametrize(
    ("source_pixel", "target_pixel", "pixels"),
    [
        (10, 10, 60),
        (10, 20, 30),
        (10, 60, 10),
        (20, 10, 120),
        (60, 10, 300),
        (20, 60, 20),
        (60, 20, 150),
        (15, 10, 80),
    ],
)
def test_nearest_is_that_of_gdal(noise, source_pixel, target_pixel, pixels):
    ours = whole(noise, source_pixel, (pixels, pixels), target_pixel, "nearest")
    expected = by_gdal(noise, source_pixel, (pixels, pixels), target_pixel, Resampling.nearest)
    np.testing.assert_array_equal(ours, expected)


@pytest.mark.parametrize(
    ("source_pixel", "target_pixel", "pixels"), [(10, 20, 30), (10, 60, 10), (20, 60, 20)]
)
def test_mean_is_that_of_gdal(noise, source_pixel, target_pixel, pixels):
    noise[7:19, 30:33] = np.nan
    ours = whole(noise, source_pixel, (pixels, pixels), target_pixel, "mean")
    expected = by_gdal(noise, source_pixel, (pixels, pixels), target_pixel, Resampling.average)
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("source_pixel", "target_pixel", "pixels"), [(20, 10, 120), (60, 10, 360), (60, 20, 180)]
)
def test_bilinear_is_that_of_gdal_away_from_the_edges(noise, source_pixel, target_pixel, pixels):
    ours = whole(noise, source_pixel, (pixels, pixels), target_pixel, "bilinear")
    expected = by_gdal(noise, source_pixel, (pixels, pixels), target_pixel, Resampling.bilinear)
    edge = source_pixel // target_pixel
    inner = slice(edge, -edge)
    np.testing.assert_allclose(ours[inner, inner], expected[inner, inner], rtol=1e-9)


@pytest.mark.parametrize(
    ("source_pixel", "target_pixel", "start"), [(20, 10, 0), (30, 20, 5), (10, 15, 7.5), (7, 3, 1)]
)
def test_bilinear_keeps_a_plane_exactly(source_pixel, target_pixel, start):
    rows, columns = np.mgrid[:40, :40] + 0.5
    plane = 3 * rows * source_pixel - 2 * columns * source_pixel
    ours = whole(plane, source_pixel, (12, 12), target_pixel, "bilinear", start=start + source_pixel)
    rows, columns = (np.mgrid[:12, :12] + 0.5) * target_pixel + start + source_pixel
    np.testing.assert_allclose(ours, 3 * rows - 2 * columns, rtol=1e-12)


@pytest.mark.parametrize(("source_pixel", "target_pixel"), [(10, 25), (10, 15), (640, 1280), (10, 13)])
def test_mean_weighs_by_covered_area_where_the_ratio_is_no_whole_number(noise, source_pixel, target_pixel):
    pixels = 60 * source_pixel // target_pixel
    ours = whole(noise, source_pixel, (pixels, pixels), target_pixel, "mean")
    # Every source pixel cut into squares of one unit; a target pixel is then a plain mean of squares.
    unit = np.gcd(source_pixel, target_pixel)
    fine = noise.repeat(source_pixel // unit, 0).repeat(source_pixel // unit, 1)
    side = target_pixel // unit
    fine = fine[: pixels * side, : pixels * side].reshape(pixels, side, pixels, side)
    np.testing.assert_allclose(ours, fine.mean(axis=(1, 3)), rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_a_source_larger_than_the_target_is_cut(noise, method):
    # The decimated sample: 29 pixels of 3840 m over 172 of 640 m.
    data = noise[:29, :29]
    ours = whole(data, 3840.0, (172, 172), 640.0, method)
    assert ours.shape == (172, 172)
    assert not np.isnan(ours).any()
    if method != "bilinear":
        np.testing.assert_array_equal(ours, data.repeat(6, 0).repeat(6, 1)[:172, :172])


@pytest.mark.parametrize("method", METHODS)
def test_what_the_source_does_not_cover_is_not_a_number(noise, method):
    ours = whole(noise[:10, :10], 20.0, (40, 40), 10.0, method, start=-40.0)
    covered = np.zeros((40, 40), bool)
    covered[4:24, 4:24] = True
    np.testing.assert_array_equal(np.isnan(ours), ~covered)


def test_integers_get_the_fill_value_where_nothing_covers_them():
    ours = whole(np.ones((2, 2), np.uint8), 20.0, (8, 8), 10.0, "nearest", fill=7)
    assert ours.dtype == np.uint8
    assert (ours[:4, :4] == 1).all()
    assert (ours[4:] == 7).all()


def test_a_target_far_off_the_source_needs_nothing_of_it(noise):
    axis = Axis.between((0.0, 10.0), 60, (10_000.0, 10.0))
    assert [axis.needs((0, 50), method) for method in METHODS] == [(0, 0)] * 3
    ours = whole(noise, 10.0, (50, 50), 10.0, "mean", start=10_000.0)
    assert np.isnan(ours).all()


def test_missing_pixels_are_left_out_of_means_and_lines():
    data = np.array([[1.0, np.nan], [3.0, np.nan]])
    assert whole(data, 10.0, (1, 1), 20.0, "mean")[0, 0] == 2.0
    assert whole(data, 10.0, (1, 1), 20.0, "bilinear")[0, 0] == 2.0
    assert np.isnan(whole(data * np.nan, 10.0, (1, 1), 20.0, "mean")[0, 0])


def test_nearest_takes_the_larger_index_on_a_border():
    axis = Axis.between((0.0, 10.0), 4, (-5.0, 10.0))  # centres on the borders 0, 10, 20
    indices, weights = axis.taps((0, 3), "nearest")
    assert indices[:, 0].tolist() == [0, 1, 2]
    assert weights.all()


def test_axes_in_opposite_directions_are_refused():
    with pytest.raises(ValueError, match="opposite"):
        Axis.between((0.0, -10.0), 4, (0.0, 10.0))


@given(
    source=st.integers(1, 12),
    target=st.integers(1, 12),
    start=st.integers(-40, 40),
    top=st.integers(0, 15),
    left=st.integers(0, 15),
    method=st.sampled_from(METHODS),
    gaps=st.booleans(),
)
def test_a_part_is_the_same_as_that_part_of_the_whole(source, target, start, top, left, method, gaps):
    data = np.random.default_rng(source * 100 + target).random((23, 23)).astype("float32")
    if gaps:
        data[5:9, 3:20] = np.nan
    axes = (
        Axis.between((0.0, -source), 23, (-start, -target)),
        Axis.between((0.0, source), 23, (start, target)),
    )
    complete = resample(data, (0, 0), axes, ((0, 30), (0, 30)), method=method, fill=np.nan)
    wanted = (top, top + 11), (left, left + 13)
    spans = [axis.needs(span, method) for axis, span in zip(axes, wanted, strict=True)]
    part = resample(
        data[slice(*spans[0]), slice(*spans[1])],
        (spans[0][0], spans[1][0]), axes, wanted, method=method, fill=np.nan,
    )  # fmt: skip
    np.testing.assert_array_equal(part, complete[slice(*wanted[0]), slice(*wanted[1])])

"""What a simulated scene holds, told without files."""

from datetime import datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from swath.errors import InputError, WindowError
from swath_sentinel2.simulator import BANDS, Scene, Surface, classification, truth

SCENE = Scene(size=390, seed=3)
SIDE = {10: 390, 20: 195, 60: 65}


def whole(band, scene=SCENE):
    side = scene.pixels(next(b.resolution for b in BANDS if b.name == band))
    return truth(scene, band, ((0, side), (0, side)))


@pytest.fixture(scope="module")
def everything():
    return {band.name: whole(band.name) for band in BANDS}


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_any_window_holds_the_same_as_the_whole_scene(everything, data):
    band = data.draw(st.sampled_from(BANDS))
    side = SIDE[band.resolution]
    rows, columns = (
        tuple(sorted(data.draw(st.lists(st.integers(0, side), min_size=2, max_size=2, unique=True))))
        for _ in range(2)
    )
    part = truth(SCENE, band.name, (rows, columns))
    for name in ("reflectance", "digital_number", "detector", "surface", "cloud", "cirrus"):
        expected = getattr(everything[band.name], name)[slice(*rows), slice(*columns)]
        np.testing.assert_array_equal(getattr(part, name), expected, err_msg=name)


def test_digital_numbers_are_the_reflectance_quantified_with_the_offset(everything):
    for band, held in everything.items():
        seen = held.detector != 0
        np.testing.assert_array_equal(held.digital_number == 0, ~seen, err_msg=band)
        counts = held.digital_number[seen].astype(np.float64)
        assert np.abs((counts - 1000) / 10000 - held.reflectance[seen]).max() <= 0.502e-4
        assert np.isnan(held.reflectance[~seen]).all()


def test_a_coarse_pixel_is_the_mean_of_its_fine_ones():
    from swath_sentinel2.simulator._truth import mean

    fine = np.random.default_rng(0).random((12, 18), np.float32)
    expected = fine.reshape(2, 6, 3, 6).mean(axis=(1, 3))
    np.testing.assert_allclose(mean(fine, 6), expected, rtol=1e-6)


def test_seeds_choose_different_scenes():
    one, other = (whole("B04", Scene(size=390, seed=seed)).digital_number for seed in (1, 2))
    assert (one != other).mean() > 0.5


@pytest.mark.parametrize("cover", [0.0, 0.1, 0.35, 0.7])
def test_clouds_cover_the_share_that_was_asked_for(cover):
    scene = Scene(size=780, seed=9, cloud_cover=cover, empty_cover=0)
    assert (whole("B02", scene).cloud >= 0.5).mean() == pytest.approx(cover, abs=0.03)


@pytest.mark.parametrize("cover", [0.0, 0.08, 0.5])
def test_the_swath_leaves_out_the_share_that_was_asked_for(cover):
    scene = Scene(size=780, seed=9, empty_cover=cover)
    assert (whole("B02", scene).detector == 0).mean() == pytest.approx(cover, abs=0.005)


def test_several_detectors_see_the_scene_across_slanted_borders(everything):
    detector = everything["B04"].detector
    assert len(np.unique(detector)) >= 5
    # The satellite flies south-south-west: further south, a border lies further west.
    border = [(row == 10).argmax() for row in detector if (row == 10).any()]
    assert border[-1] < border[0] - 20
    assert np.all(np.diff(border) <= 0)


def test_bands_have_their_borders_at_different_places(everything):
    assert (everything["B02"].detector != everything["B08"].detector).any()


def test_clear_surfaces_look_like_themselves(everything):
    clear = Scene(size=780, seed=4, cloud_cover=0, cirrus_cover=0, empty_cover=0)
    red, infrared = whole("B04", clear), whole("B08", clear)
    short = np.kron(whole("B11", clear).reflectance, np.ones((2, 2)))
    index = (infrared.reflectance - red.reflectance) / (infrared.reflectance + red.reflectance)
    surface = red.surface
    assert set(np.unique(surface)) == {int(kind) for kind in Surface}
    assert index[surface == Surface.GREEN_CROP].mean() > 0.6
    assert index[surface == Surface.LAKE].mean() < 0
    snow = surface == Surface.SNOW
    assert red.reflectance[snow].mean() > 0.6 > 0.3 > short[snow].mean()


def test_only_high_clouds_are_seen_in_the_cirrus_band(everything):
    held = everything["B10"]
    thick, clear = held.cirrus > 0.5, (held.cirrus == 0) & (held.detector != 0)
    assert held.reflectance[clear].max() < 0.015 < held.reflectance[thick & (held.detector != 0)].min()


def test_classes_exclude_one_another_and_the_outside():
    flags = classification(SCENE, ((0, 65), (0, 65)))
    assert flags.shape == (3, 65, 65)
    assert flags.sum(axis=0).max() == 1
    assert not flags[:, whole("B01").detector == 0].any()
    assert flags[0].any()


@pytest.mark.parametrize(
    "window", [((0, 0), (0, 5)), ((0, 5), (3, 391)), ((-1, 5), (0, 5)), ((9, 5), (0, 5))]
)
def test_refuses_a_window_that_the_scene_does_not_have(window):
    with pytest.raises(WindowError, match="0:390"):
        truth(SCENE, "B02", window)


def test_refuses_a_band_that_there_is_not():
    with pytest.raises(InputError, match="B13"):
        truth(SCENE, "B13", ((0, 1), (0, 1)))


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ({"size": 100}, "multiple of 6"),
        ({"size": 10986}, "10980"),
        ({"seed": -1}, "seed"),
        ({"cloud_cover": 1.5}, "cloud cover"),
        ({"cirrus_cover": -0.1}, "cirrus cover"),
        ({"empty_cover": 1.0}, "empty cover"),
        ({"tile": "T32XXX"}, "T32XXX"),
        ({"codec_tiles": (100, 64, 64)}, "codec tiles"),
        ({"codec_tiles": (64, 64)}, "codec tiles"),
        ({"cloud_cover": float("nan")}, "cloud cover"),
        ({"sensing": datetime(2024, 6, 20)}, "sensing time"),  # noqa: DTZ001 -- without zone on purpose
    ],
)
def test_refuses_parameters_out_of_range_and_says_the_range(parameters, told):
    with pytest.raises(InputError, match=told):
        Scene(**parameters)

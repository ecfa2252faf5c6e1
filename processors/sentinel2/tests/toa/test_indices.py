"""Spectral indices: each equals its written formula, and says NaN where there is no answer."""

import numpy as np
import pytest
from swath_sentinel2.toa import BANDS, INDICES

names = pytest.mark.parametrize("name", INDICES)


@names
def test_equals_its_formula_in_double_precision(name):
    index = INDICES[name]
    generator = np.random.default_rng(20)
    bands = {band: generator.uniform(0.01, 0.6, (50, 60)).astype(np.float32) for band in BANDS}
    bands["b02"] *= np.float32(0.15)  # keeps away from the pole of the enhanced vegetation index
    expected = eval(index.formula, {}, {band: values.astype(np.float64) for band, values in bands.items()})
    made = index.function(**{argument: bands[band] for argument, band in index.bands.items()})
    assert made.dtype == np.float32
    np.testing.assert_allclose(made, expected, rtol=2e-6, atol=4 * np.finfo(np.float32).eps)


@names
def test_reads_just_the_bands_of_its_formula(name):
    index = INDICES[name]
    assert set(index.bands.values()) == {band for band in BANDS if band in index.formula}
    assert {item.name for item in index.step().inputs} == set(index.bands.values())


@names
def test_is_nan_where_a_band_has_no_data(name):
    index = INDICES[name]
    for absent in index.bands:
        values = {argument: np.full((2, 2), 0.2, np.float32) for argument in index.bands}
        values[absent][0, 0] = np.nan
        made = index.function(**values)
        assert np.isnan(made[0, 0])
        assert np.isfinite(made[1, 1])


def test_is_nan_where_it_would_divide_by_zero():
    zero, some = np.zeros((1, 1), np.float32), np.ones((1, 1), np.float32)
    assert np.isnan(INDICES["ndvi"].function(plus=zero, minus=zero)).all()
    # 1 + 6 * 0 - 7.5 * b + 1 = 0: the enhanced index has a pole in the blue band.
    blue = np.float32(2 / 7.5) * some
    assert not np.isinf(INDICES["evi"].function(nir=some, red=zero, blue=blue)).any()


@pytest.mark.parametrize(
    ("name", "bands", "value"),
    [
        ("ndvi", {"b08": 0.5, "b04": 0.1}, 0.4 / 0.6),
        ("evi", {"b08": 0.5, "b04": 0.1, "b02": 0.05}, 2.5 * 0.4 / (0.5 + 0.6 - 0.375 + 1)),
        ("evi2", {"b08": 0.5, "b04": 0.1}, 2.5 * 0.4 / (0.5 + 0.24 + 1)),
        ("savi", {"b08": 0.5, "b04": 0.1}, 1.5 * 0.4 / 1.1),
        ("ndre", {"b8a": 0.4, "b05": 0.1}, 0.6),
        ("ndwi", {"b03": 0.08, "b08": 0.02}, 0.6),
        ("mndwi", {"b03": 0.08, "b11": 0.02}, 0.6),
        ("ndmi", {"b8a": 0.3, "b11": 0.2}, 0.2),
        ("ndsi", {"b03": 0.9, "b11": 0.1}, 0.8),
        ("nbr", {"b8a": 0.3, "b12": 0.1}, 0.5),
    ],
)
def test_gives_the_value_worked_out_by_hand(name, bands, value):
    index = INDICES[name]
    made = index.function(**{a: np.full((1, 1), bands[b], np.float32) for a, b in index.bands.items()})
    assert float(made[0, 0]) == pytest.approx(value, rel=1e-6)


@names
def test_tells_where_it_comes_from(name):
    (output,) = INDICES[name].step().outputs
    assert output.description
    assert output.attrs["formula"] == INDICES[name].formula
    assert any(year in output.attrs["references"] for year in map(str, range(1970, 2020)))

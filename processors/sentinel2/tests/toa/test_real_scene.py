"""s2-toa on the real (decimated) scene, against our own computations on what rasterio reads of its images."""

import dask
import numpy as np
import pytest
import rasterio
from swath.processing import apply, plan
from swath_sentinel2.toa import BANDS, INDICES, TOA, Flag

SIDES = {10: 172, 20: 86, 60: 29}


@pytest.fixture(scope="module")
def counts(real):
    """Return the digital counts of all bands as rasterio reads them."""
    name = real.name.removesuffix(".zip")
    folder = f"zip://{real}!{name}.SAFE/GRANULE/L1C_T55JEJ_A012840_20171207T002252/IMG_DATA"
    read = {}
    for band in BANDS:
        with rasterio.open(f"{folder}/T55JEJ_20171207T002051_{band.upper()}.jp2") as dataset:
            read[band] = dataset.read(1)
    return read


def reflectance(counts: np.ndarray) -> np.ndarray:
    """Products Specification Document: counts / QUANTIFICATION_VALUE; 0: no data; no offset before 04.00."""
    return np.where(counts == 0, np.nan, counts / 10000.0)


def mean(values: np.ndarray, factor: int, side: int) -> np.ndarray:
    """Return the mean of squares; the last ones may hang over the edge."""
    padded = np.full((side * factor, side * factor), np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    squares = np.ma.masked_invalid(padded.reshape(side, factor, side, factor))
    return squares.mean(axis=(1, 3)).filled(np.nan)


def run(product, **parameters):
    """Return all variables by their paths, computed in one go."""
    tree = apply(TOA, product, parameters)
    return dask.compute({f"{n.path}/{k}": v for n in tree.subtree for k, v in n.data_vars.items()})[0]


@pytest.mark.parametrize("resolution", SIDES)
def test_bands_on_their_own_grid_are_exact(real_product, counts, resolution):
    bands = [name for name, band in BANDS.items() if band.resolution == resolution]
    made = run(real_product, resolution=resolution, bands=bands, indices=[])
    for band in bands:
        values = made[f"/measurements/reflectance/r{resolution}m/{band}"]
        assert values.dtype == np.float32
        np.testing.assert_array_equal(values, reflectance(counts[band]).astype(np.float32))


@pytest.mark.parametrize(("resolution", "finer"), [(20, 10), (60, 10), (60, 20)])
def test_finer_bands_are_averaged(real_product, counts, resolution, finer):
    bands = [name for name, band in BANDS.items() if band.resolution == finer]
    made = run(real_product, resolution=resolution, bands=bands, indices=[])
    for band in bands:
        values = made[f"/measurements/reflectance/r{resolution}m/{band}"]
        expected = mean(reflectance(counts[band]).astype(np.float32), resolution // finer, SIDES[resolution])
        np.testing.assert_allclose(values, expected, rtol=np.finfo(np.float32).eps)


def test_coarser_bands_are_repeated_by_default(real_product, counts):
    made = run(real_product, resolution=10, bands=["b05", "b10"], indices=[])
    for band, factor in {"b05": 2, "b10": 6}.items():
        expected = np.kron(reflectance(counts[band]), np.ones((factor, factor)))[:172, :172]
        np.testing.assert_array_equal(
            made[f"/measurements/reflectance/r10m/{band}"], expected.astype(np.float32)
        )


def test_bilinear_lies_between_its_neighbours(real_product, counts):
    made = run(real_product, resolution=10, bands=["b05"], indices=[], upsampling="bilinear")
    smooth = made["/measurements/reflectance/r10m/b05"].values
    source = reflectance(counts["b05"])
    # A closed form: on a grid of half the pixel size the weights are 9/16, 3/16, 3/16 and 1/16.
    expected = (9 * source[4, 7] + 3 * source[3, 7] + 3 * source[4, 6] + source[3, 6]) / 16
    assert smooth[8, 14] == pytest.approx(expected, rel=1e-6)
    assert np.nanmin(smooth) >= np.nanmin(source) - 1e-7
    assert np.nanmax(smooth) <= np.nanmax(source) + 1e-7


@pytest.mark.parametrize("resolution", SIDES)
def test_indices_are_their_formulas_of_the_bands_that_are_written(real_product, resolution):
    made = run(real_product, resolution=resolution, indices=list(INDICES))
    bands = {band: made[f"/measurements/reflectance/r{resolution}m/{band}"].values for band in BANDS}
    for name, index in INDICES.items():
        exact = eval(index.formula, {}, {band: values.astype(np.float64) for band, values in bands.items()})
        values = made[f"/measurements/indices/r{resolution}m/{name}"]
        np.testing.assert_allclose(values, exact, rtol=4e-6, atol=4 * np.finfo(np.float32).eps)


def test_no_data_is_flagged_where_a_written_band_has_none(real_product, counts):
    made = run(real_product, resolution=10, bands=["b02", "b08"], indices=[])
    flagged = (made["/quality/mask/r10m/mask"].values & Flag.NO_DATA) > 0
    absent = (counts["b02"] == 0) | (counts["b08"] == 0)
    assert flagged[absent].all()
    # What else is flagged is so by the polygons of MSK_NODATA, which reach a pixel farther at most.
    assert flagged.sum() <= absent.sum() + 50


def test_a_clear_scene_is_clear(real_product):
    """The product's own cloud mask is empty, and its CLOUDY_PIXEL_PERCENTAGE is 0."""
    mask = run(real_product, resolution=20, bands=[], indices=[])["/quality/mask/r20m/mask"].values
    assert ((mask & (Flag.CLOUD | Flag.CIRRUS | Flag.SNOW_ICE)) > 0).mean() < 0.001


def test_only_what_the_outputs_need_is_read(real_product):
    made = plan(TOA, real_product, {"resolution": 10, "bands": ["b02"], "indices": [], "cloud_test": "none"})
    assert [source.path for source in made.sources] == [
        "/measurements/reflectance/r10m/b02",
        "/quality/mask/r10m/b02",
        "/conditions/mask/l1c_classification/r60m/b00",
    ]
    made = plan(TOA, real_product, {"bands": [], "indices": ["nbr"], "cloud_test": "none"})
    assert {source.name.partition("_")[0] for source in made.sources} == {"b8a", "b12", "classification"}

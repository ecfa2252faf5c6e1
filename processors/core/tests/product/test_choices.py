"""Bands and detectors are chosen by what an instrument has, and the rest is not read."""

import numpy as np
import pytest
import swath
from swath.errors import InputError
from swath.io import metering
from swath.product import Filters, select


def test_bands_choose_variables_and_what_lies_along_bands(modern_safe):
    tree = swath.open_product(modern_safe)
    part = select(tree, Filters(band=("b02", "B8A")))
    bands = {str(name) for node in part.subtree for name in node.data_vars if str(name).startswith("b")}
    assert bands == {"b02", "b8a"}
    angles = part["conditions/geometry/viewing_incidence_angles"]
    assert list(angles["band"].values) == ["b02", "b8a"]
    whole = tree["conditions/geometry/viewing_incidence_angles"].sel(band=["b02", "b8a"])
    np.testing.assert_array_equal(angles, whole)
    with pytest.raises(InputError, match="no band b99; there are b00"):
        select(tree, Filters(band=("b99",)))


def test_bands_of_olci_are_those_of_their_radiance(small_efr):
    part = select(swath.open_product(small_efr), Filters(band=("oa08",)))
    assert set(part["measurements"].data_vars) == {"oa08_radiance"}
    assert "quality_flags" in part["quality"].data_vars


def test_a_band_costs_its_own_chunks(modern_safe):
    tree = swath.open_product(modern_safe)
    path = "measurements/reflectance/r10m/b03"
    planned = [swath.chunk_source(tree[path]).chunk_bytes(i, j) for i in range(3) for j in range(3)]
    with metering.reading() as read:
        part = select(tree, Filters(band=("b03",), include=("measurements/*",)))
        part.load()
    assert read.counts == metering.Counts(bytes=sum(planned), requests=9, chunks=9)
    np.testing.assert_array_equal(part[path], tree[path])


def test_detectors_mask_what_others_saw(sample_safe):
    tree = swath.open_product(sample_safe)
    path = "measurements/reflectance/r20m/b05"
    footprint = tree["conditions/mask/detector_footprint/r20m/b05"].values
    with metering.reading() as read:
        part = select(tree, Filters(detector=(8, 9), include=(path, "conditions/geometry/*")))
        found = part[path].values
    expected = np.where(np.isin(footprint, [8, 9]), tree[path].values, np.nan)
    np.testing.assert_array_equal(found, expected)
    assert 0.1 < np.isnan(found).mean() < 0.9
    assert read.counts.chunks == 2 * tree[path].data.npartitions  # the band and its mask
    assert list(part["conditions/geometry/viewing_incidence_angles"]["detector"].values) == [8, 9]


def test_detectors_that_there_are_not_are_told(modern_safe, small_efr):
    with pytest.raises(InputError, match=r"no detector 40; there are \d+, "):
        select(swath.open_product(modern_safe), Filters(detector=(40,)))
    with pytest.raises(InputError, match="no detector 1; there are none"):
        select(swath.open_product(small_efr), Filters(detector=(1,)))


def test_bursts_are_of_sentinel_1(modern_safe):
    with pytest.raises(InputError, match="which this product has not"):
        select(swath.open_product(modern_safe), Filters(burst=("0",)))


def test_times_need_rows_with_times(modern_safe):
    with pytest.raises(InputError, match="no rows with times"):
        select(swath.open_product(modern_safe), Filters(time="2017-12-07/"))

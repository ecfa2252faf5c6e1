"""Images, bursts and times of radar are chosen by the filters of all products."""

import numpy as np
import pytest
import swath
from swath.errors import InputError, WindowError
from swath.io import metering
from swath.product import Filters, select
from swath_cli import main


def test_a_burst_costs_its_own_lines(slc):
    tree = swath.open_product(slc)
    part = select(tree, Filters(burst=("2",), polarisation=("vv",), swath=("IW1",)))
    (name,) = part.children
    array = tree[name]["measurements/slc"]
    source = swath.chunk_source(array)
    number = array.data.numblocks[0]
    with metering.reading() as read:
        found = part[name]["measurements/slc"].values
    assert read.counts.bytes == sum(source.chunk_bytes(k, 0) for k in range(number))
    assert read.counts.chunks == number
    np.testing.assert_array_equal(found, array)
    with pytest.raises(InputError, match="there is no image with"):
        select(tree, Filters(burst=("99",)))


def test_times_cut_the_lines_of_the_images_taken_then(slc):
    tree = swath.open_product(slc)
    name = next(iter(tree.children))
    times = tree[name]["measurements"]["azimuth_time"].values
    start, stop = times[100], times[200]
    part = select(
        tree, Filters(time=f"{np.datetime_as_string(start)[:26]}/{np.datetime_as_string(stop)[:26]}")
    )
    found = part[name]["measurements"]
    assert set(part.children) < set(tree.children)
    assert abs(found.sizes["azimuth_time"] - 100) <= 1
    assert found["azimuth_time"].values.max() < stop
    assert part[name]["conditions/burst_info"].sizes == {"azimuth_time": found.sizes["azimuth_time"]}
    assert part[name]["conditions/gcp"].sizes == tree[name]["conditions/gcp"].sizes
    with metering.reading() as read:
        found["slc"].compute()
    assert 1 <= read.counts.chunks <= 3
    with pytest.raises(InputError, match="no rows were taken then"):
        select(tree, Filters(time="2020-01-01/2020-01-02"))


def test_bounds_choose_bursts_and_the_lines_and_pixels_in_them(slc):
    tree = swath.open_product(slc)
    name = next(iter(tree.children))
    points = tree[name]["conditions/gcp"].to_dataset()
    west, south = (float(points[key].mean()) for key in ("longitude", "latitude"))
    part = select(
        tree, Filters(window=f"lon {west}:{west + 0.05}, lat {south}:{south + 0.02}", swath=("IW1",))
    )
    assert 0 < len(part.children) < len(select(tree, Filters(swath=("IW1",))).children)
    for image in part.children.values():
        whole, found = tree[image.name]["measurements/slc"], image["measurements/slc"]
        assert found.sizes["slant_range_time"] < whole.sizes["slant_range_time"] / 4
        inner = image["conditions/gcp"]
        assert inner.sizes == tree[image.name]["conditions/gcp"].sizes
        times = found["azimuth_time"].values
        np.testing.assert_array_equal(found, whole.sel(azimuth_time=times)[:, : found.shape[1]])
    with pytest.raises(WindowError, match=r"lies outside the images; they lie in about lon 9\.7"):
        select(tree, Filters(window="lon 100:101, lat -5:-4"))


def test_rows_and_columns_are_of_one_image(slc):
    tree = swath.open_product(slc)
    with pytest.raises(InputError, match="are those of one image"):
        select(tree, Filters(window="rows 0:10, columns 0:20"))
    part = select(tree, Filters(window="rows 0:10, columns 5:20", burst=("1",), polarisation=("VV",)))
    (image,) = part.children.values()
    assert image["measurements/slc"].shape == (10, 15)
    assert image["conditions/burst_info"].sizes["azimuth_time"] == 10


def test_the_command_line_has_the_same_filters(slc, capsys):
    arguments = ["ls", str(slc), "--burst", "0", "--polarisation", "VV", "--include", "*/slc", "--json"]
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 0
    told = capsys.readouterr().out
    assert told.count('/measurements/slc"') == 1

"""Overviews: half the size again and again, told by GeoZarr, and no part of the product."""

import json

import mapped
import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from rasterio.enums import Resampling
from swath.errors import InputError, ProductError
from swath.io import metering
from swath.product import Grid, open_overviews

GRID = Grid((700, 530), (10.0, 0.0, 499980.0, 0.0, -10.0, 6900040.0), "EPSG:32755")
LEVELS = "measurements/overviews/r10m"


@pytest.fixture(scope="module", params=[2, 3])
def zarr_format(request):
    return request.param


@pytest.fixture(scope="module")
def written(zarr_format, tmp_path_factory):
    path = tmp_path_factory.mktemp("overviews") / "p.zarr"
    swath.write_product(mapped.product(GRID, chunk=125), path, zarr_format=zarr_format, overviews=True)
    return path


def attributes(path, group, zarr_format):
    name = ".zattrs" if zarr_format == 2 else "zarr.json"
    told = json.loads((path / group / name).read_text())
    return told if zarr_format == 2 else told["attributes"]


def test_they_are_no_part_of_the_product(written):
    xr.testing.assert_identical(swath.open_product(written).load(), mapped.product(GRID, chunk=125).load())


def test_real_numbers_are_the_mean_as_gdal_makes_it(written, tmp_path):
    # GDAL spreads odd rows and columns over their neighbours: it gets a part that has none.
    whole = mapped.product(GRID)["measurements/r10m/index"].values[:672, :512]
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=512, height=672, count=1, dtype="float32",
        nodata=np.nan, transform=rasterio.Affine(*GRID.transform), crs=GRID.crs,
    ) as file:  # fmt: skip
        file.write(whole, 1)
        file.build_overviews([2, 4], Resampling.average)
    levels = open_overviews(written)
    for factor, level in ((2, 0), (4, 1)):
        with rasterio.open(tmp_path / "a.tif", overview_level=level) as file:
            expected = file.read(1)
        rows, columns = expected.shape
        found = levels[f"{LEVELS}/{factor}/index"].values[:rows, :columns]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_whole_numbers_are_those_of_a_pixel(written):
    flags = mapped.product(GRID)["measurements/r10m/flags"].values
    found = open_overviews(written)[f"{LEVELS}/4/flags"]
    np.testing.assert_array_equal(found.values, flags[::4, ::4])
    assert found.dtype == np.uint8
    assert found.attrs["flag_meanings"] == "low high"


def test_levels_know_their_place_and_stay_packed(written):
    levels = open_overviews(written)
    assert list(levels[LEVELS].children) == ["2", "4"]
    for factor, shape in ((2, (350, 265)), (4, (175, 133))):
        found = levels[f"{LEVELS}/{factor}"]
        scaled = (10.0 * factor, 0.0, 499980.0, 0.0, -10.0 * factor, 6900040.0)
        assert Grid.of(found) == Grid(shape, scaled, "EPSG:32755")
        assert found["b02"].encoding["dtype"] == np.uint16
        assert np.nanmax(found["b02"]) < 0.8


def test_the_layout_is_that_of_the_conventions(written, zarr_format):
    told = attributes(written, "measurements", zarr_format)
    layout = told["multiscales"]["layout"]
    assert [entry["asset"] for entry in layout] == ["r10m", "overviews/r10m/2", "overviews/r10m/4"]
    assert [entry.get("derived_from") for entry in layout] == [None, "r10m", "overviews/r10m/2"]
    for entry in layout:
        node = attributes(written, f"measurements/{entry['asset']}", zarr_format)
        assert node["proj:code"] == told["proj:code"] == "EPSG:32755"
        assert node["spatial:shape"] == entry["spatial:shape"]
        assert node["spatial:transform"] == entry["spatial:transform"]
        assert {c["name"] for c in node["zarr_conventions"]} == {"spatial:", "proj:"}
        assert ("transform" in entry) == ("derived_from" in entry)


def test_names_of_conventions_are_those_of_real_products(samples, written, zarr_format):
    import gzip

    with gzip.open(samples / "eopf/geozarr/S2B_MSIL1C_20250113.geozarr.json.gz") as file:
        real = json.load(file)["members"]["measurements"]["members"]["reflectance"]["attributes"]
    ours = attributes(written, "measurements", zarr_format)
    for key in ("uuid", "name", "description"):
        assert {c[key] for c in ours["zarr_conventions"]} == {c[key] for c in real["zarr_conventions"]}
    assert set(ours) - {"swath_added", "spatial:registration"} <= set(real)
    assert set(ours["multiscales"]["layout"][1]) <= {
        *real["multiscales"]["layout"][1], "spatial:transform", "resampling_method",
    }  # fmt: skip


def test_an_overview_is_read_by_its_own_chunks(written):
    found = open_overviews(written)[f"{LEVELS}/4/index"]
    with metering.reading() as read:
        found[:50, :50].compute()
    assert read.counts.chunks == 1


def test_what_has_none_is_told(tmp_path):
    tree = mapped.product()
    with pytest.raises(InputError, match="nothing to make overviews of"):
        swath.write_product(tree, tmp_path / "p.zarr", overviews=True)
    assert not list(tmp_path.iterdir())
    swath.write_product(tree, tmp_path / "p.zarr")
    with pytest.raises(ProductError, match="has no overviews"):
        open_overviews(tmp_path / "p.zarr")

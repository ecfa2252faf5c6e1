"""GeoTIFF and COG as products: what GDAL reads, tile by tile."""

import zipfile

import fsspec
import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from swath.errors import ProductError
from swath.io import metering


@pytest.fixture
def cog(tmp_path):
    data = np.random.default_rng(1).integers(1, 9000, (2, 600, 500)).astype(np.uint16)
    data[0, :20, :30] = 0
    with rasterio.open(
        tmp_path / "a.tif", "w", driver="GTiff", width=500, height=600, count=2, dtype="uint16",
        crs="EPSG:32755", transform=rasterio.Affine(10, 0, 499980, 0, -10, 6900040), nodata=0,
        tiled=True, blockxsize=256,
        blockysize=256, compress="deflate", interleave="band",
    ) as file:  # fmt: skip
        file.write(data)
        file.descriptions = ("red", None)
        file.scales, file.offsets = (1e-4, 1), (-0.1, 0)
    return tmp_path / "a.tif", data


def test_numbers_are_those_of_the_file(cog):
    path, data = cog
    measured = swath.open_product(path)["measurements"]
    assert sorted(measured.data_vars) == ["band_2", "red"]
    np.testing.assert_allclose(measured["red"], np.where(data[0] == 0, np.nan, data[0] * 1e-4 - 0.1))
    np.testing.assert_array_equal(measured["band_2"], data[1])
    grid = swath.Grid.of(measured["red"])
    assert (grid.crs, grid.transform) == ("EPSG:32755", (10, 0, 499980, 0, -10, 6900040))


def test_a_chunk_is_a_tile_whose_bytes_are_known(cog):
    red = swath.open_product(cog[0])["measurements/red"]
    source = swath.chunk_source(red)
    assert (source.chunk_shape, red.chunks[0]) == ((256, 256), (256, 256, 88))
    planned = source.chunk_bytes(2, 1)
    with metering.reading() as read:
        red.data.blocks[2, 1].compute()
    assert read.counts == metering.Counts(bytes=planned, requests=1, chunks=1)
    assert planned > 10_000


def test_a_file_in_a_zip_or_on_another_file_system_is_the_same(cog, tmp_path):
    path, _ = cog
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.write(path, "a.tif")
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/a.tif", path.read_bytes())
    expected = swath.open_product(path)["measurements"].load()
    for location in (tmp_path / "a.zip", "memory://bucket/a.tif"):
        with metering.reading() as read:
            found = swath.open_product(location)["measurements"].load()
        xr.testing.assert_identical(found, expected)
        assert read.counts.chunks == 2 * 6
    memory.rm("/bucket", recursive=True)


def test_opening_reads_the_header_and_a_tile_is_one_request(cog):
    memory = fsspec.filesystem("memory")
    memory.pipe("/bucket/a.tif", cog[0].read_bytes())
    with metering.reading() as read:
        red = swath.open_product("memory://bucket/a.tif")["measurements/red"]
    assert read.counts.requests <= 4
    assert read.counts.bytes < 40_000
    with metering.reading() as read:
        red[:10, :10].compute()
    assert read.counts.requests == 1
    memory.rm("/bucket", recursive=True)


def test_it_becomes_zarr_without_loss(cog, tmp_path):
    tree = swath.open_product(cog[0])
    swath.write_product(tree, tmp_path / "p.zarr")
    again = swath.open_product(tmp_path / "p.zarr")
    np.testing.assert_array_equal(again["measurements/red"], tree["measurements/red"])


def test_a_picture_without_a_place_and_a_file_that_is_cut_off_are_told(cog, tmp_path):
    options = {"driver": "GTiff", "width": 5, "height": 5, "count": 1, "dtype": "uint8"}
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        rasterio.open(tmp_path / "c.tif", "w", **options).close()
    with pytest.raises(ProductError, match="reference system"):
        swath.open_product(tmp_path / "c.tif")
    (tmp_path / "b.tif").write_bytes(cog[0].read_bytes()[:100])
    with pytest.raises(ProductError, match=r"b\.tif is truncated"):
        swath.open_product(tmp_path / "b.tif")

"""Products as folders of COGs: valid, lossless, whole or not at all."""

import json
import subprocess

import dask.array as da
import mapped
import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from rio_cogeo import cog_validate
from swath.errors import InputError, RunError
from swath.io import metering
from swath.product import write_cogs

FILES = {"measurements/r10m/b02.tif", "measurements/r10m/index.tif", "measurements/r10m/flags.tif"}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    path = tmp_path_factory.mktemp("cogs") / "product"
    assert write_cogs(mapped.product(), path) == ["conditions/zenith"]
    return path


def test_each_image_is_a_valid_cog(written):
    assert {str(path.relative_to(written)) for path in written.rglob("*.tif")} == FILES
    for path in written.rglob("*.tif"):
        valid, errors, warnings = cog_validate(path, strict=True, quiet=True)
        assert (valid, errors, warnings) == (True, [], []), path.name
    subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=written, check=True)


def test_numbers_stay_packed_and_gdal_unpacks_them(written):
    expected = mapped.product()["measurements/r10m/b02"].values
    with rasterio.open(written / "measurements/r10m/b02.tif") as file:
        assert (file.dtypes[0], file.nodata, file.scales[0], file.offsets[0]) == ("uint16", 0, 1e-4, -0.1)
        assert (file.descriptions[0], file.units[0]) == ("b02", "1")
        stored = file.read(1, masked=True)
    np.testing.assert_allclose((stored * 1e-4 - 0.1).filled(np.nan), expected, atol=1e-12)


def test_the_folder_opens_as_the_product(written):
    again, tree = swath.open_product(written), mapped.product()
    found = again["measurements/r10m"].to_dataset().load()
    xr.testing.assert_identical(found, tree["measurements/r10m"].to_dataset().load())
    for name in ("b02", "flags"):
        kept = {
            k: tree[f"measurements/r10m/{name}"].encoding.get(k)
            for k in ("dtype", "scale_factor", "_FillValue")
        }
        assert {k: found[name].encoding.get(k) for k in kept} == kept
    assert again.attrs["other_metadata"] == tree.attrs["other_metadata"]
    discovery = again.attrs["stac_discovery"]
    assert discovery["id"] == "made"
    assert discovery["properties"]["eo:cloud_cover"] == 12.5


def test_a_chunk_is_a_tile_whose_bytes_are_known(written):
    array = swath.open_product(written)["measurements/r10m/b02"]
    with metering.reading() as read:
        array.data.blocks[0, 0].compute()
    assert read.counts == metering.Counts(
        bytes=swath.chunk_source(array).chunk_bytes(0, 0), requests=1, chunks=1
    )


def test_the_item_names_each_file_with_its_grid(written):
    item = json.loads((written / "item.json").read_text())
    assert {asset["href"] for asset in item["assets"].values()} == {f"./{name}" for name in FILES}
    asset = item["assets"]["measurements-r10m-flags"]
    assert asset["proj:shape"] == [75, 66]
    assert [c["name"] for c in asset["classification:bitfields"]] == ["low", "high"]
    assert "gone" not in item["properties"]


def test_images_of_no_map_and_of_types_that_tiff_has_not_are_refused(tmp_path, small_efr):
    with pytest.raises(InputError, match="no image of the product is on a map grid"):
        write_cogs(swath.open_product(small_efr), tmp_path / "a")
    tree = mapped.product()
    tree["measurements/r10m"]["big"] = tree["measurements/r10m/flags"].astype(np.int64)
    with pytest.raises(InputError, match="measurements/r10m/big is of type int64"):
        write_cogs(tree, tmp_path / "a")
    assert not list(tmp_path.iterdir())


def test_a_chunk_that_cannot_be_computed_leaves_nothing(tmp_path):
    def fail(block):
        raise ValueError("no")

    tree = mapped.product()
    bad = da.ones(mapped.GRID.shape, chunks=32, dtype="f4").map_blocks(fail, dtype="f4")
    tree["measurements/r10m"]["bad"] = xr.DataArray(bad, dims=("y", "x"), attrs=mapped.GRID.attributes())
    with pytest.raises(RunError, match="could not be computed"):
        write_cogs(tree, tmp_path / "a")
    assert not list(tmp_path.iterdir())

"""Products of each kind, in object storage: the same as on this machine, for a bounded number of requests."""

import shutil
import tarfile
import zipfile

import numpy as np
import swath
import xarray as xr

SLC = "S1B_IW_SLC__1SDV_20210401T052622_20210401T052650_026269_032297_EFA4.SAFE"


def put(source, target):
    if target.exists():
        return
    if source.is_dir():
        shutil.copytree(source, target, copy_function=shutil.copyfile)
    else:
        shutil.copyfile(source, target)


def assert_same(there, here):
    assert there.groups == here.groups
    for node in here.subtree:
        for name, array in node.data_vars.items():
            xr.testing.assert_identical(there[node.path][name].load(), array.load())


def test_a_sentinel_2_product_as_folder_zip_and_tar(sample_safe, sample_zip, s3):
    put(sample_safe, s3.bucket / "s2.SAFE")
    put(sample_zip, s3.bucket / "s2.zip")
    with tarfile.open(s3.bucket / "s2.tar", "w") as archive:
        archive.add(sample_safe, sample_safe.name)
    here = swath.open_product(sample_safe)
    # A list, two files of metadata, and one request each for the headers of 13 bands and the masks of each.
    for name, most in (("s2.SAFE", 100), ("s2.zip", 6), ("s2.tar", 40)):
        s3.asked.clear()
        there = swath.open_product(f"s3://bucket/{name}")
        assert len(s3.asked) <= most, name
        assert_same(there, here)


def test_headers_of_a_folder_are_asked_for_at_once(sample_safe, s3):
    put(sample_safe, s3.bucket / "s2.SAFE")
    s3.latency = 0.3
    swath.open_product("s3://bucket/s2.SAFE")
    assert s3.most_at_once > 10


def test_a_sentinel_3_product(small_efr, s3):
    put(small_efr, s3.bucket / "s3.SEN3")
    here = swath.open_product(small_efr)
    there = swath.open_product("s3://bucket/s3.SEN3")
    # A list, the manifest, and one request a file: all of them are smaller than what is read of a header.
    assert len(s3.asked) <= 2 + len(list(small_efr.iterdir()))
    assert_same(there, here)


def test_a_sentinel_1_product(samples, s3):
    put(samples / "s1" / "safe" / SLC, s3.bucket / "s1.SAFE")
    here = swath.open_product(samples / "s1" / "safe" / SLC)
    there = swath.open_product("s3://bucket/s1.SAFE")
    assert there.groups == here.groups
    assert len(s3.asked) <= 2 + 4 * 6  # a list, the manifest, and four files each of at most six images
    group = next(node.path for node in here.subtree if "slc" in node.data_vars)
    window = {"azimuth_time": slice(0, 3)}
    np.testing.assert_array_equal(
        there[group]["slc"].isel(window).values, here[group]["slc"].isel(window).values
    )


def test_a_geotiff_and_a_netcdf_file(practice_zarr, s3, web, tmp_path):
    tree = swath.open_product(practice_zarr)
    swath.product.write_netcdf(tree, tmp_path / "p.nc")
    name = "measurements/r10m/red"
    from swath.io.cog import write_cog

    grid = swath.Grid.of(tree[name])
    write_cog(tree[name].values, tmp_path / "red.tif", transform=grid.transform, crs=grid.crs)
    with zipfile.ZipFile(tmp_path / "red.zip", "w") as archive:
        archive.write(tmp_path / "red.tif", "red.tif")
    for place, root in (("s3://bucket", s3.bucket), (web.address, web.folder)):
        for file in ("p.nc", "red.tif", "red.zip"):
            shutil.copyfile(tmp_path / file, root / file)
            assert_same(swath.open_product(f"{place}/{file}"), swath.open_product(tmp_path / file))


def test_a_tile_of_a_geotiff_is_one_request(s3, tmp_path):
    from swath.io.cog import write_cog

    data = np.random.default_rng(1).random((2048, 2048), dtype=np.float32)
    write_cog(data, s3.bucket / "large.tif", transform=(10, 0, 0, 0, -10, 0), crs="EPSG:32755")
    tree = swath.open_product("s3://bucket/large.tif")
    assert len(s3.asked) <= 2  # its header, and where its tiles lie
    (array,) = tree["measurements"].data_vars.values()
    s3.asked.clear()
    s3.latency, s3.most_at_once = 0.3, 0
    np.testing.assert_array_equal(array[500:1100, 500:1100].values, data[500:1100, 500:1100])
    assert len(s3.asked) <= 9
    assert s3.most_at_once == len(s3.asked)

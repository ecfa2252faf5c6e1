"""Products written as Zarr come back the same, in every reader; and a failed write leaves nothing."""

import json
import resource
import shutil
import signal
import subprocess
import sys
import zipfile

import dask
import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
import zarr
from swath.errors import DestinationError, InputError, MetadataError, ProductError, WriteError
from swath.io import metering
from swath.product import Grid, cut_window, open_product, select_variables, write_product


@pytest.fixture(scope="module", params=[2, 3])
def zarr_format(request):
    return request.param


@pytest.fixture(scope="module")
def written(modern_safe, zarr_format, tmp_path_factory):
    destination = tmp_path_factory.mktemp("written") / "product.zarr"
    swath.write_product(swath.open_product(modern_safe), destination, zarr_format=zarr_format)
    return destination


def test_a_written_product_opens_identical(written, modern_safe):
    original, again = swath.open_product(modern_safe), swath.open_product(written)
    xr.testing.assert_identical(again.load(), original.load())


def test_xarray_opens_it_alike(written, modern_safe):
    with xr.open_datatree(written, engine="zarr", chunks={}) as tree:
        found = tree.load().map_over_datasets(
            lambda dataset: dataset.drop_vars("spatial_ref", errors="ignore")
        )
        xr.testing.assert_equal(found, swath.open_product(modern_safe).load())


def test_stored_numbers_are_those_of_the_images(written, modern_safe):
    root = zarr.open_group(written, mode="r")
    for path in modern_safe.glob("GRANULE/*/IMG_DATA/*_B*.jp2"):
        with rasterio.open(path) as file:
            counts, resolution = file.read(1), int(file.transform.a) // 64
        stored = root[f"measurements/reflectance/r{resolution}m/{path.stem[-3:].lower()}"]
        assert stored.dtype == np.uint16
        assert stored.chunks == (min(64, counts.shape[0]), min(64, counts.shape[1]))
        np.testing.assert_array_equal(stored[:], counts)


def test_metadata_is_that_of_eopf_products(written, zarr_format):
    if zarr_format == 3:
        group = json.loads((written / "zarr.json").read_text())
        array = group["consolidated_metadata"]["metadata"]["measurements/reflectance/r10m/b02"]
        assert [codec["name"] for codec in array["codecs"]] == ["bytes", "blosc"]
        assert array["attributes"]["_eopf_attrs"]["dimensions"] == ["y", "x"]
        return
    metadata = json.loads((written / ".zmetadata").read_text())["metadata"]
    array, attributes = (metadata[f"measurements/reflectance/r10m/b02/{k}"] for k in (".zarray", ".zattrs"))
    assert array["compressor"] == {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 2, "blocksize": 0}
    assert (array["dtype"], array["fill_value"], array.get("dimension_separator", ".")) == ("<u2", 0, ".")
    assert (attributes["scale_factor"], attributes["add_offset"]) == (1e-4, -0.1001)
    assert attributes["_eopf_attrs"] == {
        "dimensions": ["y", "x"], "coordinates": ["x", "y"], "scale_factor": 1e-4, "add_offset": -0.1001,
        "fill_value": 0, "units": "1", "swath_added": ["short_name"],
    }  # fmt: skip
    assert (written / "measurements/reflectance/r10m/b02/2.1").is_file()
    assert metadata["conditions/geometry/angle/.zarray"]["dtype"] == "<U7"


def test_gdal_reads_the_same_numbers(modern_safe, tmp_path):
    swath.write_product(select_variables(swath.open_product(modern_safe), ["*/b03"]), tmp_path / "p.zarr")
    with rasterio.open(f'ZARR:"{tmp_path}/p.zarr":/measurements/reflectance/r10m/b03') as found:
        with rasterio.open(next(modern_safe.glob("GRANULE/*/IMG_DATA/*_B03.jp2"))) as image:
            np.testing.assert_array_equal(found.read(1), image.read(1))
        assert (found.scales, found.nodata) == ((1e-4,), 0)
        assert found.offsets[0] == pytest.approx(-0.1002)


def test_gdal_knows_where_it_lies(modern_safe, tmp_path):
    product = open_product(modern_safe)
    write_product(product, tmp_path / "p.zarr")
    path = "/measurements/reflectance/r60m/b01"
    with rasterio.open(f'ZARR:"{tmp_path / "p.zarr"}":{path}') as dataset:
        grid = Grid.of(product[path])
        assert dataset.crs.to_string() == grid.crs
        assert dataset.transform[:6] == grid.transform


def test_a_corrupt_chunk_of_zarr_is_told_and_leaves_nothing(modern_safe, tmp_path):
    write_product(open_product(modern_safe), tmp_path / "p.zarr")
    chunk = tmp_path / "p.zarr/measurements/reflectance/r60m/b01/0.0"
    chunk.write_bytes(chunk.read_bytes()[:-20])
    with pytest.raises(ProductError, match="a chunk of measurements/reflectance/r60m/b01 is corrupt"):
        write_product(open_product(tmp_path / "p.zarr"), tmp_path / "q.zarr")
    assert [path.name for path in tmp_path.iterdir()] == ["p.zarr"]


def test_chunks_of_a_zarr_product_are_planned_and_counted(written):
    array = swath.open_product(written)["/measurements/reflectance/r10m/b02"]
    source = swath.chunk_source(array)
    assert (source.shape, source.chunk_shape) == ((172, 172), (64, 64))
    planned = source.chunk_bytes(1, 2)
    with metering.reading() as read:
        array.data.blocks[1, 2].compute(scheduler="synchronous")
    assert (read.counts.bytes, read.counts.chunks) == (planned, 1)


def test_opening_a_zarr_product_reads_no_chunk_of_an_image(written):
    with metering.reading() as read:
        swath.open_product(written)
    assert read.counts.chunks == 0


def test_a_zip_of_a_zarr_product_opens_the_same(written, tmp_path):
    with zipfile.ZipFile(tmp_path / "product.zarr.zip", "w") as archive:
        for path in written.rglob("*"):
            archive.write(path, path.relative_to(written))
    again = swath.open_product(tmp_path / "product.zarr.zip")
    xr.testing.assert_identical(again.load(), swath.open_product(written).load())


def test_a_chunk_that_is_all_fill_value_costs_nothing_but_counts(modern_safe, tmp_path):
    tree = select_variables(swath.open_product(modern_safe), ["quality/mask/r10m/b02"])
    array = tree["/quality/mask/r10m/b02"]
    tree["/quality/mask/r10m"]["b02"] = xr.zeros_like(array)
    swath.write_product(tree, tmp_path / "p.zarr")
    again = swath.open_product(tmp_path / "p.zarr")["/quality/mask/r10m/b02"]
    with metering.reading() as read:
        assert not again.values.any()
    assert read.counts.chunks == 9


def test_parts_can_be_selected(modern_safe):
    tree = select_variables(swath.open_product(modern_safe), ["measurements/*/b02", "quality/mask/r20m"])
    found = [f"{node.path}/{name}" for node in tree.subtree for name in node.data_vars]
    assert sorted(found) == [
        "/measurements/reflectance/r10m/b02",
        *(f"/quality/mask/r20m/{b}" for b in ("b05", "b06", "b07", "b11", "b12", "b8a")),
    ]
    with pytest.raises(InputError, match="no variable fits 'measurement'; there are"):
        select_variables(tree, ["measurement"])


def test_a_window_is_cut_on_all_grids(modern_safe, tmp_path):
    whole = swath.open_product(modern_safe)
    part = cut_window(whole, "rows 10:80, columns 64:130")
    swath.write_product(part, tmp_path / "part.zarr")
    again = swath.open_product(tmp_path / "part.zarr")
    fine, coarse = (again[f"/measurements/reflectance/r{m}m"] for m in (10, 60))
    xr.testing.assert_equal(
        fine["b02"].load(), whole["/measurements/reflectance/r10m/b02"][10:80, 64:130].load()
    )
    # 6 pixels of 640 m make one of 3840 m: rows 10 to 79 lie within rows 1 to 13, columns 64 to 129 within
    # 10 to 21.
    xr.testing.assert_equal(
        coarse["b01"].load(), whole["/measurements/reflectance/r60m/b01"][1:14, 10:22].load()
    )
    grid = swath.Grid.of(again["/measurements/reflectance/r10m"])
    assert grid.transform == (640.0, 0.0, 499980.0 + 64 * 640, 0.0, -640.0, 6900040.0 - 10 * 640)
    discovery = again.attrs["stac_discovery"]
    assert discovery["properties"]["proj:shape"] == [70, 66]
    assert 147.3 < discovery["bbox"][0] < discovery["bbox"][2] < 148.0


def test_an_unknown_format_is_refused(modern_safe, tmp_path):
    with pytest.raises(InputError, match="give 2 or 3"):
        swath.write_product(swath.open_product(modern_safe), tmp_path / "p.zarr", zarr_format=4)


def test_an_existing_product_is_kept_unless_told_otherwise(written, modern_safe):
    tree = select_variables(swath.open_product(modern_safe), ["*/b01"])
    with pytest.raises(DestinationError, match="exists already"):
        swath.write_product(tree, written)
    assert "b02" in swath.open_product(written)["/measurements/reflectance/r10m"]


def test_overwriting_a_product_that_is_being_read_is_safe(modern_safe, tmp_path):
    tree = select_variables(swath.open_product(modern_safe), ["*/r60m/b01"])
    swath.write_product(tree, tmp_path / "p.zarr")
    again = swath.open_product(tmp_path / "p.zarr")
    swath.write_product(again, tmp_path / "p.zarr", overwrite=True)
    xr.testing.assert_identical(swath.open_product(tmp_path / "p.zarr").load(), tree.load())


def test_a_full_disk_leaves_nothing(modern_safe, tmp_path):
    tree = select_variables(swath.open_product(modern_safe), ["*/b02"])
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, hard))
    try:
        with pytest.raises(WriteError, match=r"cannot write .*p.zarr: File too large"):
            swath.write_product(tree, tmp_path / "p.zarr")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert not list(tmp_path.iterdir())


def test_a_source_that_breaks_while_it_is_read_leaves_nothing(modern_safe, tmp_path):
    safe = shutil.copytree(modern_safe, tmp_path / modern_safe.name)
    tree = select_variables(swath.open_product(safe), ["measurements/*/b02"])
    image = next(safe.glob("GRANULE/*/IMG_DATA/*_B02.jp2"))
    swath.chunk_source(tree["/measurements/reflectance/r10m/b02"]).chunk_bytes(0, 0)
    image.write_bytes(image.read_bytes()[:2000])
    with pytest.raises(ProductError, match=r"B02.jp2 is truncated"):
        swath.write_product(tree, tmp_path / "p.zarr")
    assert sorted(p.name for p in tmp_path.iterdir()) == [modern_safe.name]


INTERRUPTED = """
import sys, _thread, time
import swath, swath.product
from swath.product.sentinel2 import _images
tree = swath.product.select_variables(swath.open_product(sys.argv[1]), ["*/r10m/b02"])
real = _images.Image.read
def slow(self, row, column):
    if row == 1:
        _thread.interrupt_main()
        time.sleep(0.5)
    return real(self, row, column)
_images.Image.read = slow
swath.write_product(tree, sys.argv[2])
"""


def test_an_interrupt_while_chunks_are_written_leaves_nothing(modern_safe, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED, modern_safe, tmp_path / "p.zarr"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "KeyboardInterrupt" in done.stderr
    assert not list(tmp_path.iterdir())


def test_zarr_that_is_no_product_is_refused(tmp_path):
    xr.Dataset({"a": ("x", [1, 2])}).to_zarr(tmp_path / "other.zarr", zarr_format=2, consolidated=True)
    with pytest.raises(ProductError, match="lacks the attribute stac_discovery"):
        swath.open_product(tmp_path / "other.zarr")


def test_broken_zarr_metadata_is_refused(written, tmp_path):
    broken = shutil.copytree(written, tmp_path / "broken.zarr")
    for name in (".zmetadata", "zarr.json"):
        if (broken / name).exists():
            (broken / name).write_text((broken / name).read_text()[:5000])
    with pytest.raises(MetadataError, match="metadata cannot be read"):
        swath.open_product(broken)


def test_the_scheduler_that_the_user_chose_is_left_in_place(modern_safe, tmp_path):
    tree = select_variables(swath.open_product(modern_safe), ["*/r60m/b01"])
    with dask.config.set(scheduler="synchronous"):
        swath.write_product(tree, tmp_path / "p.zarr")
    assert (tmp_path / "p.zarr").is_dir()

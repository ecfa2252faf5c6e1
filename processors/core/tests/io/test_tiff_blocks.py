"""TIFFs of any kind: each block is decoded by GDAL from its own bytes, whatever packs it."""

import contextlib
import pickle

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rasterio.io import MemoryFile
from swath.errors import ProductError
from swath.io import metering
from swath.io.store import open_store
from swath.io.tiff import read_directory

WAYS = {
    "plain": {},
    "strips": {"tiled": False, "blockysize": 7},
    "deflate": {"compress": "deflate", "predictor": 2},
    "lzw-pixel": {"compress": "lzw", "interleave": "pixel"},
    "zstd-band": {"compress": "zstd", "interleave": "band"},
    "lerc": {"compress": "lerc_deflate", "max_z_error": 0},
    "big": {"bigtiff": "yes", "compress": "deflate"},
    "swapped": {"endianness": "big", "interleave": "band"},
    "jpeg": {"compress": "jpeg", "interleave": "pixel", "dtype": "uint8", "photometric": "ycbcr"},
    "sparse": {"sparse_ok": True, "compress": "deflate"},
}


def write(path, way, *, bands=3, shape=(75, 66)):
    options = {"dtype": "uint16", "tiled": True, "blockxsize": 32, "blockysize": 16, **WAYS[way]}
    data = np.random.default_rng(1).integers(0, 200, (bands, *shape)).astype(options["dtype"])
    if way == "sparse":
        data[:, :32, :32] = 0
    if not options["tiled"]:
        del options["blockxsize"]
    with rasterio.open(
        path, "w", driver="GTiff", width=shape[1], height=shape[0], count=bands, crs="EPSG:32755",
        transform=rasterio.Affine(10, 0, 0, 0, -10, 0), **options,
    ) as file:  # fmt: skip
        file.write(data)


@pytest.mark.parametrize("way", WAYS)
def test_blocks_are_those_that_gdal_reads(tmp_path, way):
    write(tmp_path / "a.tif", way)
    store = open_store(tmp_path / "a.tif")
    found = pickle.loads(pickle.dumps(read_directory(store, "a.tif")))
    with rasterio.open(tmp_path / "a.tif") as file:
        assert (found.shape, found.block_shape) == (file.shape, file.block_shapes[0])
        for band in range(3):
            for (row, column), window in file.block_windows(1):
                index = found.index(row, column, band)
                size, start = int(found.sizes[index]), int(found.offsets[index])
                expected = file.read(band + 1, window=window)
                if not size:
                    assert (expected == 0).all()
                    continue
                block = found.block(row, store.read_range("a.tif", start, start + size))
                with MemoryFile(block) as memory, memory.open() as one:
                    pixels = one.read(1 if found.planar else band + 1)
                np.testing.assert_array_equal(pixels[: expected.shape[0], : expected.shape[1]], expected)
        assert way != "sparse" or 0 in found.sizes


def test_the_header_tells_gdal_all_but_the_pixels(tmp_path):
    write(tmp_path / "a.tif", "deflate", shape=(300, 200))
    with rasterio.open(tmp_path / "a.tif", "r+") as file:
        file.scales, file.offsets, file.nodata = (1e-4, 1, 1), (-0.1, 0, 0), 7
        file.descriptions = ("red", None, None)
        file.update_tags(a="b")
    store = open_store(tmp_path / "a.tif")
    with metering.reading() as read:
        header = read_directory(store, "a.tif").header()
    assert read.counts.requests <= 4
    with MemoryFile(header) as memory, memory.open() as found, rasterio.open(tmp_path / "a.tif") as file:
        for what in ("shape", "crs", "transform", "scales", "offsets", "nodata", "descriptions", "dtypes"):
            assert getattr(found, what) == getattr(file, what), what
        assert found.tags()["a"] == "b"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "a.tif"
    write(path, "deflate", bands=1, shape=(40, 40))
    return path.read_bytes()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    flips=st.lists(st.tuples(st.integers(0, 1 << 12), st.integers(0, 255)), max_size=4),
    cut=st.integers(0, 1 << 12) | st.none(),
)
def test_damaged_files_are_read_or_refused(tmp_path_factory, whole, flips, cut):
    from swath.product import open_product

    data = bytearray(whole)
    for place, value in flips:
        data[place % len(data)] = value
    path = tmp_path_factory.mktemp("damaged") / "a.tif"
    path.write_bytes(data[:cut])
    with contextlib.suppress(ProductError):
        for array in open_product(path)["measurements"].data_vars.values():
            if array.size < 1e6:
                array.compute(scheduler="synchronous")

"""Cloud-optimised GeoTIFF files: valid, exact, bounded, all or nothing."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import rasterio
from rio_cogeo import cog_validate
from swath.errors import WriteError
from swath.io.cog import BLOCK_SIZE, write_cog

TRANSFORM = (10.0, 0.0, 499980.0, 0.0, -10.0, 6900040.0)
CRS = "EPSG:32755"


def reflectance(rows: int, columns: int) -> np.ndarray:
    values = np.random.default_rng(7).random((rows, columns), dtype=np.float32)
    values[: rows // 3, : columns // 2] = np.nan
    return values


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (172, 172), (512, 512), (1300, 900)])
@pytest.mark.parametrize("compression", ["DEFLATE", "ZSTD"])
def test_is_a_strictly_valid_cog_that_holds_the_same_values(tmp_path, rows, columns, compression):
    values = reflectance(rows, columns)
    path = write_cog(
        values, tmp_path / "b02.tif", transform=TRANSFORM, crs=CRS, nodata=np.nan, compression=compression
    )
    valid, errors, warnings = cog_validate(path, strict=True)
    assert (valid, errors, warnings) == (True, [], [])
    with rasterio.open(path) as dataset:
        np.testing.assert_array_equal(dataset.read(1), values)
        assert dataset.crs.to_epsg() == 32755
        assert tuple(dataset.transform)[:6] == TRANSFORM
        assert np.isnan(dataset.nodata)
        assert dataset.compression.value.upper() == compression
    assert [entry.name for entry in tmp_path.iterdir()] == ["b02.tif"]


def test_has_tiles_overviews_and_the_predictor_of_its_type(tmp_path):
    for dtype, predictor in (("float32", None), ("uint8", "2")):
        path = write_cog(
            np.ones((1300, 1100), dtype), tmp_path / f"{dtype}.tif", transform=TRANSFORM, crs=CRS,
            overviews="nearest", description="b02", units="1", tags={"processor": "s2-toa"},
        )  # fmt: skip
        with rasterio.open(path) as dataset:
            assert dataset.block_shapes == [(BLOCK_SIZE, BLOCK_SIZE)]
            assert dataset.overviews(1) == [2, 4]
            assert dataset.tags(ns="IMAGE_STRUCTURE").get("PREDICTOR") == predictor
            assert dataset.descriptions == ("b02",)
            assert dataset.units == ("1",)
            assert dataset.tags()["processor"] == "s2-toa"
            assert dataset.nodata is None


def test_overviews_of_flags_hold_no_flag_that_is_not_in_the_image(tmp_path):
    flags = np.random.default_rng(1).choice(np.array([0, 8, 32], np.uint8), (1100, 1100))
    path = write_cog(flags, tmp_path / "mask.tif", transform=TRANSFORM, crs=CRS, overviews="nearest")
    with rasterio.open(path, overview_level=0) as dataset:
        assert set(np.unique(dataset.read(1))) <= {0, 8, 32}


def test_averages_leave_pixels_without_data_out(tmp_path):
    values = np.full((1024, 1024), np.nan, np.float32)
    values[::2, ::2] = 0.25
    path = write_cog(values, tmp_path / "b.tif", transform=TRANSFORM, crs=CRS, nodata=np.nan)
    with rasterio.open(path, overview_level=0) as dataset:
        assert (dataset.read(1) == np.float32(0.25)).all()


def test_each_overview_is_made_of_the_one_before(tmp_path):
    values = reflectance(1300, 1100)
    path = write_cog(values, tmp_path / "b.tif", transform=TRANSFORM, crs=CRS, nodata=np.nan)
    with rasterio.open(path, overview_level=0) as half, rasterio.open(path, overview_level=1) as quarter:
        expected = np.nanmean(np.stack([values[i::2, j::2] for i in (0, 1) for j in (0, 1)])[:, 300:], axis=0)
        np.testing.assert_allclose(half.read(1)[300:], expected, rtol=1e-6)
        assert (half.shape, quarter.shape) == ((650, 550), (325, 275))
        assert np.isnan(quarter.read(1)[:100, :100]).all()


class Watched:
    """An array that remembers the largest block that was asked of it."""

    shape = (3000, 1000)
    dtype = np.dtype("float32")

    def __init__(self, chunks=None):
        self.largest = 0
        if chunks:
            self.chunks = chunks

    def __getitem__(self, key):
        rows, columns = key
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        self.largest = max(self.largest, shape[0] * shape[1])
        return np.broadcast_to(np.float32(rows.start), shape)


def test_reads_the_source_chunk_by_chunk(tmp_path):
    source = Watched(chunks=(700, 300))
    path = write_cog(source, tmp_path / "b.tif", transform=TRANSFORM, crs=CRS)
    assert source.largest == 700 * 300
    with rasterio.open(path) as dataset:
        assert list(dataset.read(1)[[0, 699, 700, 2999], 999]) == [0, 0, 700, 2800]


def test_refuses_what_exists_already(tmp_path):
    (tmp_path / "b.tif").write_text("mine")
    with pytest.raises(WriteError, match="exists already"):
        write_cog(np.ones((2, 2), np.uint8), tmp_path / "b.tif", transform=TRANSFORM, crs=CRS)
    assert (tmp_path / "b.tif").read_text() == "mine"


@pytest.mark.parametrize("shape", [(3,), (0, 4), (1, 2, 3)])
def test_refuses_what_is_not_an_image(tmp_path, shape):
    with pytest.raises(WriteError, match="expected rows and columns"):
        write_cog(np.ones(shape, np.uint8), tmp_path / "b.tif", transform=TRANSFORM, crs=CRS)


def test_leaves_nothing_where_the_source_fails(tmp_path):
    class Broken(Watched):
        def __getitem__(self, key):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_cog(Broken(), tmp_path / "b.tif", transform=TRANSFORM, crs=CRS)
    assert not list(tmp_path.iterdir())


LIMITED = """
import resource, signal, sys
import numpy as np
from swath.errors import WriteError
from swath.io.cog import write_cog
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), int(sys.argv[2])))
# Noise cannot be compressed: the GeoTIFF is larger than the plain file that it is made of.
values = np.random.default_rng(0).integers(0, 2**32, (1024, 1024), dtype=np.uint32)
try:
    write_cog(values, sys.argv[1], transform=(10, 0, 0, 0, -10, 0), crs="EPSG:32755", overviews="nearest")
except WriteError as error:
    print("refused:", error)
"""


PLAIN = 4 * (1024**2 + 512**2)


@pytest.mark.parametrize("limit", [100_000, PLAIN - 100_000, PLAIN + 1_150])
def test_a_full_disk_is_an_error_and_leaves_nothing(tmp_path: Path, limit: int):
    # The limits stop the plain file in its image and in its overview, and the copy.
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path / "b.tif"), str(limit)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "refused:" in run.stdout
    assert not list(tmp_path.iterdir())

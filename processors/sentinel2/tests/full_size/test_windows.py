"""A window of a whole tile costs what lies under it: chunks, bytes and memory, and its pixels are right.

Three witnesses who do not know each other: the simulator's truth, GDAL's own driver for these products, and
the counts of what was really read.
"""

import subprocess
import sys
from itertools import product as pairs

import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from rasterio.errors import NotGeoreferencedWarning
from rasterio.warp import transform
from rasterio.windows import Window as RasterWindow
from swath.io import metering
from swath.processing import plan
from swath.run import execute, make_payload
from swath_sentinel2 import simulator
from swath_sentinel2.toa import BANDS, TOA

pytestmark = pytest.mark.full_size

SIDE, CODEC_TILES = {10: 10980, 20: 5490, 60: 1830}, {10: 1024, 20: 640, 60: 192}
ROWS, COLUMNS = (1400, 1912), (5180, 5692)
"""512 x 512 pixels of 10 m that lie, with what the cloud buffer looks at around, in one codec tile a band."""
WINDOW = f"rows {ROWS[0]}:{ROWS[1]}, columns {COLUMNS[0]}:{COLUMNS[1]}"
HALO = 12
"""120 m of cloud buffer, pixels of 10 m."""


@pytest.fixture(scope="module")
def product(full_size):
    return swath.open_product(full_size)


def chunks_under(rows, columns, resolution, halo):
    """Return the codec tiles under a window of 10 m pixels, by plain division."""
    pixels = resolution // 10 * CODEC_TILES[resolution]
    down, across = (
        range(max(start - halo, 0) // pixels, (min(stop + halo, SIDE[10]) - 1) // pixels + 1)
        for start, stop in (rows, columns)
    )
    return tuple(pairs(down, across))


def test_opening_reads_metadata_and_the_headers_of_images(full_size):
    stored = sum(path.stat().st_size for path in full_size.rglob("*") if path.is_file())
    with metering.reading() as read:
        tree = swath.open_product(full_size)
    assert tree["/measurements/reflectance/r10m/b02"].shape == (10980, 10980)
    assert stored > 300e6
    metadata = sum(path.stat().st_size for path in full_size.rglob("MTD_*.xml"))
    assert read.counts.chunks == 0
    # 13 images and 27 masks: less than 16 KiB of header each.
    assert read.counts.bytes < metadata + 40 * 16384 < stored / 200


def test_a_window_within_one_tile_needs_one_chunk_of_each_variable(product):
    with metering.reading() as read:
        planned = plan(TOA, product, {"resolution": 10}, WINDOW)
    assert read.counts.chunks == 0
    assert planned.chunks == 13 + 13 + 1
    assert sum(source.chunks_in_product for source in planned.sources) > 90 * planned.chunks
    for source in planned.sources:
        resolution = int(source.path.split("/r")[-1].partition("m/")[0])
        assert source.chunks == chunks_under(ROWS, COLUMNS, resolution, HALO), source.path


def test_bounds_in_longitude_and_latitude_need_the_same_chunks(product):
    x, y = (
        [corner + step * 10 * pixel for pixel in span]
        for corner, step, span in ((699960, 1, COLUMNS), (4700040, -1, ROWS))
    )
    lon, lat = transform("EPSG:32632", "EPSG:4326", [x[0], x[1], x[1], x[0]], [y[0], y[0], y[1], y[1]])
    # The largest rectangle of degrees that is inside of the window's corners.
    west, east, south, north = sorted(lon)[1], sorted(lon)[2], sorted(lat)[1], sorted(lat)[2]
    bounds = f"lon {west:.6f}:{east:.6f}, lat {south:.6f}:{north:.6f}"
    planned = plan(TOA, product, {"resolution": 10}, bounds)
    assert all(480 <= side <= 514 for side in planned.window.shape)
    same = plan(TOA, product, {"resolution": 10}, WINDOW)
    assert [source.chunks for source in planned.sources] == [source.chunks for source in same.sources]
    assert planned.bytes == same.bytes


@pytest.mark.parametrize(
    ("rows", "columns"), [((1792, 2304), (5888, 6400)), ((0, 512), (10468, 10980)), ((9000, 9001), (0, 1))]
)
def test_windows_anywhere_need_the_chunks_under_them(product, rows, columns):
    parameters = {"resolution": 10, "indices": [], "cloud_test": "none"}
    planned = plan(TOA, product, parameters, {"rows": list(rows), "columns": list(columns)})
    for source in planned.sources:
        resolution = int(source.path.split("/r")[-1].partition("m/")[0])
        halo = HALO if "classification" in source.path else 0
        assert source.chunks == chunks_under(rows, columns, resolution, halo), source.path


def test_bytes_grow_with_the_area_of_the_window(product):
    """What a window touches is its area and at most one tile more on each axis, at some bytes a pixel."""
    parameters = {"resolution": 10, "bands": ["b02", "b03", "b08"], "indices": [], "cloud_test": "none"}
    tile, rate = CODEC_TILES[10], {}
    for side in (512, 2048, 8192):
        window = f"rows 1400:{1400 + side}, columns 1200:{1200 + side}"
        planned = plan(TOA, product, parameters, window)
        bands = [source for source in planned.sources if "/reflectance/" in source.path]
        touched = sum(len(source.chunks) for source in bands) * tile**2
        assert 3 * side**2 <= touched <= 3 * (side + 2 * tile) ** 2
        rate[side] = sum(source.bytes for source in bands) / touched
        with metering.reading() as read:
            if side < 8192:
                swath.apply(TOA, product, parameters, window).load()
                assert (read.counts.chunks, read.counts.bytes) == (planned.chunks, planned.bytes)
    # The landscape is not the same everywhere: a tile may take twice the bytes of another, not more.
    assert max(rate.values()) < 2 * min(rate.values())


def grid_window(resolution):
    """Return rows and columns of a window of 512 x 512 pixels on a grid."""
    return (ROWS, COLUMNS) if resolution == 10 else ((700, 1212), (900, 1412))


@pytest.fixture(scope="module", params=[10, 20, 60])
def ran(request, full_size, tmp_path_factory):
    """Run s2-toa on one grid, with the bands whose own grid it is."""
    resolution = request.param
    rows, columns = grid_window(resolution)
    payload = make_payload({
        "processor": "s2-toa", "inputs": {"product": str(full_size)},
        "parameters": {
            "resolution": resolution,
            "bands": [name for name, band in BANDS.items() if band.resolution == resolution],
            "indices": ["ndvi"] if resolution == 10 else [],
            "cloud_test": "none" if resolution == 60 else "hollstein2016",
        },
        "window": {"rows": list(rows), "columns": list(columns)},
        "destination": str(tmp_path_factory.mktemp("run") / "out"),
    })  # fmt: skip
    return resolution, execute(payload)


def counts_of(stored):
    """Return the digital counts that reflectances were made of; single precision tells them apart."""
    values = np.nan_to_num(stored.values.astype(np.float64) * 10000 + 1000)
    assert np.abs(values - np.rint(values)).max() < 0.01
    return np.rint(values)


def test_a_run_reads_what_was_planned_and_holds_the_truth_as_gdal_does(ran, scene, full_size):
    resolution, report = ran
    assert (report.read.chunks, report.read.bytes) == (report.plan.chunks, report.plan.bytes)
    assert report.plan.chunks < 0.2 * sum(source.chunks_in_product for source in report.plan.sources)
    rows, columns = grid_window(resolution)
    group = f"/measurements/reflectance/r{resolution}m"
    with (
        xr.open_datatree(report.product / "product.zarr", engine="zarr", chunks=None) as tree,
        rasterio.open(f"SENTINEL2_L1C:{full_size}/MTD_MSIL1C.xml:{resolution}m:EPSG_32632") as gdal,
    ):
        # Its names are B1 to B12 and B8A.
        names = {index: gdal.tags(index)["BANDNAME"].lower() for index in gdal.indexes}
        numbers = {f"b{name[1:]:>02}": index for index, name in names.items()}
        assert gdal.shape == (SIDE[resolution],) * 2
        bands = [name for name in tree[group].data_vars if name != "spatial_ref"]
        for name in bands:
            found = counts_of(tree[group][name])
            true = simulator.truth(scene, name.upper(), (rows, columns))
            np.testing.assert_array_equal(found, true.digital_number, err_msg=name)
            window = RasterWindow(columns[0], rows[0], columns[1] - columns[0], rows[1] - rows[0])
            np.testing.assert_array_equal(found, gdal.read(numbers[name], window=window), err_msg=name)
        assert sorted(numbers) == sorted(bands)
        assert tree[group].x[0] == gdal.xy(rows[0], columns[0])[0]
        assert tree[group].y[0] == gdal.xy(rows[0], columns[0])[1]


def test_the_product_opens_in_gdal(full_size):
    # What is opened is the list of the images, which is nowhere on Earth itself.
    with pytest.warns(NotGeoreferencedWarning):
        opened = rasterio.open(full_size / "MTD_MSIL1C.xml")
    with opened:
        assert opened.driver == "SENTINEL2"
        assert len(opened.subdatasets) == 4
        assert all(name.endswith("EPSG_32632") for name in opened.subdatasets)


MEASURED = """
import sys
from swath.run import execute, make_payload
from swath.io import cog
from swath.product import quicklook, stac
import imagecodecs, distributed

def peak():
    for line in open("/proc/self/status"):
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024

before = peak()
report = execute(make_payload({
    "processor": "s2-toa", "inputs": {"product": sys.argv[1]}, "parameters": {"resolution": 10},
    "window": sys.argv[2], "destination": sys.argv[3], "workers": 2,
}))
print(before, peak(), report.plan.chunks)
"""


def test_memory_is_that_of_the_chunks_in_flight(full_size, tmp_path):
    """All 13 bands, the cloud test, mask, indices, GeoTIFFs and picture of one window of 10 m.

    One band is 241 MB as it is stored decoded (16 bits), 964 MB as it is worked with (float64). What the run
    adds to the interpreter and its libraries must be less than the smaller one of that one band.
    """
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, full_size, WINDOW, tmp_path / "out"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    before, peak, chunks = map(int, done.stdout.split())
    print(f"peak {peak / 1e6:.0f} MB, of which {before / 1e6:.0f} MB before the run")
    band = 10980**2 * 2
    assert chunks == 27
    assert peak - before < band
    assert peak < 2 * band

"""TIFF: what GDAL wrote is read as GDAL reads it, and what is broken is refused."""

import itertools

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.errors import ProductError
from swath.io import metering
from swath.io.store import open_store
from swath.io.tiff import packed_bytes, read_header, read_rows

pytestmark = pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")

SHAPE = (157, 201)


def write(path, dtype="complex_int16", points=(), **options):
    random = np.random.default_rng(7)
    values = random.integers(-3000, 3000, SHAPE).astype(np.float32)
    if dtype.startswith("complex"):
        data = (values + 1j * random.integers(-3000, 3000, SHAPE)).astype(np.complex64)
    else:
        data = np.abs(values).astype(dtype)
    crs = {"crs": "EPSG:4326"} if points else {}
    with rasterio.open(
        path, "w", driver="GTiff", height=SHAPE[0], width=SHAPE[1], count=1, dtype=dtype, **crs, **options
    ) as file:
        if points:
            file.gcps = (list(points), rasterio.crs.CRS.from_epsg(4326))
        file.write(data, 1)
    return data


LAYOUTS = [{"blockysize": 1}, {"blockysize": 16}, {"tiled": True, "blockxsize": 64, "blockysize": 32}]
PACKINGS = [{}, {"compress": "deflate"}, {"compress": "lzw", "predictor": 2}, {"compress": "zstd"}]
ORDERS = [{}, {"ENDIANNESS": "BIG"}, {"BIGTIFF": "YES"}]


@pytest.mark.parametrize("dtype", ["complex_int16", "uint16", "float32", "complex64"])
@pytest.mark.parametrize(("layout", "packing", "order"), list(itertools.product(LAYOUTS, PACKINGS, ORDERS)))
def test_pixels_are_those_that_gdal_reads(tmp_path, dtype, layout, packing, order):
    if dtype != "uint16":
        packing = {key: value for key, value in packing.items() if key != "predictor"}
    write(tmp_path / "a.tiff", dtype, **layout, **packing, **order)
    store = open_store(tmp_path)
    header = read_header(store, "a.tiff")
    with rasterio.open(tmp_path / "a.tiff") as file:
        expected = file.read(1)
    assert header.shape == SHAPE
    assert header.dtype == expected.dtype
    for start, stop in ((0, SHAPE[0]), (0, 1), (40, 97), (156, 157)):
        np.testing.assert_array_equal(read_rows(store, header, start, stop), expected[start:stop])


def test_rows_cost_one_request_of_known_bytes(tmp_path):
    write(tmp_path / "a.tiff", blockysize=1)
    store = open_store(tmp_path)
    with metering.reading() as read:
        header = read_header(store, "a.tiff")
    assert read.counts.bytes < 3000
    with metering.reading() as read:
        read_rows(store, header, 10, 30)
    assert packed_bytes(header, 10, 30) == 20 * 201 * 4
    assert read.counts == metering.Counts(bytes=20 * 201 * 4, requests=1)


def test_control_points_are_those_that_gdal_reads(tmp_path):
    points = [
        rasterio.control.GroundControlPoint(row=10.0 * k, col=5.0 * k, x=8.5 + k, y=45.25 - k, z=100.0 * k)
        for k in range(5)
    ]
    write(tmp_path / "a.tiff", points=points)
    header = read_header(open_store(tmp_path), "a.tiff")
    with rasterio.open(tmp_path / "a.tiff") as file:
        expected = [(p.col, p.row, 0, p.x, p.y, p.z) for p in file.gcps[0]]
    np.testing.assert_array_equal(header.tie_points, expected)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda data: b"\x89PNG" + data[4:], "is no TIFF"),
        (lambda data: data[:0], "is no TIFF"),
        (lambda data: data[:6], "is no TIFF"),
        (lambda data: data[:100], "truncated"),
        (lambda data: data[:-1], "is truncated: block 156 of 157 ends at byte"),
    ],
)
def test_a_broken_file_is_refused(tmp_path, change, told):
    write(tmp_path / "a.tiff", blockysize=1)
    (tmp_path / "a.tiff").write_bytes(change((tmp_path / "a.tiff").read_bytes()))
    with pytest.raises(ProductError, match=told):
        read_header(open_store(tmp_path), "a.tiff")


@pytest.mark.parametrize("packing", ["deflate", "lzw", "zstd"])
def test_a_corrupt_block_is_told(tmp_path, packing):
    write(tmp_path / "a.tiff", blockysize=16, compress=packing)
    header = read_header(open_store(tmp_path), "a.tiff")
    data = bytearray((tmp_path / "a.tiff").read_bytes())
    start = int(header.offsets[2])
    data[start : start + 40] = bytes(40)
    (tmp_path / "a.tiff").write_bytes(data)
    with pytest.raises(ProductError, match=r"a.tiff: block 2 (is corrupt|has)"):
        read_rows(open_store(tmp_path), header, 32, 48)


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> bytes:
    import warnings

    path = tmp_path_factory.mktemp("tiff") / "a.tiff"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        write(path, blockysize=16, compress="zstd")
    return path.read_bytes()


@given(data=st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_flipped_bits_are_read_or_refused(whole, tmp_path, data):
    changed = bytearray(whole)
    early = st.integers(0, 8 * 600 - 1)
    for bit in data.draw(
        st.lists(st.one_of(early, st.integers(0, 8 * len(whole) - 1)), min_size=1, max_size=4)
    ):
        changed[bit // 8] ^= 1 << bit % 8
    (tmp_path / "a.tiff").write_bytes(changed)
    store = open_store(tmp_path)
    try:
        header = read_header(store, "a.tiff")
        if header.shape[1] < 10_000:
            read_rows(store, header, 0, min(32, header.shape[0]))
    except ProductError:
        pass

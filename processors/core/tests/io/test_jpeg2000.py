"""JPEG 2000: every tile read alone is what GDAL reads there, and costs what the index told."""

import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.errors import ProductError
from swath.io import metering
from swath.io.jpeg2000 import index_tiles, read_header, read_tile
from swath.io.store import open_store

LOSSLESS = {"QUALITY": "100", "REVERSIBLE": "YES"}
LOSSY = {"QUALITY": "20", "REVERSIBLE": "NO"}


def picture(bands, rows, columns, dtype):
    y, x = np.mgrid[:rows, :columns]
    noise = np.random.default_rng(rows * columns).integers(0, 40, (bands, rows, columns))
    return (100 + 60 * np.sin(x / 9) * np.cos(y / 7) + noise).astype(dtype)


def write(path, data, tile=64, **options):
    bands, rows, columns = data.shape
    with rasterio.open(
        path, "w", driver="JP2OpenJPEG", width=columns, height=rows, count=bands, dtype=data.dtype,
        crs="EPSG:32755",
        transform=rasterio.Affine(10, 0, 499980, 0, -10, 6900040), tiled=True, blockxsize=tile,
        blockysize=tile, **options,
    ) as file:  # fmt: skip
        file.write(data)
    return path


def opened(path):
    store = open_store(path.parent)
    header = read_header(store, path.name)
    return store, header, index_tiles(store, header)


def assert_tiles_are_gdal_s(path):
    store, header, index = opened(path)
    with rasterio.open(path) as file:
        whole = file.read()
        assert (header.shape, header.components, header.dtype) == (file.shape, file.count, file.dtypes[0])
        assert header.georeference.transform == tuple(file.transform)[:6]
        assert header.georeference.crs == str(file.crs)
    height, width = header.tile_shape
    for row in range(header.tiles[0]):
        for column in range(header.tiles[1]):
            planned = index.tile_bytes(row * header.tiles[1] + column)
            with metering.reading() as read:
                tile = read_tile(store, index, header, row, column)
            assert (read.counts.bytes, read.counts.chunks) == (planned, 1)
            tile = tile[None] if header.components == 1 else np.moveaxis(tile, -1, 0)
            part = whole[:, row * height : (row + 1) * height, column * width : (column + 1) * width]
            np.testing.assert_array_equal(tile, part)
    return header


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int16"])
@pytest.mark.parametrize("options", [LOSSLESS, LOSSY], ids=["lossless", "lossy"])
def test_tiles_are_those_of_gdal(tmp_path, dtype, options):
    header = assert_tiles_are_gdal_s(write(tmp_path / "a.jp2", picture(1, 300, 260, dtype), **options))
    assert header.tiles == (5, 5)


@pytest.mark.parametrize("bands", [2, 3, 8])
@pytest.mark.parametrize("options", [LOSSLESS, LOSSY], ids=["lossless", "lossy"])
def test_images_of_several_components(tmp_path, bands, options):
    assert_tiles_are_gdal_s(write(tmp_path / "a.jp2", picture(bands, 150, 100, "uint8"), **options))


@pytest.mark.parametrize(
    "options",
    [
        {"RESOLUTIONS": "6"},
        {"TLM": "YES"},
        {"PLT": "YES"},
        {"PROGRESSION": "RPCL", "PRECINCTS": "{32,32},{32,32}"},
        {"SOP": "YES", "EPH": "YES"},
        {"CODEBLOCK_WIDTH": "16", "CODEBLOCK_HEIGHT": "32"},
        {"NBITS": "12"},
        {"GMLJP2": "NO"},
        {"GeoJP2": "NO"},
    ],
    ids=",".join,
)
def test_ways_to_code(tmp_path, options):
    assert_tiles_are_gdal_s(write(tmp_path / "a.jp2", picture(1, 200, 130, "uint16"), **(LOSSLESS | options)))


def test_the_length_segments_give_the_same_index_as_the_tiles_themselves(tmp_path):
    data = picture(1, 200, 130, "uint16")
    _, header, index = opened(write(tmp_path / "a.jp2", data, TLM="YES", **LOSSLESS))
    assert header.lengths
    _, plain, walked = opened(write(tmp_path / "b.jp2", data, **LOSSLESS))
    assert not plain.lengths
    assert [index.tile_bytes(k) for k in range(12)] == [walked.tile_bytes(k) for k in range(12)]


def split_parts(codestream_file, out):
    """Cut each tile of a one-component file into two tile-parts, the second ones after all the first, by
    hand."""
    data = codestream_file.read_bytes()
    _, header, index = opened(codestream_file)
    firsts, seconds = b"", b""
    for tile, parts in enumerate(index.parts):
        ((start, stop),) = parts
        part = data[start:stop]
        body = part[12:]
        # Where packets end is known by decoding only, so the second part has none: a decoder must find both
        # all the same.
        firsts += struct.pack(">HHHIBB", 0xFF90, 10, tile, 12 + len(body), 0, 2) + body
        seconds += struct.pack(">HHHIBB", 0xFF90, 10, tile, 14, 1, 2) + b"\xff\x93"
    main = data[data.index(b"\xff\x4f\xff\x51") : header.start]
    out.write_bytes(main + firsts + seconds + b"\xff\xd9")
    return out


def test_several_tile_parts_of_a_tile_and_a_bare_codestream(tmp_path):
    data = picture(1, 100, 90, "uint16")
    path = split_parts(write(tmp_path / "a.jp2", data, **LOSSLESS), tmp_path / "b.j2k")
    store, header, index = opened(path)
    assert header.georeference is None
    assert all(len(parts) == 2 for parts in index.parts)
    for row in range(2):
        for column in range(2):
            tile = read_tile(store, index, header, row, column)
            np.testing.assert_array_equal(
                tile, data[0, row * 64 : (row + 1) * 64, column * 64 : (column + 1) * 64]
            )


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(65, 200),
    columns=st.integers(65, 200),
    tile=st.sampled_from([32, 64]),
    levels=st.integers(1, 5),
)
def test_images_of_any_size(tmp_path, rows, columns, tile, levels):
    path = tmp_path / "a.jp2"
    write(path, picture(1, rows, columns, "uint16"), tile=tile, RESOLUTIONS=str(levels), **LOSSLESS)
    header = assert_tiles_are_gdal_s(path)
    assert header.shape == (rows, columns)


def test_real_images(samples, tmp_path):
    import zipfile

    with zipfile.ZipFile(next(samples.glob("s2/S2A_MSIL1C_20171207*.zip"))) as archive:
        names = [n for n in archive.namelist() if n.endswith(("_B01.jp2", "_B02.jp2", "_TCI.jp2"))]
        assert len(names) == 3
        for name in names:
            assert_tiles_are_gdal_s(type(tmp_path)(archive.extract(name, tmp_path)))


def test_threads_decode_the_same(tmp_path):
    data = picture(1, 300, 260, "uint16")
    store, header, index = opened(write(tmp_path / "a.jp2", data, **LOSSLESS))
    places = [(row, column) for row in range(5) for column in range(5)] * 3
    with ThreadPoolExecutor(4) as pool:
        tiles = list(pool.map(lambda place: read_tile(store, index, header, *place), places))
    for (row, column), tile in zip(places, tiles, strict=True):
        np.testing.assert_array_equal(
            tile, data[0, row * 64 : (row + 1) * 64, column * 64 : (column + 1) * 64]
        )


def test_other_threads_run_while_a_tile_is_decoded(tmp_path, monkeypatch):
    import imagecodecs

    store, header, index = opened(
        write(tmp_path / "a.jp2", picture(1, 1024, 1024, "uint16"), tile=1024, **LOSSLESS)
    )
    spans, decode = [], imagecodecs.jpeg2k_decode

    def timed(data):
        start = time.perf_counter()
        found = decode(data)
        spans.append((start, time.perf_counter()))
        return found

    monkeypatch.setattr(imagecodecs, "jpeg2k_decode", timed)
    thread = threading.Thread(target=read_tile, args=(store, index, header, 0, 0))
    ticks = []
    thread.start()
    while thread.is_alive():
        ticks.append(time.perf_counter())
        time.sleep(0.001)
    ((start, stop),) = spans
    margin = (stop - start) / 10
    assert any(start + margin < tick < stop - margin for tick in ticks)


@pytest.fixture
def image(tmp_path):
    return write(tmp_path / "a.jp2", picture(1, 100, 90, "uint16"), **LOSSLESS)


def test_every_cut_is_found_before_a_tile_is_read(image):
    data = image.read_bytes()
    for length in [0, 1, 11, 50, 300, 1200, len(data) // 2, len(data) - 50]:
        image.write_bytes(data[:length])
        with pytest.raises(ProductError, match=r"truncated|not a JPEG 2000 image"):
            opened(image)


def test_a_tile_that_cannot_be_decoded_is_named(image):
    data = bytearray(image.read_bytes())
    store, header, index = opened(image)
    start, stop = index.parts[0][0]
    data[start + 12 : stop] = bytes(stop - start - 12)
    image.write_bytes(data)
    with pytest.raises(ProductError, match=r"corrupt: tile 0 \(row 0, column 0\)"):
        read_tile(store, index, header, 0, 0)


@pytest.mark.parametrize(
    ("offset", "value", "told"),
    [
        (6, 0, "describes no image"),  # width
        (22, 0, "describes no image"),  # tile width
        (22, 1, "tiles"),  # more tiles than there can be
        (14, 30, "does not start at the corner"),  # left
        (41, 2, "subsampled"),
    ],
)
def test_sizes_that_make_no_sense(image, offset, value, told):
    data = bytearray(image.read_bytes())
    siz = data.index(b"\xff\x51")
    if offset == 41:
        data[siz + offset] = value
    else:
        struct.pack_into(">I", data, siz + offset, value)
        if told == "tiles":
            struct.pack_into(">I", data, siz + offset + 4, value)
            struct.pack_into(">2I", data, siz + 6, 3000, 3000)
    image.write_bytes(data)
    with pytest.raises(ProductError, match=told):
        opened(image)

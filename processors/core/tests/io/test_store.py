"""Stores: directories and zips read alike, and neither leads out of the product."""

import io
import os
import pickle
import stat
import struct
import tracemalloc
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import swath
from hypothesis import given, settings
from hypothesis import strategies as st
from swath.errors import MetadataError, ProductError
from swath.io import metering
from swath.io._inflate import Inflater
from swath.io.store import open_store, safe_name

FILES = {
    "manifest.safe": b"<manifest/>",
    "GRANULE/tile/image.jp2": np.random.default_rng(0).bytes(300_000),
    "GRANULE/tile/zeros.bin": bytes(3_000_000),
}


@pytest.fixture(params=["directory", "stored", "deflated", "deflated in a folder"])
def product(request, tmp_path):
    if request.param == "directory":
        for name, data in FILES.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)
        return tmp_path
    method = zipfile.ZIP_STORED if request.param == "stored" else zipfile.ZIP_DEFLATED
    folder = "X.SAFE/" if "folder" in request.param else ""
    with zipfile.ZipFile(tmp_path / "product.zip", "w", method) as archive:
        for name, data in FILES.items():
            archive.writestr(folder + name, data)
    return tmp_path / "product.zip"


def test_files_and_ranges_read_alike_everywhere(product):
    store = open_store(product)
    assert store.names() == sorted(FILES)
    for name, data in FILES.items():
        assert store.size(name) == len(data)
        assert store.read(name) == data
        for start, stop in [(0, 10), (200_000, 200_100), (5, 6), (len(data) - 3, len(data) + 50), (7, 7)]:
            assert store.read_range(name, start, stop) == data[start:stop]


def test_bytes_and_requests_are_counted(product):
    store = open_store(product)
    with metering.reading() as read:
        store.read_range("GRANULE/tile/image.jp2", 1000, 3000)
        store.read("manifest.safe")
    assert read.counts == metering.Counts(bytes=2011, requests=2)
    store.read("manifest.safe")
    assert read.counts.requests == 2


def test_a_store_can_be_sent_to_another_process(product):
    store = open_store(product)
    store.read("manifest.safe")
    again = pickle.loads(pickle.dumps(store))
    assert again.read("GRANULE/tile/image.jp2") == FILES["GRANULE/tile/image.jp2"]


def test_threads_may_share_a_store(product):
    store = open_store(product)
    name = "GRANULE/tile/image.jp2"
    starts = np.random.default_rng(1).integers(0, 290_000, 60).tolist()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda start: store.read_range(name, start, start + 5000), starts))
    assert found == [FILES[name][start : start + 5000] for start in starts]


def test_what_is_missing_is_named(product):
    store = open_store(product)
    assert not store.exists("GRANULE/other.jp2")
    with pytest.raises(ProductError, match=r"GRANULE/other.jp2 is missing"):
        store.read("GRANULE/other.jp2")


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "..", "a\\b", "C:/x", "", ".", "a\0b"])
def test_names_that_lead_out_are_refused(product, name):
    with pytest.raises(ProductError):
        safe_name(name)
    with pytest.raises(ProductError):
        open_store(product).read(name)


def test_links_may_stay_within_the_product_but_not_lead_out(tmp_path):
    product = tmp_path / "product"
    product.mkdir()
    (product / "file").write_bytes(b"inside")
    (product / "within").symlink_to("file")
    (tmp_path / "secret").write_bytes(b"outside")
    (product / "without").symlink_to(tmp_path / "secret")
    (product / "folder").symlink_to(tmp_path)
    store = open_store(product)
    assert store.read("within") == b"inside"
    for name in ("without", "folder/secret"):
        with pytest.raises(ProductError, match="leads out"):
            store.read(name)


def archive_of(tmp_path, members):
    path = tmp_path / "product.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize("name", ["../../etc/evil", "/etc/evil", "X.SAFE/../../evil"])
def test_a_zip_with_names_that_lead_out_is_refused_whole(tmp_path, name):
    with pytest.raises(ProductError, match="leads out of the product"):
        open_store(archive_of(tmp_path, [("X.SAFE/good", b"1"), (name, b"2")]))


def test_a_link_in_a_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo("X.SAFE/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    store = open_store(archive_of(tmp_path, [("X.SAFE/good", b"1"), (info, b"/etc/passwd")]))
    with pytest.raises(ProductError, match="symbolic link"):
        store.read("link")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_refused(tmp_path):
    with pytest.raises(ProductError, match="two members"):
        open_store(archive_of(tmp_path, [("a", b"1"), ("a", b"2")]))


def test_other_compressions_are_refused(tmp_path):
    path = tmp_path / "product.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("a", bytes(1000))
    with pytest.raises(ProductError, match="packed by method 14"):
        open_store(path)


def declare(path, size):
    """Let the only member of a zip claim another decompressed size."""
    data = bytearray(path.read_bytes())
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, size)
    path.write_bytes(data)


def test_a_zip_that_claims_more_than_deflate_can_hold_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(1000))
    declare(path, 4_000_000_000)
    with pytest.raises(ProductError, match="claims 4000000000 bytes"):
        open_store(path)


def test_a_zip_that_would_unpack_to_too_much_is_refused(tmp_path, monkeypatch):
    import swath.io._zip as module

    monkeypatch.setattr(module, "MAX_TOTAL", 1000)
    with pytest.raises(ProductError, match="would unpack to 2000 bytes, expected at most 1000"):
        open_store(archive_of(tmp_path, [("a", bytes(1500)), ("b", bytes(500))]))


def test_a_zip_whose_members_overlap_is_refused(tmp_path):
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for k in range(50):
            archive.writestr(f"f{k}", np.random.default_rng(k).bytes(1000))
    data = path.read_bytes()
    start = data.index(b"PK\x01\x02")
    directory = bytearray(data[start:])
    # All members point to the first one, whose bytes alone are kept.
    at, first = 0, data.index(b"PK\x03\x04", 4)
    while directory[at : at + 4] == b"PK\x01\x02":
        struct.pack_into("<I", directory, at + 42, 0)
        at += 46 + sum(struct.unpack_from("<3H", directory, at + 28))
    struct.pack_into("<I", directory, at + 16, first)
    path.write_bytes(data[:first] + directory)
    with pytest.raises(ProductError, match=r"claim 50000 packed bytes|corrupt or truncated"):
        open_store(path)


def test_a_member_that_holds_less_than_it_claims_is_refused(tmp_path):
    path = tmp_path / "product.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", os.urandom(1000))
    declare(path, 1500)
    with pytest.raises(ProductError, match="truncated"):
        open_store(path).read("a")


def test_a_changed_byte_is_found_when_a_member_is_read_whole(tmp_path):
    path = archive_of(tmp_path, [("a", b"A" * 100)])
    path.write_bytes(path.read_bytes().replace(b"AAAA", b"AABA", 1))
    with pytest.raises(ProductError, match="CRC-32"):
        open_store(path).read("a")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9_000_000), st.integers(0, 300_000)), min_size=1, max_size=6))
def test_any_range_of_a_deflate_stream(ranges):
    data, packed = stream()
    inflater = Inflater(len(packed), len(data))
    for start, length in ranges:
        found = inflater.read(start, min(start + length, len(data)), lambda a, b: packed[a:b])
        assert found == data[start : start + length]


def stream(made={}):  # noqa: B006 -- made once
    if not made:
        noise = np.random.default_rng(3).integers(0, 4, 5_000_000).astype(np.uint8).tobytes()
        made["data"] = noise + bytes(4_000_000)
        deflater = zlib.compressobj(1, zlib.DEFLATED, -15)
        made["packed"] = deflater.compress(made["data"]) + deflater.flush()
    return made["data"], made["packed"]


def test_a_deflate_stream_is_inflated_once_for_ranges_in_any_order():
    data, packed = stream()
    fetched = []

    def fetch(begin, end):
        fetched.append(end - begin)
        return packed[begin:end]

    inflater = Inflater(len(packed), len(data))
    inflater.read(len(data) - 10, len(data), fetch)
    assert sum(fetched) == len(packed)
    fetched.clear()
    inflater.read(len(data) - 10, len(data), fetch)
    assert sum(fetched) < len(packed) / 2


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.safe", b"<xfdu/>"), ("MTD_MSIL1C.xml", b"<a/>"), (".zmetadata", b'{"metadata": {}}'),
        ("item.json", b"{}"),
    ],
)  # fmt: skip
def test_a_document_that_a_few_bytes_make_endless_is_not_read(tmp_path, name, content):
    path = tmp_path / "product.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(name, "w", force_zip64=True) as file:
            file.write(content)
            for _ in range(17):
                file.write(bytes(16 << 20))
        for other in ("annotation/s1a.xml", "a.tif"):
            archive.writestr(other, b"<a/>")
    tracemalloc.start()
    try:
        with pytest.raises(MetadataError, match=r"expected at most \d+: it is no product's metadata"):
            swath.open_product(path)
        assert tracemalloc.get_traced_memory()[1] < 128 * 1024**2  # what is imported for it counts, too
    finally:
        tracemalloc.stop()


def test_a_zip_whose_members_lie_nowhere_is_refused(tmp_path):
    path = archive_of(tmp_path, [("a", b"A" * 100), ("b", b"B")])
    data = bytearray(path.read_bytes())
    place = data.rindex(b"PK\x01\x02") + 42
    data[place : place + 4] = b"\xff\xff\xff\x7f"
    path.write_bytes(data)
    with pytest.raises(ProductError, match="b should be at byte"):
        open_store(path)
    data[data.rindex(b"PK\x05\x06") + 16] += 9  # where the list of members should start
    path.write_bytes(data)
    with pytest.raises(ProductError, match="get it again"):
        open_store(path).read("a")


def test_few_states_of_a_long_stream_are_kept(monkeypatch):
    """A gigabyte of zeros is a megabyte packed: what is remembered of it must not grow with it."""
    monkeypatch.setattr("swath.io._inflate._MOST", 8)
    monkeypatch.setattr("swath.io._inflate._STRIDE", 1 << 18)
    data, packed = stream()
    inflater = Inflater(len(packed), len(data))
    fetched = []

    def fetch(begin, end):
        fetched.append(end - begin)
        return packed[begin:end]

    assert inflater.read(len(data) - 10, len(data), fetch) == data[-10:]
    assert 4 <= len(inflater._states) <= 8
    fetched.clear()
    assert inflater.read(4_900_000, 4_900_100, fetch) == data[4_900_000:4_900_100]
    assert sum(fetched) < len(packed)


def test_counts_add_up():
    one, two = metering.Counts(1, 2, 3), metering.Counts(10, 20, 30)
    assert one + two == metering.Counts(11, 22, 33)
    assert sum([one, two], metering.Counts()) - one == two


def test_a_place_of_another_file_system_can_be_named():
    import fsspec

    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("X.SAFE/a", b"remote")
    fsspec.filesystem("memory").pipe("/bucket/product.zip", buffer.getvalue())
    store = open_store("memory://bucket/product.zip")
    assert (store.names(), store.read("a")) == (["a"], b"remote")


@pytest.mark.parametrize("place", ["nowhere://bucket/product", "s3://bucket/product.zarr"])
def test_a_place_that_cannot_be_reached_is_bad_input(place):
    with pytest.raises(ProductError, match="cannot be reached from here"):
        open_store(place)

"""The same files read alike from S3 and from the web, from folders, zips and tars."""

import pickle
import shutil
import tarfile
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from swath.errors import ProductError
from swath.io import metering
from swath.io.store import open_store

FILES = {
    "manifest.safe": b"<manifest/>",
    "GRANULE/tile/image.jp2": np.random.default_rng(0).bytes(3_000_000),
    "GRANULE/tile/zeros.bin": bytes(3_000_000),
    "a name+with signs & more.txt": b"odd",
}


def fill(folder):
    for name, data in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    safe = fill(folder / "X.SAFE")
    for name, method in (("stored.zip", zipfile.ZIP_STORED), ("deflated.zip", zipfile.ZIP_DEFLATED)):
        with zipfile.ZipFile(folder / name, "w", method) as archive:
            for file, data in FILES.items():
                archive.writestr(f"X.SAFE/{file}", data)
    with tarfile.open(folder / "plain.tar", "w") as archive:
        archive.add(safe, "X.SAFE")
    with tarfile.open(folder / "packed.tar.gz", "w:gz") as archive:
        archive.add(safe, "X.SAFE")
    return folder


KINDS = ["X.SAFE", "stored.zip", "deflated.zip", "plain.tar"]


PLACES = [f"{place} {kind}" for place in ("s3", "web") for kind in KINDS]


@pytest.fixture(params=[*PLACES, "here plain.tar", "here packed.tar.gz"])
def product(request, made):
    place, kind = request.param.split(" ")
    if place == "here":
        return str(made / kind)
    server = request.getfixturevalue(place)
    root = server.bucket if place == "s3" else server.folder
    if (made / kind).is_dir():
        shutil.copytree(made / kind, root / kind, dirs_exist_ok=True)
    else:
        shutil.copy(made / kind, root / kind)
    return f"s3://bucket/{kind}" if place == "s3" else f"{server.address}/{kind}"


def test_files_and_ranges_read_alike_everywhere(product):
    store = open_store(product)
    assert store.names() == sorted(FILES)
    for name, data in FILES.items():
        assert store.size(name) == len(data)
        assert store.read(name) == data
        for start, stop in [(0, 10), (200_000, 200_100), (5, 6), (len(data) - 3, len(data) + 50), (7, 7)]:
            assert store.read_range(name, start, stop) == data[start:stop]
        assert store.read_end(name, 3) == data[-3:]
        with store.opened(name) as read:
            assert read(2, 5) == data[2:5]
            assert read(2_000_000, 2_000_007) == data[2_000_000:2_000_007]
            assert read(0, 11) == data[:11]


def test_what_is_read_ahead_is_what_is_read(product):
    store = open_store(product)
    name = "GRANULE/tile/image.jp2"
    starts = np.random.default_rng(1).integers(0, 2_900_000, 40).tolist()
    store.ahead([(name, start, start + 50_000) for start in starts])
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda start: store.read_range(name, start, start + 50_000), starts))
    assert found == [FILES[name][start : start + 50_000] for start in starts]
    store.ahead([("manifest.safe", 0, None), ("nowhere", 0, None)])
    store.drop()
    assert store.read("manifest.safe") == FILES["manifest.safe"]


def test_a_store_can_be_sent_to_another_process(product):
    store = open_store(product)
    store.read("manifest.safe")
    again = pickle.loads(pickle.dumps(store))
    assert again.read("GRANULE/tile/image.jp2") == FILES["GRANULE/tile/image.jp2"]


def test_what_is_missing_is_named(product):
    store = open_store(product)
    assert not store.exists("GRANULE/other.jp2")
    store.warm([("GRANULE/other.jp2", 0, None)])
    for _ in range(2):
        with pytest.raises(ProductError, match=r"GRANULE/other.jp2 is missing"):
            store.read("GRANULE/other.jp2")
    with pytest.raises(ProductError, match="leads out"):
        store.read("../other")


def test_bytes_are_counted(product):
    store = open_store(product)
    with metering.reading() as read:
        store.read_range("GRANULE/tile/image.jp2", 1000, 3000)
        store.read("manifest.safe")
    assert read.counts == metering.Counts(bytes=2011, requests=2)


@pytest.mark.parametrize("name", ["nothing", "nothing.zip", "nothing/at/all.SAFE"])
def test_nothing_at_an_address_is_bad_input(name, s3, web):
    for place in ("s3://bucket", web.address):
        with pytest.raises(ProductError, match="nothing at"):
            open_store(f"{place}/{name}")


def test_a_bucket_that_is_not_there_is_bad_input(s3):
    with pytest.raises(ProductError, match="nothing at s3://no-such-bucket/x"):
        open_store("s3://no-such-bucket/x")


def test_a_remote_compressed_tar_is_refused(made, web):
    shutil.copy(made / "packed.tar.gz", web.folder / "packed.tar.gz")
    with pytest.raises(ProductError, match="compressed tar, of which no part can be read"):
        open_store(f"{web.address}/packed.tar.gz")


def test_a_page_of_the_web_is_no_product(web):
    (web.folder / "page.html").write_text("<html></html>")
    with pytest.raises(ProductError, match="neither a directory nor a zip"):
        open_store(f"{web.address}/page.html")

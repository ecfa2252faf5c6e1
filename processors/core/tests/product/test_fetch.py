"""A product of another place is fetched once and whole, and on from where a fetch was broken off."""

import json
import os
import shutil
import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import swath
from swath.errors import ProductError, StoreError, WriteError
from swath.product import fetch as module

DATA = np.random.default_rng(2).bytes(5_000_000)


@pytest.fixture(autouse=True)
def cache(_gateway, tmp_path, monkeypatch):
    # The server is started before, as its program is kept in the cache of whoever runs the tests.
    monkeypatch.setenv("SWATH_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("swath.product.fetch._STEP", 1_000_000)
    return tmp_path / "home" / "cache" / "products"


@pytest.fixture(params=["s3", "web"])
def place(request, practice_zarr):
    server = request.getfixturevalue(request.param)
    root = server.bucket if request.param == "s3" else server.folder
    (root / "fetched").mkdir(exist_ok=True)
    (root / "fetched" / "X.zip").write_bytes(DATA)
    if not (root / "fetched" / "practice.zarr").exists():
        shutil.copytree(practice_zarr, root / "fetched" / "practice.zarr")
    return server, f"{'s3://bucket' if request.param == 's3' else server.address}/fetched", root / "fetched"


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_file_and_a_folder_are_fetched_as_they_are(place, practice_zarr, tmp_path):
    server, root, _ = place
    assert swath.fetch(f"{root}/X.zip").read_bytes() == DATA
    found = swath.fetch(f"{root}/practice.zarr", tmp_path / "mine")
    assert found == tmp_path / "mine" / "practice.zarr"
    assert files(found) == files(practice_zarr)
    server.asked.clear()
    swath.fetch(f"{root}/X.zip")
    swath.fetch(f"{root}/practice.zarr", tmp_path / "mine")
    assert not server.asked


@pytest.mark.parametrize("name", ["X.zip", "practice.zarr"])
def test_a_broken_fetch_leaves_nothing_under_the_name_and_goes_on(place, name, cache):
    server, root, _ = place
    seen = []

    def then_fail(done, total):
        seen.append((done, total))
        if done > 0.6 * total and not server.faults:
            server.fail("503", times=1000)

    with pytest.raises(StoreError):
        swath.fetch(f"{root}/{name}", progress=then_fail)
    assert not [path for path in cache.rglob(name) if not path.name.startswith(".")]
    assert all(total == seen[0][1] for _, total in seen)
    server.faults.clear()
    server.asked.clear()
    told = []
    found = swath.fetch(f"{root}/{name}", progress=lambda done, _: told.append(done))
    assert told[0] > 0.5 * seen[0][1]
    assert files(found) if found.is_dir() else found.read_bytes() == DATA
    assert sorted(path.name for path in found.parent.iterdir()) == [f".{name}.lock", name]


def test_what_changed_meanwhile_is_fetched_anew(place, cache):
    server, root, folder = place
    server.fail("503", times=1000, match="never")

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        swath.fetch(f"{root}/X.zip", progress=stop)
    (folder / "X.zip").write_bytes(DATA[::-1] + b"more")
    assert swath.fetch(f"{root}/X.zip").read_bytes() == DATA[::-1] + b"more"


def test_two_who_fetch_the_same_get_the_same(place):
    server, root, _ = place
    with ThreadPoolExecutor(3) as pool:
        paths = list(pool.map(lambda _: swath.fetch(f"{root}/X.zip"), range(3)))
    assert len(set(paths)) == 1
    assert len([asked for asked in server.asked if asked.range and asked.method == "GET"]) < 12
    assert paths[0].read_bytes() == DATA


def test_a_product_of_this_machine_stays_where_it_is(practice_zarr, tmp_path):
    assert swath.fetch(practice_zarr) == practice_zarr
    with pytest.raises(ProductError, match="nothing at"):
        swath.fetch(tmp_path / "nowhere.zarr")


def test_an_item_leads_to_what_is_fetched(web, tmp_path):
    with zipfile.ZipFile(web.folder / "Y.zip", "w") as archive:
        archive.writestr("a", b"1")
    item = {"type": "Feature", "stac_version": "1.1.0", "id": "y", "assets": {"product": {
        "href": f"{web.address}/Y.zip"}}}  # fmt: skip
    (tmp_path / "item.json").write_text(json.dumps(item))
    assert swath.fetch(item) == swath.fetch(tmp_path / "item.json")


def test_a_folder_that_cannot_be_written_is_told(web, tmp_path):
    (web.folder / "Z.zip").write_bytes(b"PK\5\6" + bytes(18))
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(WriteError, match=r"Z\.zip could not be written"):
        swath.fetch(f"{web.address}/Z.zip", tmp_path / "file")


def test_the_cache_is_where_the_environment_says(cache, monkeypatch):
    assert module.cache_folder() == cache
    monkeypatch.delenv("SWATH_HOME")
    monkeypatch.setenv("XDG_CACHE_HOME", os.fspath(cache))
    assert module.cache_folder() == cache / "swath" / "products"

"""Windows of products in object storage: as few requests as can be, at once; and a failing store."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import swath
import xarray as xr
from distributed import Client, LocalCluster
from swath.errors import ProductError, StoreError
from swath.product import Grid
from swath.run import execute, make_payload

SWATH = Path(sys.executable).parent / "swath"
WINDOW = "rows 0:100, columns 0:100"
PATHS = ("/measurements/index", "/measurements/smooth", "/quality/steep")
SIDE, CHUNK = 2048, 512
BANDS = ("red", "nir")


@pytest.fixture(scope="session")
def large(tmp_path_factory):
    """Return a product of two bands of 16 chunks of half a megabyte, as Zarr of both formats and as a zip.

    Of one band also in shards, which hold four chunks each.
    """
    folder = tmp_path_factory.mktemp("large")
    random = np.random.default_rng(8)
    grid = Grid((SIDE, SIDE), (10, 0, 499980, 0, -10, 6900040), "EPSG:32755")
    variables = {}
    for band in BANDS:
        data = random.integers(1, 65535, (SIDE, SIDE)).astype(np.uint16)
        variables[band] = xr.DataArray(data, dims=("y", "x"), attrs=grid.attributes()).chunk(CHUNK)
    coordinates = {"y": ("y", grid.y), "x": ("x", grid.x)}
    discovery = {"type": "Feature", "stac_version": "1.1.0", "id": "large", "properties": {
        "datetime": "2026-11-26T00:00:00Z"}}  # fmt: skip
    tree = xr.DataTree.from_dict({"/measurements": xr.Dataset(variables, coordinates)})
    tree.attrs["stac_discovery"] = discovery
    swath.write_product(tree, folder / "v2.zarr")
    swath.write_product(tree, folder / "v3.zarr", zarr_format=3)
    whole = tree["measurements/red"].copy(data=tree["measurements/red"].data.rechunk(2 * CHUNK))
    shards = xr.DataTree.from_dict({"/measurements": xr.Dataset({"red": whole}, coordinates)})
    shards.attrs = tree.attrs
    swath.write_product(shards, folder / "shards.zarr", zarr_format=3)
    with zipfile.ZipFile(folder / "v2.zarr.zip", "w") as archive:
        for path in sorted((folder / "v2.zarr").rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(folder))
    return folder


@pytest.fixture
def stored(large, s3):
    for name in ("v2.zarr", "v3.zarr", "shards.zarr"):
        if not (s3.bucket / name).exists():
            shutil.copytree(large / name, s3.bucket / name)
    shutil.copy(large / "v2.zarr.zip", s3.bucket)
    return s3


def chunks_of(server):
    return [asked for asked in server.asked if "measurements" in asked.path and asked.method == "GET"]


@pytest.mark.parametrize("name", ["v2.zarr", "v3.zarr"])
def test_opening_costs_a_list_the_metadata_and_the_coordinates_at_once(stored, name):
    swath.open_product(f"s3://bucket/{name}")
    assert len(stored.asked) == 4
    lists = [asked for asked in stored.asked if "list-type" in asked.path]
    assert len(lists) == 1


def test_opening_a_zip_costs_its_end_and_what_is_read(stored):
    swath.open_product("s3://bucket/v2.zarr.zip")
    assert stored.asked[0].range == "bytes=-65536"
    # The end has the list of members; metadata and coordinates are near one another.
    assert len(stored.asked) <= 3


def test_a_window_costs_its_chunks_all_at_once(stored, large):
    tree = swath.open_product("s3://bucket/v2.zarr")
    window = tree["measurements/red"][300:900, 300:900]
    expected = swath.open_product(large / "v2.zarr")["measurements/red"][300:900, 300:900].load()
    stored.asked.clear()
    stored.latency = 0.5  # so that what is asked at once is seen at once, however busy the machine
    stored.most_at_once = 0
    np.testing.assert_array_equal(window.values, expected.values)
    assert sorted(asked.path.rpartition("/")[2] for asked in stored.asked) == ["0.0", "0.1", "1.0", "1.1"]
    assert stored.most_at_once == 4


def test_chunks_that_lie_together_in_a_zip_are_one_request(stored, large):
    tree = swath.open_product("s3://bucket/v2.zarr.zip")
    stored.asked.clear()
    window = tree["measurements/red"][:CHUNK]  # four chunks, which are neighbours in the archive
    expected = swath.open_product(large / "v2.zarr")["measurements/red"][:CHUNK].load()
    np.testing.assert_array_equal(window.values, expected.values)
    assert len(stored.asked) == 1


def test_a_window_of_shards_costs_their_indices_and_its_chunks(stored, large):
    tree = swath.open_product("s3://bucket/shards.zarr")
    array = tree["measurements/red"]
    stored.asked.clear()
    expected = swath.open_product(large / "shards.zarr")["measurements/red"][:100, :100].load()
    np.testing.assert_array_equal(array[:100, :100].values, expected.values)
    assert len({asked.path for asked in stored.asked}) == 1
    assert len(stored.asked) == 2


def test_shards_of_which_all_is_wanted_are_one_request_each(stored, large):
    tree = swath.open_product("s3://bucket/shards.zarr")
    array = tree["measurements/red"]
    stored.asked.clear()
    expected = swath.open_product(large / "shards.zarr")["measurements/red"].load()
    np.testing.assert_array_equal(array.values, expected.values)
    asked = sorted(asked.path.partition("measurements/red/")[2] for asked in stored.asked)
    assert asked == ["c/0/0", "c/0/1", "c/1/0", "c/1/1"]


def test_a_shard_with_a_damaged_index_is_told(large, s3):
    copy = s3.bucket / "damaged.zarr"
    shutil.copytree(large / "shards.zarr", copy)
    shard = copy / "measurements/red/c/0/0"
    data = bytearray(shard.read_bytes())
    data[-10] ^= 1
    shard.write_bytes(data)
    array = swath.open_product("s3://bucket/damaged.zarr")["measurements/red"]
    with pytest.raises(ProductError, match="corrupt or truncated"):
        array.values  # noqa: B018 -- to read it


def test_a_band_takes_little_longer_than_its_bytes_do(stored, large):
    """The same objects are got by a plain parallel client, over a line of the same latency and bandwidth."""
    tree = swath.open_product("s3://bucket/v2.zarr")
    array = tree["measurements/red"]
    array[:10, :10].load()  # what is imported at the first chunk is not the network's
    names = [f"v2.zarr/measurements/red/{i}.{j}" for i in range(4) for j in range(4)]
    stored.latency, stored.bandwidth = 0.2, 10e6

    async def plain():
        async def get(session, name):
            async with session.get(f"{mirror.address}/{name}") as answer:
                return len(await answer.read())

        async with aiohttp.ClientSession() as session:
            return sum(await asyncio.gather(*(get(session, name) for name in names)))

    import proxy

    mirror = proxy.Proxy(folder=large)
    try:
        mirror.latency, mirror.bandwidth = stored.latency, stored.bandwidth
        start = time.perf_counter()
        total = asyncio.run(plain())
        allowed = time.perf_counter() - start
    finally:
        mirror.close()
    assert total > 8e6
    start = time.perf_counter()
    array.load()
    taken = time.perf_counter() - start
    assert taken <= 1.5 * allowed, f"{taken:.2f} s where {allowed:.2f} s are needed"


def payload(product, destination, **fields):
    return make_payload({
        "processor": "practice", "inputs": {"product": product}, "destination": str(destination),
        "workers": 2, "cogs": False, **fields,
    })  # fmt: skip


@pytest.fixture
def practice(practice_zarr, s3):
    if not (s3.bucket / "practice.zarr").exists():
        shutil.copytree(practice_zarr, s3.bucket / "practice.zarr")
    return "s3://bucket/practice.zarr"


def outputs(destination):
    with xr.open_datatree(destination / "product.zarr", engine="zarr", chunks=None) as tree:
        return {path: tree[path].values for path in PATHS}


@pytest.mark.parametrize("engine", ["threads", "distributed"])
def test_a_run_gives_the_same_as_on_this_machine(practice, practice_zarr, tmp_path, engine):
    report = execute(payload(practice, tmp_path / "there", window=WINDOW, engine=engine))
    execute(payload(str(practice_zarr), tmp_path / "here", window=WINDOW))
    here, there = outputs(tmp_path / "here"), outputs(tmp_path / "there")
    for path in PATHS:
        np.testing.assert_array_equal(there[path], here[path])
    assert report.read.chunks == report.plan.chunks


def test_workers_of_a_cluster_ask_for_several_chunks_at_once_and_for_each_once(practice, s3, tmp_path):
    payload_ = payload(practice, tmp_path / "out", engine="distributed")
    s3.asked.clear()
    s3.latency, s3.most_at_once = 0.3, 0
    report = execute(payload_)
    asked = [request.path for request in chunks_of(s3) if request.path.rpartition("/")[2].count(".") == 1]
    assert len(asked) == len(set(asked)) == report.plan.chunks > 20
    assert s3.most_at_once > 3 * 2  # two workers, a thread each


def test_a_clients_own_computing_reads_ahead_in_its_workers(stored, large):
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster),
    ):
        red = swath.open_product("s3://bucket/v2.zarr")["measurements/red"]
        stored.asked.clear()
        stored.latency, stored.most_at_once = 0.3, 0
        total = int(red.data.astype("int64").sum().compute())
    here = swath.open_product(large / "v2.zarr")["measurements/red"].values
    assert total == int(here.sum(dtype="int64"))
    assert len(chunks_of(stored)) == 16
    assert stored.most_at_once > 4


def test_tasks_of_a_worker_ask_together_for_the_chunks_of_a_shard(stored, large):
    with (
        LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster),
    ):
        red = swath.open_product("s3://bucket/shards.zarr")["measurements/red"]
        assert red.data.npartitions == 16
        stored.asked.clear()
        stored.latency = 0.5  # so that tasks gather, however busy the machine
        total = int(red.data.astype("int64").sum().compute())
    here = swath.open_product(large / "shards.zarr")["measurements/red"].values
    assert total == int(here.sum(dtype="int64"))
    asked = [(asked.path, asked.range) for asked in chunks_of(stored)]
    assert len(asked) == len(set(asked))
    # Four shards of four chunks: an index each, and then less than a request for each chunk.
    assert 8 <= len(asked) <= 14


def test_a_plan_reads_no_chunk(practice, s3):
    from swath.run import plan_payload

    plan = plan_payload(payload(practice, "unused", window=WINDOW))
    assert plan.chunks > 0
    assert plan.bytes > 0
    assert not [asked for asked in chunks_of(s3) if asked.path.rpartition("/")[2].count(".") == 1]


def test_a_plan_asks_a_web_server_for_sizes_at_once_and_s3_for_a_list(large, stored, web, monkeypatch):
    from swath.product import stored_bytes

    shutil.copytree(large / "v2.zarr", web.folder / "sizes.zarr", dirs_exist_ok=True)
    here = sum(path.stat().st_size for path in (large / "v2.zarr" / "measurements" / "red").glob("[0-9]*"))
    places = [(i, j) for i in range(4) for j in range(4)]
    source = swath.chunk_source(swath.open_product(f"{web.address}/sizes.zarr")["measurements/red"])
    web.asked.clear()
    web.latency, web.most_at_once = 0.3, 0
    assert stored_bytes(source, places) == here
    assert [asked.method for asked in web.asked] == ["HEAD"] * 16
    assert web.most_at_once > 8
    # Where the folder was listed page by page, the list of the array's folder tells all sizes.
    monkeypatch.setattr("swath.io.remote._s3._PAGE", 5)
    source = swath.chunk_source(swath.open_product("s3://bucket/v2.zarr")["measurements/red"])
    stored.asked.clear()
    assert stored_bytes(source, places) == here
    assert all("list-type" in asked.path for asked in stored.asked)


@pytest.mark.parametrize("kind", ["503", "cut", "hang", "short", "zeros"])
def test_a_store_that_fails_leaves_no_product(practice, s3, tmp_path, kind):
    s3.fail(kind, times=10_000, match="/red/")
    with pytest.raises(ProductError if kind == "zeros" else StoreError, match="/red"):
        execute(payload(practice, tmp_path / "out"))
    assert not list(tmp_path.iterdir())
    s3.faults.clear()
    execute(payload(practice, tmp_path / "out"))
    assert (tmp_path / "out" / "SHA256SUMS").is_file()


def test_a_store_that_fails_now_and_then_is_no_hindrance(practice, practice_zarr, s3, tmp_path):
    for kind in ("500", "503", "cut"):
        s3.fail(kind, times=1, match="/red/")
        s3.fail(kind, times=1, match="/nir/")
    execute(payload(practice, tmp_path / "there"))
    execute(payload(str(practice_zarr), tmp_path / "here"))
    here, there = outputs(tmp_path / "here"), outputs(tmp_path / "there")
    for path in PATHS:
        np.testing.assert_array_equal(there[path], here[path])


def test_a_signature_is_in_no_report(practice_zarr, web, tmp_path):
    if not (web.folder / "practice.zarr").exists():
        shutil.copytree(practice_zarr, web.folder / "practice.zarr")
    address = f"{web.address}/practice.zarr?signature=topsecret"
    execute(payload(address, tmp_path / "out", window=WINDOW))
    for path in (tmp_path / "out").rglob("*"):
        if path.is_file():
            assert b"topsecret" not in path.read_bytes(), path


def test_a_failing_store_ends_a_command_with_a_word_and_status_1(practice, s3, tmp_path, plugin):
    s3.fail("503", times=10_000, match="/red/")
    environment = {**os.environ, "PYTHONPATH": str(plugin)}
    command = [SWATH, "run", "practice", practice, str(tmp_path / "out")]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert ended.returncode == 1, ended.stderr
    assert "could not be read: it was asked for 3 times" in ended.stderr
    assert "status 503" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not list(tmp_path.iterdir())


def test_verbs_take_addresses(practice, s3, tmp_path):
    def call(*words):
        return subprocess.run(
            [SWATH, *words], env=os.environ, capture_output=True, text=True, check=True, timeout=300
        ).stdout

    assert json.loads(call("info", practice, "--json"))["location"] == practice
    assert "red  (y: 172, x: 172)" in call("ls", practice)
    call("convert", practice, str(tmp_path / "copy.zarr"))
    copy, source = swath.open_product(tmp_path / "copy.zarr"), swath.open_product(practice)
    xr.testing.assert_identical(copy.load(), source.load())

"""A run makes one complete folder, reads what was planned, and gives the same on every engine."""

import dataclasses
import json
import os
import resource
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
import swath_practice
import xarray as xr
import zarr
from distributed import LocalCluster
from swath.errors import (
    DestinationError,
    MetadataError,
    PayloadError,
    ProductError,
    RunError,
    WriteError,
)
from swath.processing import apply
from swath.product import Grid, open_product
from swath.run import execute, plan_payload
from swath_practice import PRACTICE

WINDOW = "rows 20:120, columns 0:100"
FILES = ["SHA256SUMS", "cog", "item.json", "product.zarr", "quicklook.png", "report.html", "report.json"]
PATHS = ("/measurements/index", "/measurements/smooth", "/quality/steep")


@pytest.fixture
def product(practice_product):
    return swath_practice.read(practice_product)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def stored(destination):
    return xr.open_datatree(destination / "product.zarr", engine="zarr", chunks=None)


def assert_holds(destination, expected):
    with stored(destination) as tree:
        for path in PATHS:
            np.testing.assert_array_equal(tree[path].values, expected[path].values)


def test_one_complete_folder_appears(payload, destination):
    report = execute(payload(window=WINDOW))
    assert names(destination.parent) == ["out"]
    assert names(destination) == FILES
    assert names(destination / "cog") == ["index.tif", "smooth.tif", "steep.tif"]
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=destination, check=True)
    assert report.product == destination


def test_what_is_stored_is_what_apply_gives(payload, destination, product):
    execute(payload(window=WINDOW))
    assert_holds(destination, apply(PRACTICE, product, window=WINDOW).compute())


def test_the_report_holds_amounts_and_the_payload(payload, destination):
    job = payload(window=WINDOW, parameters={"radius": "3"})
    planned = plan_payload(job)
    report = execute(job)
    told = json.loads((destination / "report.json").read_text())
    assert told["planned"] == {"chunks": planned.chunks, "bytes": planned.bytes}
    assert told["read"] == {"chunks": planned.chunks, "bytes": planned.bytes, "requests": planned.chunks}
    assert told["plan"]["parameters"]["radius"] == 3
    assert told["payload"] == job.model_dump(mode="json")
    assert told["engine"] == "threads"
    assert {"python", "swath", "zarr"} <= set(told["versions"])
    assert f"read     {planned.chunks} chunks (as planned)" in str(report)
    assert str(destination) in str(report)


def test_the_store_opens_in_xarray_with_grid_and_attributes(payload, destination, product):
    execute(payload(window=WINDOW))
    with stored(destination) as tree:
        smooth = tree["/measurements/smooth"]
        assert smooth.attrs["long_name"] == "Smoothed index"
        assert Grid.of(smooth).transform[2:] == (499980.0, 0.0, -640.0, 6900040.0 - 20 * 640)
        np.testing.assert_array_equal(smooth.y, product["/measurements/r10m"].y[20:120])
        assert tree["/quality/steep"].dtype == np.uint8
    metadata = json.loads((destination / "product.zarr" / ".zmetadata").read_text())["metadata"]
    assert metadata["measurements/smooth/.zarray"]["chunks"] == [48, 48]
    assert metadata["measurements/smooth/.zarray"]["compressor"]["cname"] == "zstd"


def test_images_and_item_say_the_same(payload, destination):
    execute(payload(window=WINDOW))
    with rasterio.open(destination / "cog" / "smooth.tif") as image, stored(destination) as tree:
        np.testing.assert_array_equal(image.read(1), tree["/measurements/smooth"].values)
        assert image.crs.to_epsg() == 32755
        assert tuple(image.transform)[:6] == Grid.of(tree["/measurements/smooth"]).transform
    item = pystac.Item.from_file(destination / "item.json")
    assert {"index", "smooth", "steep", "quicklook", "product", "report"} <= set(item.assets)
    assert item.properties["proj:shape"] == [100, 100]
    assert "index → dawdle → smooth → steep" in item.properties["processing:lineage"]


def test_without_a_destination_there_is_a_plan_but_no_run(payload):
    job = payload(destination=None)
    assert plan_payload(job).chunks > 0
    with pytest.raises(PayloadError, match="no destination"):
        execute(job)


def test_an_existing_destination_is_left_alone_or_replaced_whole(payload, destination):
    destination.mkdir()
    (destination / "mine").write_text("precious")
    with pytest.raises(DestinationError, match="exists already"):
        execute(payload(window=WINDOW))
    with pytest.raises(DestinationError, match="not a product"):
        execute(payload(window=WINDOW, overwrite=True))
    assert names(destination) == ["mine"]
    (destination / "SHA256SUMS").touch()
    execute(payload(window=WINDOW, overwrite=True))
    assert names(destination) == FILES
    assert names(destination.parent) == ["out"]


@pytest.mark.parametrize("where", [".", "out", ".."])
def test_a_destination_never_swallows_the_product(payload, practice_product, where):
    before = sorted(practice_product.rglob("*"))
    with pytest.raises(DestinationError, match=r"lie in one another|is not a product"):
        execute(payload(destination=str(practice_product / where), overwrite=True))
    assert sorted(practice_product.rglob("*")) == before


def test_a_chunk_that_fails_is_named_and_leaves_nothing(payload, destination):
    with pytest.raises(RunError, match=r"Step 'dawdle' of 'practice'.* chunk \(row \d, column \d"):
        execute(payload(window=WINDOW, parameters={"fail_above": 0.5}))
    assert names(destination.parent) == []


def test_a_disk_that_takes_no_more_is_told_and_nothing_is_left(payload, destination):
    """A limit on the size of files, as a full disk: the system refuses to write a chunk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (7_500, hard))
    try:
        with pytest.raises(WriteError, match=r"annot write .*out: File too large") as told:
            execute(payload())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert told.value.exit_status == 1
    assert names(destination.parent) == []


def test_a_folder_that_cannot_be_written_is_told(payload, destination):
    destination.parent.chmod(0o500)
    # Root may write everywhere but where there is no such thing as a new folder.
    place = "/proc/swath-out" if os.geteuid() == 0 else str(destination)
    with pytest.raises(WriteError, match="cannot write") as told:
        execute(payload(destination=place))
    assert told.value.exit_status == 1
    destination.parent.chmod(0o700)
    assert names(destination.parent) == []


def test_the_store_is_a_product_that_opens_again(payload, destination):
    execute(payload(window=WINDOW, cogs=False))
    assert not (destination / "cog").exists()
    again = open_product(destination / "product.zarr")
    with stored(destination) as tree:
        for path in PATHS:
            np.testing.assert_array_equal(again[path].values, tree[path].values)
    assert Grid.of(again["/measurements/smooth"]).shape == (100, 100)


def test_packed_outputs_are_stored_as_integers_and_unpacked_in_images(payload, destination, product):
    packed = {"dtype": "uint16", "scale_factor": 1e-4, "add_offset": -1.0, "_FillValue": 0}
    chain = PRACTICE.chain(PRACTICE.validate())
    steps = [
        step.describe(index={"encoding": packed}) if step.name == "index" else step for step in chain.steps
    ]
    processor = dataclasses.replace(PRACTICE, chain=lambda _: dataclasses.replace(chain, steps=steps))
    execute(payload(window=WINDOW), processor=processor)
    expected = apply(PRACTICE, product, window=WINDOW)["/measurements/index"].values
    raw = zarr.open_array(destination / "product.zarr", path="measurements/index", mode="r")
    assert raw.dtype == np.uint16
    with stored(destination) as tree, rasterio.open(destination / "cog" / "index.tif") as image:
        np.testing.assert_allclose(tree["/measurements/index"].values, expected, atol=0.51e-4)
        np.testing.assert_allclose(image.read(1), expected, atol=0.51e-4)


def test_missing_values_that_no_integer_stands_for_are_refused(payload, destination, product):
    steps = [
        step.describe(index={"encoding": {"dtype": "int16", "scale_factor": 1e-4}})
        if any(output.name == "index" for output in step.outputs)
        else step
        for step in PRACTICE.chain(PRACTICE.validate({})).steps
    ]
    packed = dataclasses.replace(
        PRACTICE, chain=lambda parameters: dataclasses.replace(PRACTICE.chain(parameters), steps=steps)
    )
    with pytest.raises(RunError, match=r"/measurements/index has missing values \(NaN\)"):
        execute(payload(), processor=packed)
    assert not list(destination.parent.iterdir())


def test_a_corrupt_chunk_is_bad_input_and_leaves_nothing(payload, destination, tmp_path):
    data = np.ones((60, 60), np.float32)
    groups = {
        "/measurements/r10m": (10.0, 30, {"red": data}),
        "/measurements/r20m": (20.0, 30, {"nir": data}),
        "/measurements/r60m": (60.0, 30, {"haze": data}),
    }
    folder = swath_practice.write(tmp_path / "corrupt", groups)
    (folder / "measurements/r10m/red/1.1.raw").write_bytes(b"not pixels")
    with pytest.raises(ProductError, match=r"1\.1\.raw is corrupt") as told:
        execute(payload(inputs={"product": str(folder)}))
    assert told.value.exit_status == 2
    assert names(destination.parent) == []


def test_a_product_without_a_time_is_refused_before_anything_is_read(payload, destination, product):
    product.attrs.clear()
    with pytest.raises(MetadataError, match="no time"):
        execute(payload(), product=product)
    assert names(destination.parent) == []


def test_progress_is_told_chunk_by_chunk(payload):
    told = []
    execute(payload(window=WINDOW), progress=lambda *amounts: told.append(amounts))
    chunks = [amounts for amounts in told if amounts[0] == "chunks"]
    assert chunks == [("chunks", done, 9) for done in range(1, 10)]
    files = [amounts for amounts in told if amounts[0] == "GeoTIFFs"]
    assert files == [("GeoTIFFs", done, 3) for done in range(4)]
    assert told[-1][0] == "checksums"


def test_processes_of_a_cluster_read_and_make_the_same(payload, destination, product):
    job = payload(window=WINDOW, engine="distributed")
    report = execute(job)
    assert (report.read.chunks, report.read.bytes) == (report.plan.chunks, report.plan.bytes)
    assert_holds(destination, apply(PRACTICE, product, window=WINDOW).compute())


def test_a_cluster_that_runs_already_is_used_and_left_running(payload, destination, product):
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        report = execute(payload(window=WINDOW, engine=address))
        assert report.workers == 2
        with pytest.raises(RunError, match=r"Step 'dawdle' of 'practice', in the output chunk"):
            execute(payload(window=WINDOW, engine=address, overwrite=True, parameters={"fail_above": 0.5}))
        execute(payload(window=WINDOW, engine=address, overwrite=True))
    assert_holds(destination, apply(PRACTICE, product, window=WINDOW).compute())
    assert names(destination.parent) == ["out"]


def test_two_runs_of_one_job_at_once_on_one_cluster_are_both_whole(payload, destination, product):
    with LocalCluster(n_workers=1, threads_per_worker=2, dashboard_address="127.0.0.1:0") as cluster:
        jobs = [
            payload(engine=cluster.scheduler_address, destination=f"{destination}{number}", cogs=False)
            for number in range(2)
        ]
        with ThreadPoolExecutor() as pool:
            list(pool.map(execute, jobs))
    expected = apply(PRACTICE, product).compute()
    for job in jobs:
        assert_holds(Path(job.destination), expected)


def test_the_store_tells_its_own_place_and_not_that_of_its_source(payload, destination, product):
    execute(payload(window=WINDOW))
    discovery = open_product(destination / "product.zarr").attrs["stac_discovery"]
    item = json.loads((destination / "item.json").read_text())
    assert [discovery[key] for key in ("id", "bbox", "geometry")] == [
        item[key] for key in ("id", "bbox", "geometry")
    ]
    assert discovery["properties"]["derived_from"] == product.attrs["stac_discovery"]["id"]
    assert not {"product:type", "processing:level"} & set(discovery["properties"])

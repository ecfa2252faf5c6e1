"""The memory of a run is known before it, and respected: fewer workers, or a refusal with numbers."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import swath
import swath_practice
from swath.errors import InputError
from swath.run import _memory as memory
from swath.run import execute, fit_payload, make_payload, plan_payload

MIB = 2**20

MEASURE = """
import json, pathlib, re, sys
from swath.run import execute, make_payload
report = execute(make_payload(json.loads(sys.argv[1])))
# What getrusage tells begins with the peak of the process that has started this one.
told = pathlib.Path("/proc/self/status").read_text()
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", told)[1]) * 1024
print(json.dumps({"peak": peak, "needed": report.fit.needed, "seen": report.peak_memory}))
"""


@pytest.fixture(scope="module")
def large_product(tmp_path_factory):
    """Return a product of 3072 x 3072 pixels in chunks of 1024: large beside what Python itself takes."""
    generator = np.random.default_rng(20171207)
    red, nir, haze = (generator.random((n, n), dtype=np.float32) + np.float32(0.1) for n in (3072, 1536, 512))
    groups = {
        "/measurements/r10m": (10.0, 1024, {"red": red}),
        "/measurements/r20m": (20.0, 512, {"nir": nir}),
        "/measurements/r60m": (60.0, 512, {"haze": haze / 10}),
    }
    return swath_practice.write(tmp_path_factory.mktemp("large") / "product", groups)


@pytest.fixture
def large(large_product, destination):
    def make(**fields):
        content = {"processor": "practice", "inputs": {"product": str(large_product)}}
        return make_payload({**content, "destination": str(destination), **fields})

    return make


def measured(job, plugin):
    """Return the most memory that a run took in a process of its own, and what was estimated before it."""
    environment = {**os.environ, "PYTHONPATH": str(plugin)}
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, job.model_dump_json()],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_stays_within_what_was_estimated(large, plugin, workers):
    job = large(workers=workers, memory="4GiB", parameters={"radius": 1})
    told = measured(job, plugin)
    assert max(told["seen"], told["peak"]) <= told["needed"], told
    assert told["needed"] < 2 * told["peak"], told  # an estimate, and no excuse


@pytest.fixture(scope="module")
def tall_product(tmp_path_factory):
    """Return a Zarr of more bytes than are read ahead, few of which are in work at a time: 72 MB, narrow."""
    generator = np.random.default_rng(20171207)
    red, nir, haze = (
        generator.random((24576 // n, 768 // n), dtype=np.float32) + np.float32(0.1) for n in (1, 2, 6)
    )
    groups = {
        "/measurements/r10m": (10.0, 384, {"red": red}),
        "/measurements/r20m": (20.0, 192, {"nir": nir}),
        "/measurements/r60m": (60.0, 384, {"haze": haze / 10}),
    }
    folder = tmp_path_factory.mktemp("tall")
    swath.write_product(swath_practice.read(swath_practice.write(folder / "raw", groups)), folder / "zarr")
    return folder / "zarr"


@pytest.fixture
def tall(tall_product, s3):
    """Return the addresses of that product on this machine and on an S3 server."""
    if not (s3.bucket / "tall.zarr").exists():
        shutil.copytree(tall_product, s3.bucket / "tall.zarr")
    return str(tall_product), "s3://bucket/tall.zarr"


def test_what_is_read_ahead_of_a_remote_store_is_in_the_estimate(large, tall, plugin):
    options = {"workers": 1, "memory": "4GiB", "cogs": False, "overwrite": True, "parameters": {"radius": 1}}
    jobs = [large(inputs={"product": product}, **options) for product in tall]
    here, there = (measured(job, plugin) for job in jobs)
    ahead = plan_payload(jobs[1]).ahead_memory
    assert plan_payload(jobs[0]).ahead_memory == 0
    assert 64 * MIB < ahead < 128 * MIB
    # As much more as is read ahead at least, else nothing was measured.
    assert 40 * MIB < there["peak"] - here["peak"] <= ahead + memory.CLIENT_BYTES, (here, there)
    assert there["peak"] <= there["needed"], there


def test_a_window_of_a_remote_store_is_not_taken_for_all_of_it(large, tall):
    window = "rows 0:100, columns 0:100"
    plan = plan_payload(large(inputs={"product": tall[1]}, window=window))
    assert 0 < plan.ahead_memory < 2 * MIB + 2 * plan.bytes


def test_each_process_reads_ahead_and_tasks_that_wait_have_their_chunks(large, tall):
    options = {"inputs": {"product": tall[1]}, "memory": "64GiB", "engine": "distributed"}
    one, three = (fit_payload(large(workers=number, **options)).needed for number in (1, 3))
    plan = plan_payload(large(**options))
    assert plan.waiting_memory == 8 * 384 * 384 * 4
    each = plan.ahead_memory + plan.waiting_memory + memory.PROCESS_BYTES + memory.CLIENT_BYTES
    assert three - one == plan.peak_memory(3) - plan.peak_memory(1) + 2 * each


def test_a_refusal_tells_what_is_read_ahead(large, tall):
    with pytest.raises(
        InputError, match=r"need, too, \d+ MiB for what is read ahead from a remote store, and"
    ):
        fit_payload(large(inputs={"product": tall[1]}, memory="300MiB"))
    with pytest.raises(InputError) as told:
        fit_payload(large(inputs={"product": tall[0]}, memory="300MiB"))
    assert "ahead" not in str(told.value)


def test_workers_are_lowered_until_the_run_fits_and_it_is_said(large):
    least, full = (fit_payload(large(workers=n, memory="64GiB")).needed for n in (1, 8))
    fit = fit_payload(large(workers=8, memory=(least + full) // 2))
    assert 1 <= fit.workers < 8
    assert fit.needed <= fit.budget == (least + full) // 2
    assert fit.note.startswith(f"{fit.workers} of 8 workers, because 8 would take ")


def test_lowered_workers_are_in_the_report(large, destination):
    least = fit_payload(large(workers=1, memory="64GiB")).needed
    window = "rows 0:64, columns 0:64"
    small = fit_payload(large(workers=1, memory="64GiB", window=window)).needed
    report = execute(large(workers=2, memory=small, window=window, cogs=False))
    assert report.workers == 1
    assert small < least
    assert "note     1 of 2 workers" in str(report)
    assert json.loads((destination / "report.json").read_text())["notes"] == list(report.notes)


def test_what_does_not_fit_is_refused_with_numbers_and_what_would(large, destination):
    with pytest.raises(
        InputError, match=r"needs \d+ MiB of memory with one worker, and 500 MiB are allow"
    ) as told:
        execute(large(memory="500MiB", chunk_shape="3072x3072"))
    shape = str(told.value).partition("--chunk-shape ")[2].partition(" ")[0]
    assert not list(destination.parent.iterdir())
    fit = fit_payload(large(memory="500MiB", chunk_shape=shape))
    assert fit.needed <= 500 * MIB


def test_where_nothing_would_do_the_least_is_told(large):
    with pytest.raises(InputError, match=r"allow more: --memory \d+MiB\.$"):
        fit_payload(large(memory="100MiB"))


def test_the_default_is_a_share_of_what_there_is(large):
    fit = fit_payload(large())
    assert fit.budget == int(memory.machine_memory() * memory.SHARE)
    assert 0 < memory.machine_memory() <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def test_each_process_of_a_local_cluster_counts(large):
    threads = fit_payload(large(workers=2, memory="64GiB"))
    processes = fit_payload(large(workers=2, memory="64GiB", engine="distributed"))
    assert processes.needed >= 3 * memory.PROCESS_BYTES > threads.needed


def test_a_cluster_elsewhere_has_its_own_memory(large):
    assert fit_payload(large(engine="tcp://127.0.0.1:1")) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [("2GiB", 2 * 2**30), ("500 MB", 500_000_000), ("1.5g", 1_500_000_000), ("4096", 4096), ("3 kib", 3072)],
)
def test_amounts_of_memory_are_read_as_people_write_them(large, text, expected):
    assert large(memory=text).memory == expected


def test_a_chunk_shape_is_planned_and_made(large):
    plan = plan_payload(large(chunk_shape="512x300"))
    assert plan.chunk_shape == (512, 300)
    smaller = dataclasses.replace(plan, chunk_memory=plan.chunk_memory)
    assert smaller.chunk_memory < plan_payload(large()).chunk_memory

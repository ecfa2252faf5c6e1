"""A run that was killed goes on from its finished chunks, or starts over; half a product has no name."""

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import swath_practice
import xarray as xr
from swath.errors import RunError, WriteError
from swath.io.commit import CHECKSUMS
from swath.io.journal import journal_path
from swath.processing import apply
from swath.run import execute
from swath_practice import PRACTICE

WINDOW = "rows 20:120, columns 0:100"
"""Nine output chunks."""
PATHS = ("/measurements/index", "/measurements/smooth", "/quality/steep")

RUN = """
import os, signal, sys
from swath.io import commit
from swath.run import execute, make_payload
if len(sys.argv) > 2:
    def die(*arguments, **options):
        os.kill(os.getpid(), signal.SIGKILL)
    setattr(commit, sys.argv[2], die)
execute(make_payload(eval(sys.argv[1])))
"""


@pytest.fixture
def job(payload):
    """Return a payload of nine chunks, one at a time."""

    def make(**fields):
        return payload(**{"window": WINDOW, "workers": 1, "cogs": False, **fields})

    return make


@pytest.fixture
def start(plugin):
    """Return a function that starts a run in a process of its own, with a function that kills it."""

    def start(job, *killed_at):
        environment = {**os.environ, "PYTHONPATH": str(plugin)}
        command = [sys.executable, "-c", RUN, repr(job.model_dump()), *killed_at]
        return subprocess.Popen(command, env=environment)

    return start


def left(destination):
    return sorted(path.name for path in destination.parent.iterdir())


def partial_of(destination):
    return next(path for path in destination.parent.iterdir() if ".partial-" in path.name and path.is_dir())


def kill_after(start, job, destination, chunks):
    """Kill a run when so many chunks are in its journal; return how many are."""
    running, until = start(job), time.monotonic() + 120
    try:
        while True:
            journals = list(destination.parent.glob(".out.partial-*.jsonl"))
            noted = journals[0].read_text().count("\n") - 1 if journals else 0
            if noted >= chunks:
                break
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.02)
    finally:
        running.kill()
        running.wait()
    assert not destination.exists()
    return journal_path(partial_of(destination)).read_text().count("\n") - 1


def assert_whole(destination, practice_product, parameters=None):
    expected = apply(PRACTICE, swath_practice.read(practice_product), parameters or {}, WINDOW)
    subprocess.run(["sha256sum", "--check", "--strict", "--quiet", CHECKSUMS], cwd=destination, check=True)
    with xr.open_datatree(destination / "product.zarr", engine="zarr", chunks=None) as tree:
        for path in PATHS:
            np.testing.assert_array_equal(tree[path].values, expected[path].values)


@pytest.mark.parametrize("engine", ["threads", "distributed"])
def test_a_killed_run_goes_on_from_its_finished_chunks(job, start, destination, practice_product, engine):
    slow = job(parameters={"seconds": 0.2}, engine=engine)
    noted = kill_after(start, slow, destination, 6)
    report = execute(job(parameters={"seconds": 0.2}))  # on another engine, it may be
    assert report.computed.resumed == noted
    assert len(report.computed.records) == 9 - noted
    assert report.read.chunks < report.plan.chunks
    assert f"resumed  {noted} output chunks" in str(report)
    assert json.loads((destination / "report.json").read_text())["resumed"] == noted
    assert left(destination) == ["out"]
    assert_whole(destination, practice_product)


@pytest.mark.parametrize("damage", ["flipped", "cut", "removed"])
def test_a_chunk_that_is_not_what_it_was_is_made_again(job, start, destination, practice_product, damage):
    slow = job(parameters={"seconds": 0.2})
    noted = kill_after(start, slow, destination, 3)
    partial = partial_of(destination)
    _, first, *_ = journal_path(partial).read_text().splitlines()
    file = partial / "product.zarr" / next(iter(json.loads(first)["files"]))
    content = bytearray(file.read_bytes())
    if damage == "removed":
        file.unlink()
    else:
        content[len(content) // 2] ^= 1
        file.write_bytes(content if damage == "flipped" else content[:-7])
    report = execute(slow)
    assert report.computed.resumed == noted - 1
    assert_whole(destination, practice_product)


@pytest.mark.parametrize("killed_at", ["write_checksums", "flush_tree", "_appear"])
def test_a_run_that_is_killed_while_it_commits_goes_on(job, start, destination, practice_product, killed_at):
    assert start(job(), killed_at).wait(timeout=120) == -signal.SIGKILL
    assert not destination.exists()
    report = execute(job())
    assert report.computed.resumed == 9
    assert report.read.chunks == 0
    assert left(destination) == ["out"]
    assert_whole(destination, practice_product)


def test_another_job_starts_over_and_removes_what_was_left(job, start, destination, practice_product):
    kill_after(start, job(parameters={"seconds": 0.2}), destination, 2)
    other = {"radius": 3}
    report = execute(job(parameters=other))
    assert report.computed.resumed == 0
    assert left(destination) == ["out"]
    assert_whole(destination, practice_product, other)


def test_a_product_that_has_changed_is_another_job(job, start, destination, tmp_path):
    red, nir, haze = (np.full((n, n), value, np.float32) for n, value in ((96, 1), (48, 2), (16, 0.1)))
    groups = {
        "/measurements/r10m": (640.0, 16, {"red": red}),
        "/measurements/r20m": (1280.0, 16, {"nir": nir}),
        "/measurements/r60m": (3840.0, 16, {"haze": haze}),
    }
    folder = swath_practice.write(tmp_path / "product", groups)
    slow = job(parameters={"seconds": 0.2}, inputs={"product": str(folder)}, window=None)
    kill_after(start, slow, destination, 2)
    changed = folder / "measurements/r10m/red/0.0.raw"
    changed.write_bytes(np.full((16, 16), 3, np.float32).tobytes())
    assert execute(slow).computed.resumed == 0


def test_who_does_not_want_it_starts_over(job, start, destination):
    slow = job(parameters={"seconds": 0.2})
    kill_after(start, slow, destination, 2)
    report = execute(job(parameters={"seconds": 0.2}, resume=False))
    assert report.computed.resumed == 0
    assert left(destination) == ["out"]


def test_a_run_that_fails_keeps_its_chunks_where_it_is_asked_to(job, destination, practice_product):
    limited = job(keep=True)
    fails = {"at": 5}
    record = []

    def progress(what, done, _total):
        record.append(done)
        if what == "chunks" and done == fails["at"]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execute(limited, progress=progress)
    assert not destination.exists()
    assert [name.partition("-")[2].partition("-")[0] for name in left(destination)] == ["kept", "kept"]
    assert execute(limited).computed.resumed == 5
    assert left(destination) == ["out"]
    assert_whole(destination, practice_product)


def test_what_a_failing_step_leaves_is_removed_unless_it_is_to_be_kept(job, destination):
    bad = {"fail_above": 0.5}
    with pytest.raises(RunError):
        execute(job(parameters=bad))
    assert left(destination) == []


@pytest.fixture
def small_disk(tmp_path):
    """Return a file system of 60 kB, and a function that lets it grow."""
    target = tmp_path / "disk"
    target.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=160k", "tmpfs", target], check=True)
    yield target, lambda: subprocess.run(["mount", "-o", "remount,size=8m", target], check=True)
    subprocess.run(["umount", target], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
def test_a_full_disk_is_told_and_with_more_room_the_run_goes_on(job, small_disk, practice_product):
    disk, grow = small_disk
    full = job(destination=str(disk / "out"), keep=True, window=None, chunk_shape=(24, 24))
    with pytest.raises(WriteError, match="No space left on device"):
        execute(full)
    assert not (disk / "out").exists()
    grow()
    report = execute(full)
    assert report.computed.resumed > 0
    assert sorted(path.name for path in disk.iterdir()) == ["out"]

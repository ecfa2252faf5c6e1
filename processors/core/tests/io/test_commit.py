"""All-or-nothing writing: whatever happens, nothing half-written has the final name, and nothing is left
lying about."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swath.errors import DestinationError, WriteError
from swath.io import commit
from swath.io.journal import Journal


def left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def write(destination, text="new", **options):
    with commit.new_product(destination, **{"checksums": True, **options}) as partial:
        (partial / "folder").mkdir()
        (partial / "folder" / "file").write_text(text)


def fail_with(error, destination):
    with commit.new_product(destination, overwrite=True) as partial:
        (partial / "file").write_text("half")
        raise error


def write_to_full(destination):
    with commit.new_product(destination) as partial:
        (partial / "file").symlink_to("/dev/full")
        (partial / "file").write_bytes(b"1")


def test_a_product_appears_complete(tmp_path):
    with commit.new_product(tmp_path / "product") as partial:
        (partial / "file").write_text("1")
        assert not (tmp_path / "product").exists()
        assert partial.parent == tmp_path
        assert partial.name.startswith(f".product.partial-{os.getpid()}-")
    assert left(tmp_path) == ["product"]


def test_checksums_are_those_of_sha256sum(tmp_path):
    write(tmp_path / "product", checksums=True)
    subprocess.run(
        ["sha256sum", "--check", "--strict", "--quiet", commit.CHECKSUMS],
        cwd=tmp_path / "product",
        check=True,
    )
    assert len((tmp_path / "product" / commit.CHECKSUMS).read_text().splitlines()) == 1


def test_what_exists_is_refused_before_anything_is_written(tmp_path):
    write(tmp_path / "product", "old")
    with pytest.raises(DestinationError, match=r"exists already.*--overwrite"):
        write(tmp_path / "product")
    assert left(tmp_path) == ["product"]
    assert (tmp_path / "product/folder/file").read_text() == "old"


def test_overwriting_replaces_the_whole(tmp_path):
    write(tmp_path / "product", "old")
    (tmp_path / "product" / "more").write_text("")
    write(tmp_path / "product", "new", overwrite=True)
    assert left(tmp_path) == ["product"]
    assert left(tmp_path / "product") == [commit.CHECKSUMS, "folder"]


def test_only_a_product_is_overwritten(tmp_path):
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter").write_text("years of work")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "empty").mkdir()
    for name in ("thesis", "file"):
        with pytest.raises(DestinationError, match="not a product"):
            write(tmp_path / name, overwrite=True)
    write(tmp_path / "empty", overwrite=True)
    assert left(tmp_path) == ["empty", "file", "thesis"]
    assert (tmp_path / "thesis" / "chapter").read_text() == "years of work"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_a_failure_leaves_what_was_there(tmp_path, error):
    write(tmp_path / "product", "old")
    with pytest.raises(error):
        fail_with(error, tmp_path / "product")
    assert left(tmp_path) == ["product"]
    assert (tmp_path / "product/folder/file").read_text() == "old"


def test_a_destination_needs_a_folder(tmp_path):
    with pytest.raises(DestinationError, match="no folder"):
        write(tmp_path / "nowhere" / "product")
    with pytest.raises(DestinationError, match="cannot be a product"):
        write("/")
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(DestinationError, match="symbolic link"):
        write(tmp_path / "link", overwrite=True)


def test_a_write_that_the_system_refuses_is_told_and_cleaned_up(tmp_path):
    """A limit on the size of files, as a full disk: the system refuses to write on."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with (
            pytest.raises(WriteError, match=r"cannot write .*File too large"),
            commit.new_product(tmp_path / "p") as partial,
        ):
            (partial / "file").write_bytes(bytes(20_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, ignored)
    assert left(tmp_path) == []


@pytest.fixture
def small_disk(tmp_path):
    """Return a file system of 1 MB where it can be mounted, or else None (a test above covers the same)."""
    target = tmp_path / "disk"
    target.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", target], check=False, capture_output=True
    )
    yield target if mounted.returncode == 0 else None
    if mounted.returncode == 0:
        subprocess.run(["umount", target], check=True)


def test_a_full_disk_is_told_and_cleaned_up(small_disk, tmp_path):
    if small_disk is None:
        # Not allowed to mount here: /dev/full refuses every write with the same error.
        with pytest.raises(WriteError, match="No space left"):
            write_to_full(tmp_path / "p")
        assert left(tmp_path) == ["disk"]
        return
    with (
        pytest.raises(WriteError, match=r"No space left on device.*free space"),
        commit.new_product(small_disk / "p") as partial,
    ):
        (partial / "file").write_bytes(bytes(3_000_000))
    assert left(small_disk) == []


def test_a_destination_that_may_not_be_written_is_told(tmp_path):
    """Root may write anywhere but in a read-only file system; /proc is one of a kind on every Linux."""
    folder = Path("/proc/self/task") if os.geteuid() == 0 else tmp_path
    if os.geteuid() != 0:
        tmp_path.chmod(0o500)
    with pytest.raises(WriteError, match="cannot write"):
        write(folder / "product")
    tmp_path.chmod(0o700)


SCRIPT = """
import sys, time
from swath.io.commit import new_product
with new_product(sys.argv[1], overwrite=True) as partial:
    (partial / "file").write_text("half")
    print("writing", flush=True)
    time.sleep(60)
"""


def start(destination):
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(destination)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert process.stdout.readline() == b"writing\n"
    return process


def test_an_interrupt_leaves_nothing(tmp_path):
    process = start(tmp_path / "product")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert left(tmp_path) == []


def test_what_a_killed_process_left_is_removed_at_the_next_write(tmp_path):
    process = start(tmp_path / "product")
    process.kill()
    process.communicate(timeout=30)
    assert len(left(tmp_path)) == 1
    write(tmp_path / "product")
    assert left(tmp_path) == ["product"]


def test_what_a_living_process_is_writing_is_left_alone(tmp_path):
    process = start(tmp_path / "product")
    try:
        write(tmp_path / "product")
        assert len(left(tmp_path)) == 2
    finally:
        process.kill()
        process.communicate(timeout=30)


def test_a_kill_between_the_two_renames_of_an_overwrite_loses_nothing(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    time.sleep(0.01)
    old = tmp_path / f".product.partial-{gone.pid}-old-0123"
    old.mkdir()
    (old / "file").write_text("old")
    (old / commit.CHECKSUMS).touch()
    with pytest.raises(DestinationError):
        write_after_check(tmp_path)
    write(tmp_path / "product", overwrite=True)
    assert left(tmp_path) == ["product"]


def write_after_check(tmp_path):
    """The old product takes its name again, and is then in the way of a write without overwrite."""
    commit._remove_stale(tmp_path / "product")
    write(tmp_path / "product")


def dead_process():
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    return gone.pid


def test_what_a_killed_process_left_never_takes_the_name_of_a_product(tmp_path):
    """Not even where the product's own name has in it what marks an old product that stepped aside."""
    half = tmp_path / f".a-old-b.partial-{dead_process()}-0123abcd"
    half.mkdir()
    (half / "file").write_text("half")
    write(tmp_path / "a-old-b")
    assert left(tmp_path) == ["a-old-b"]
    assert (tmp_path / "a-old-b" / "folder" / "file").read_text() == "new"


def test_what_a_process_of_another_container_is_writing_is_left_alone(tmp_path):
    """Its number means nothing here, where no process has it; its lock does."""
    with commit.new_product(tmp_path / "product") as partial:
        foreign = partial.rename(tmp_path / f".product.partial-{dead_process()}-0123abcd")
        commit._remove_stale(tmp_path / "product")
        assert foreign.is_dir()
        foreign.rename(partial)


@pytest.mark.parametrize("job", ["", "job"])
def test_what_a_process_of_the_same_number_left_before_is_taken_over_or_removed(tmp_path, job):
    """In a container that was started again the process has the number that the killed one had."""
    left_over = tmp_path / f".product.partial-{os.getpid()}-0123abcd"
    left_over.mkdir()
    (left_over / "done").write_text("before")
    Journal(left_over, "job").begin()
    (tmp_path / f".file.partial-{os.getpid()}-0123abcd").write_text("half")
    with commit.new_product(tmp_path / "product", job=job) as partial:
        assert [path.name for path in partial.iterdir()] == (["done"] if job else [])
        (partial / "done").write_text("whole")
        with commit.new_product(tmp_path / "product", True) as beside:  # of another thread of this process
            (beside / "done").write_text("beside")
            assert partial.is_dir()
        shutil.rmtree(tmp_path / "product")
    with commit.replaced_file(tmp_path / "file") as file:
        file.write_text("whole")
    assert left(tmp_path) == ["file", "product"]


@pytest.mark.parametrize("destination", [".", "..", ""])
def test_the_folder_one_works_in_is_never_replaced(tmp_path, monkeypatch, destination):
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    with pytest.raises(DestinationError):
        commit.check_destination(destination, overwrite=True)


def test_writes_still_under_way_in_zarr_when_one_fails_leave_nothing(tmp_path):
    import asyncio

    from zarr.core.sync import sync

    def late(path):
        time.sleep(0.3)
        path.mkdir(parents=True)
        (path / "0.0").write_text("a chunk, after the failure")

    async def fail(path):
        raise OSError(28, "No space left on device")

    async def together(path):
        await asyncio.gather(fail(path), asyncio.to_thread(late, path / "array"))

    with (
        pytest.raises(WriteError, match="No space left"),
        commit.new_product(tmp_path / "product") as partial,
    ):
        sync(together(partial))
    time.sleep(0.5)
    assert not left(tmp_path)


def test_a_file_appears_whole_and_what_a_killed_process_left_of_it_goes(tmp_path):
    stale = tmp_path / f".a.nc.partial-{dead_process()}-0123abcd"
    stale.write_text("half")
    with commit.new_file(tmp_path / "a.nc", (b"CDF",)) as partial:
        partial.write_text("CDF whole")
        assert left(tmp_path) == [partial.name]
    assert (tmp_path / "a.nc").read_text() == "CDF whole"
    with pytest.raises(RuntimeError):
        fail_in_a_file(tmp_path / "a.nc")
    assert left(tmp_path) == ["a.nc"]
    assert (tmp_path / "a.nc").read_text() == "CDF whole"


def fail_in_a_file(path):
    with commit.new_file(path, (b"CDF",), overwrite=True) as partial:
        partial.write_text("CDF half")
        raise RuntimeError

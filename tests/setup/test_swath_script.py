"""The script that a newcomer runs, on a fresh clone with its own state directory."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Give a fresh clone of what is committed."""
    subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", ROOT, tmp_path / "clone"], check=True)
    return tmp_path / "clone"


def call(
    clone: Path, *arguments: str, environment: dict[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    # The download cache is that of the machine: what is tested is the script, not the network.
    cache = subprocess.run(
        [find_uv_bin(), "cache", "dir"], capture_output=True, text=True, check=True
    ).stdout.strip()
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("COV_", "TOX_"))}
    outside |= {"UV_CACHE_DIR": cache, "SWATH_HOME": str(clone.parent / "home"), **(environment or {})}
    outside.pop("VIRTUAL_ENV", None)
    return subprocess.run(
        [clone / "swath", *arguments],
        env=outside,
        capture_output=True,
        text=True,
        check=False,
        timeout=900,
        cwd=clone.parent,
    )


def snapshot(folder: Path) -> dict[str, tuple[int, int]]:
    """Return size and time of change of every file, but for what merely logs a call."""
    return {
        str(path.relative_to(folder)): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_tour_on_a_fresh_clone_and_once_more(clone: Path) -> None:
    first = call(clone, "tour")
    assert first.returncode == 0, first.stdout + first.stderr
    assert "set-up: Python packages" in first.stderr
    for said in ("swath new", "swath ci", "swath run", "quicklook.png"):
        assert said in first.stdout
    (quicklook, *_) = (clone.parent / "home").rglob("whole/quicklook.png")
    assert quicklook.read_bytes().startswith(b"\x89PNG\r\n\x1a\n")

    tour = clone.parent / "home" / "tour"
    before = snapshot(tour)
    again = call(clone, "tour")
    assert again.returncode == 0, again.stdout + again.stderr
    assert "set-up:" not in again.stderr
    after = snapshot(tour)
    assert not {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert (
        subprocess.run(["git", "-C", clone, "status", "--porcelain"], capture_output=True, check=True).stdout
        == b""
    )

    report = json.loads((tour / "products" / "whole" / "report.json").read_text())
    window = json.loads((tour / "products" / "window" / "report.json").read_text())
    assert 0 < window["read"]["bytes"] <= report["read"]["bytes"]


def test_two_first_calls_at_once_make_one_environment(clone: Path) -> None:
    outside = {**os.environ, "SWATH_HOME": str(clone.parent / "home")}
    calls = [
        subprocess.Popen(
            [clone / "swath", "--version"], env=outside, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    told = [process.communicate(timeout=600) for process in calls]
    assert [process.returncode for process in calls] == [0, 0], told
    assert sum(b"set-up: Python packages" in error for _, error in told) == 1


def test_a_package_whose_hash_is_not_that_of_the_lock_is_refused(clone: Path) -> None:
    lock = clone / "requirements" / "uv.txt"
    lock.write_text(lock.read_text().replace("sha256:", "sha256:0000")[:-4])
    done = call(clone, "--version", environment={"PIP_NO_CACHE_DIR": "1"})
    assert done.returncode == 1
    assert "hash" in done.stderr.lower()
    assert "Traceback" not in done.stderr
    assert not (clone / ".venv" / "swath-setup").exists()


def test_a_checkout_that_cannot_be_written_to_is_told_without_a_traceback(clone: Path) -> None:
    (clone / ".swath-setup.lock").mkdir()  # refuses root, too
    done = call(clone, "--version")
    assert done.returncode == 1
    assert "checkout that you may write to" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_half_made_environment_is_completed(clone: Path) -> None:
    assert call(clone, "--version").returncode == 0
    (clone / ".venv" / "swath-setup").unlink()
    shutil.rmtree(next((clone / ".venv" / "lib").glob("python3*")) / "site-packages" / "click")
    done = call(clone, "--version")
    assert (done.returncode, done.stdout) == (0, "swath 0.1.0\n"), done.stderr


def test_an_older_python_is_told_what_is_needed(clone: Path) -> None:
    program = (
        "import runpy, sys; sys.version_info = (3, 9, 0); runpy.run_path(sys.argv[1], run_name='__main__')"
    )
    command = [sys.executable, "-c", program, clone / "swath"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Swath needs Python 3.11 or newer")


def test_without_a_program_of_debian_it_says_what_to_install(clone: Path, tmp_path: Path) -> None:
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("python3", "env", "git"):
        (tools / name).symlink_to(shutil.which(name) or pytest.fail(f"{name} is missing"))
    done = call(clone, "--version", environment={"PATH": str(tools)})
    assert done.returncode == 1
    assert "sudo apt-get install rsync" in done.stderr

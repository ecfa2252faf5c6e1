"""What may fail while a run is under way: status 1 (130 for an interruption), and nothing half-written."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

SWATH = Path(sys.executable).with_name("swath")


def left_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize("verb", [["run", "s2-toa"], ["convert"]])
def test_a_full_disk(swath, scene, small_disk, verb: list[str]) -> None:
    done = swath(*verb, scene, small_disk / "result")
    assert done.returncode == 1, done.stderr
    assert "space" in done.stderr
    assert "Traceback" not in done.stderr
    assert left_in(small_disk) == []


@pytest.mark.parametrize("verb", [["run", "s2-toa"], ["convert"]])
def test_a_read_only_destination(swath, scene, small_disk, verb: list[str]) -> None:
    subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
    done = swath(*verb, scene, small_disk / "result")
    assert done.returncode == 1, done.stderr
    assert "ead-only" in done.stderr
    assert "Traceback" not in done.stderr
    assert left_in(small_disk) == []


@pytest.mark.parametrize("verb", [["run", "s2-toa"], ["convert"]])
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_in_the_middle(scene, tmp_path, verb: list[str], sent: signal.Signals) -> None:
    results = tmp_path / "results"
    results.mkdir()
    command = [SWATH, *verb, scene, results / "result"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        while not left_in(results):  # the partial product is there: writing is under way
            assert process.poll() is None, process.communicate()
            time.sleep(0.01)
        process.send_signal(sent)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    assert left_in(results) == []


def test_a_killed_run_leaves_nothing_under_the_name_and_the_next_one_clears_up(
    swath, scene, tmp_path
) -> None:
    results = tmp_path / "results"
    results.mkdir()
    command = [SWATH, "run", "s2-toa", scene, results / "result"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not left_in(results):
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
    assert not (results / "result").exists()
    assert swath("run", "s2-toa", scene, results / "result").returncode == 0
    assert left_in(results) == ["result"]

"""The verb ``run`` as a user meets it: real processes, their output, exit statuses and signals."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml
from swath_cli import main

SWATH = Path(sys.executable).parent / "swath"


@pytest.fixture
def environment(plugin):
    return {**os.environ, "PYTHONPATH": str(plugin), "NO_COLOR": "1"}


class Outcome(NamedTuple):
    stdout: str
    stderr: str


@pytest.fixture
def swath(capfd):
    """Return the command as a function: in this process, because starting Python takes longest."""

    def call(*arguments, status=0) -> Outcome:
        with pytest.raises(SystemExit) as left:
            main(["run", *map(str, arguments)])
        outcome = Outcome(*capfd.readouterr())
        assert left.value.code == status, outcome
        assert "Traceback" not in outcome.stderr
        return outcome

    return call


@pytest.fixture
def destination(tmp_path):
    (tmp_path / "results").mkdir()
    return tmp_path / "results" / "out"


def test_a_run_ends_with_a_summary(swath, practice_product, destination):
    window = ("--window", "rows 0:60, columns 0:60")
    done = swath("practice", practice_product, destination, *window, "-p", "radius=1", "--workers", 2)
    assert done.stdout.splitlines()[0] == f"product  {destination}"
    assert "chunks (as planned)" in done.stdout
    assert (destination / "item.json").is_file()
    again = swath("practice", practice_product, destination, status=2)
    assert "exists already" in again.stderr
    done = swath("practice", practice_product, destination, *window, "--overwrite", "--json")
    report = json.loads(done.stdout)
    assert report["read"]["chunks"] == report["planned"]["chunks"] > 0


def test_a_plan_writes_nothing(swath, practice_product, destination):
    done = swath("practice", practice_product, destination, "--plan", "--window", "rows 0:60, columns 0:60")
    assert "/measurements/r10m/red" in done.stdout
    assert "total" in done.stdout
    told = json.loads(swath("practice", practice_product, "--plan", "--json", "-p", "resolution=20").stdout)
    assert told["parameters"]["resolution"] == 20
    assert not list(destination.parent.iterdir())


def test_the_command_line_wins_over_the_payload(swath, practice_product, tmp_path):
    file = tmp_path / "job.yaml"
    job = {
        "processor": "practice",
        "inputs": {"product": os.path.relpath(practice_product, tmp_path)},
        "parameters": {"radius": 1, "label": "kept"},
        "window": {"rows": [0, 60], "columns": [0, 60]},
    }
    file.write_text(yaml.safe_dump(job))
    told = json.loads(swath(file, "--plan", "--json", "-p", "radius=4", "-w", "rows 0:9, columns 0:9").stdout)
    assert told["parameters"]["radius"] == 4
    assert told["parameters"]["label"] == "kept"
    assert told["window"] == {"rows": [0, 9], "columns": [0, 9]}


def test_processors_and_schemas_are_shown(swath):
    assert "practice 1.0.0  Index, smoothed" in swath("--list").stdout
    assert {"name": "practice", "version": "1.0.0", "title": "Index, smoothed"} in json.loads(
        swath("--list", "--json").stdout
    )
    schema = json.loads(swath("--schema", "practice").stdout)
    assert schema["properties"]["parameters"]["properties"]["resolution"]["enum"] == [10, 20]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "Name a processor"),
        (("practice",), "Name the product"),
        (("PRODUCT",), "swath run PROCESSOR"),
        (("practise", "p", "out"), "Did you mean 'practice'"),
        (("practice", "PRODUCT", "out", "-p", "raduis=1"), "did you mean 'radius'"),
        (("practice", "PRODUCT", "out", "-w", "rows 0:500, columns 0:1"), "0:172"),
        (("practice", "PRODUCT", "missing/out"), "no folder"),
        (("practice", "nowhere", "out"), "nowhere"),
        (("missing.yaml",), "cannot be read"),
        (("practice", "PRODUCT", "out", "--workers", "0"), "workers"),
    ],
)
def test_mistakes_end_with_2_and_a_way_out(swath, practice_product, tmp_path, arguments, told, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = swath(*(practice_product if text == "PRODUCT" else text for text in arguments), status=2)
    assert told in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_chunk_that_fails_ends_with_1(swath, practice_product, destination):
    done = swath("practice", practice_product, destination, "-p", "fail_above=0.5", status=1)
    assert "error: Step 'dawdle' of 'practice', in the output chunk (row " in done.stderr
    assert not list(destination.parent.iterdir())


def group_ends(group, seconds=10):
    """Wait until no process of a group is left."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.1)
    return False


@pytest.mark.parametrize(
    ("engine", "sent"),
    [("threads", signal.SIGINT), ("threads", signal.SIGTERM), ("distributed", signal.SIGINT)],
)
def test_an_interrupted_run_leaves_nothing(environment, practice_product, destination, engine, sent):
    destination.mkdir()
    (destination / "SHA256SUMS").write_text("kept")
    running = subprocess.Popen(
        [SWATH, "run", "practice", practice_product, destination, "--overwrite", "-p", "seconds=0.5",
         "--workers", "1", "--engine", engine],
        stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        until = time.monotonic() + 120
        while not list(destination.parent.glob(".out.partial-*/product.zarr/measurements/index/[0-9]*")):
            assert running.poll() is None, running.stderr.read()
            assert time.monotonic() < until
            time.sleep(0.05)
        # A terminal sends Ctrl-C to all processes of the group, workers included.
        os.killpg(running.pid, sent) if sent == signal.SIGINT else running.send_signal(sent)
        _, told = running.communicate(timeout=60)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
    assert running.returncode == 130, told
    assert told.strip().splitlines()[-1] == "interrupted"
    assert "Traceback" not in told
    assert [path.name for path in destination.parent.iterdir()] == ["out"]
    assert [path.name for path in destination.iterdir()] == ["SHA256SUMS"]
    assert group_ends(running.pid)


def test_help_imports_no_array_library():
    code = (
        "import sys, swath.cli; from click.testing import CliRunner; "
        "result = CliRunner().invoke(swath.cli.run, ['--help']); "
        "assert result.exit_code == 0 and 'Examples' in result.output, result.output; "
        "print([name for name in ('dask', 'numpy', 'xarray', 'zarr', 'rasterio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

"""The verb ``samples`` as a user meets it, with a simulator that a package in a folder brings."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SWATH = Path(sys.executable).parent / "swath"

SIMULATOR = '''
from pathlib import Path


def write(destination, *, size=4, seed=1, overwrite=False, workers=None, progress=None):
    """Write a toy."""
    product = Path(destination) / f"toy-{size}-{seed}"
    product.mkdir(parents=True, exist_ok=overwrite)
    progress(1.0)
    return product
'''


@pytest.fixture
def swath(tmp_path):
    package = tmp_path / "package"
    information = package / "toy_simulator-1.dist-info"
    information.mkdir(parents=True)
    (package / "toy_simulator.py").write_text(SIMULATOR)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-simulator\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[swath.simulators]\ntoy = toy_simulator:write\n")
    real = tmp_path / "real"
    for name in (
        "s2/S2A_X.SAFE/inside.SAFE",
        "s3/a/S3B_Y.SEN3",
        "S1A_Z.zip",
        "notes.zip",
        ".hidden/S1A.SAFE",
    ):
        (real / name).mkdir(parents=True)

    def call(*arguments, status=0, folder=real):
        environment = {
            **os.environ,
            "PYTHONPATH": str(package),
            "SWATH_SAMPLES": str(folder),
            "NO_COLOR": "1",
        }
        done = subprocess.run(
            [SWATH, "samples", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment,
            check=False,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return call


def test_lists_real_products_and_simulators(swath, tmp_path):
    content = json.loads(swath("list", "--json").stdout)
    assert content["folder"] == str(tmp_path / "real")
    names = [Path(product).name for product in content["products"]]
    assert sorted(names) == ["S1A_Z.zip", "S2A_X.SAFE", "S3B_Y.SEN3"]
    assert {"name": "toy", "summary": "Write a toy."} in content["simulators"]


def test_lists_them_for_people_too(swath):
    told = swath("list").stdout
    assert "s2/S2A_X.SAFE" in told
    assert "toy  Write a toy." in told


def test_says_how_to_name_a_folder_where_there_is_none(swath, tmp_path):
    assert "SWATH_SAMPLES" in swath("list", folder=tmp_path / "missing").stdout


def test_simulates_into_a_folder_and_prints_the_path_last(swath, tmp_path):
    told = swath("simulate", "toy", tmp_path / "scenes", "--seed", 7)
    assert told.stdout == f"{tmp_path / 'scenes' / 'toy-4-7'}\n"
    assert (tmp_path / "scenes" / "toy-4-7").is_dir()


def test_tells_programs_what_it_simulated(swath, tmp_path):
    content = json.loads(swath("simulate", "toy", tmp_path, "--size", 12, "--json").stdout)
    assert content["product"] == str(tmp_path / "toy-12-1")
    assert content["parameters"] == {"size": 12}


def test_refuses_a_simulator_that_is_not_installed_and_names_those_that_are(swath, tmp_path):
    told = swath("simulate", "tory", tmp_path, status=2).stderr
    assert "'tory'" in told
    assert "toy" in told.replace("tory", "")


def test_refuses_an_option_that_the_simulator_does_not_have(swath, tmp_path):
    assert "--cloud-cover" in swath("simulate", "toy", tmp_path, "--cloud-cover", 0.5, status=2).stderr
    assert not list(tmp_path.glob("toy-*"))


@pytest.mark.parametrize("verb", [(), ("list",), ("simulate",)])
def test_help_shows_examples_line_by_line(swath, verb):
    lines = swath(*verb, "--help").stdout.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip() == "Examples")
    assert "swath samples" in lines[start + 1]
    assert lines[start + 2].strip() == "" or lines[start + 2].startswith("    ")

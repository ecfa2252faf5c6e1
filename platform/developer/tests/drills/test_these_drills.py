"""The drills of this repository: no test is lost between them and the stages of `./swath test`."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from swath_developer.drills import catalogue

ROOT = Path(__file__).parents[4]
FOLDERS = ("tests/cluster", "tests/platform")
"""Where tests are marked as those of a drill."""


def collected(*words: str) -> set[str]:
    """Return the names of the tests that pytest would run."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return {line for line in done.stdout.splitlines() if "::" in line}


def test_every_marked_test_is_in_a_drill():
    marked = collected("-m", "drill", *FOLDERS)
    assert marked
    drills = catalogue(ROOT)
    assert marked <= collected(*(test for one in drills.values() for test in one.tests))


@pytest.mark.parametrize("folder", FOLDERS)
def test_its_stage_leaves_out_the_marked_ones_and_nothing_else(folder):
    stages = tomllib.loads((ROOT / "tox.toml").read_text())["env"].values()
    commands = [
        words
        for stage in stages
        for words in stage["commands"]
        if isinstance(words, list) and folder in words
    ]
    assert commands == [["pytest", "-m", "not drill", folder]]


def test_no_test_elsewhere_is_marked():
    marked = [path for path in (ROOT / "tests").glob("**/*.py") if "mark.drill" in path.read_text()]
    assert marked
    assert {path.parent.relative_to(ROOT).as_posix() for path in marked} <= set(FOLDERS)

"""A drill runs, tells how it goes, keeps its result as a page, and clears up when it is interrupted."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swath_developer.drills import Outcome, Result, catalogue, find, last_result, write_page
from swath_developer.drills._progress import Progress
from swath_developer.errors import BadInputError

CATALOGUE = """
[quick]
shows = "Two tests pass."
tests = ["tests/test_quick.py"]

[broken]
shows = "A test fails."
tests = ["tests/test_broken.py"]

[absent]
shows = "A test cannot run."
tests = ["tests/test_quick.py::test_one", "tests/test_absent.py"]

[slow]
shows = "A test takes long."
tests = ["tests/test_slow.py"]
"""

SLOW = """
import pathlib, time, pytest

@pytest.fixture
def thing():
    made = pathlib.Path("made")
    made.touch()
    yield
    time.sleep(0.5)
    made.unlink()

def test_slow(thing):
    time.sleep(600)
"""


@pytest.fixture
def clone(tmp_path: Path, repository_of_files, monkeypatch) -> Path:
    """Make a checkout with drills of its own."""
    folder = repository_of_files(
        tmp_path / "clone",
        {
            "copier.yml": "",
            "ci/templates/one/template.yml": "",
            "tests/drills.toml": CATALOGUE,
            "tests/test_quick.py": "def test_one(): pass\ndef test_another(): pass\n",
            "tests/test_broken.py": "def test_wrong(): assert 1 == 2, 'a mistake'\ndef test_right(): pass\n",
            "tests/test_absent.py": "import pytest\ndef test_a(): pytest.skip('no such server')\n",
            "tests/test_slow.py": SLOW,
            ".gitignore": "__pycache__\n.pytest_cache\nmade\n",
        },
    )
    monkeypatch.setenv("SWATH_CHECKOUT", str(folder))
    monkeypatch.setenv("SWATH_HOME", str(tmp_path / "home"))
    return folder


COMMAND = [sys.executable, "-c", "from swath_cli import main; main()", "drill"]


def drill(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *words], capture_output=True, text=True, check=False)


def test_a_drill_that_passes_tells_each_test_and_writes_its_page(clone):
    done = drill("quick")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 tests" in done.stdout
    assert "1/2 passed one" in done.stdout
    assert "2/2 passed another" in done.stdout
    page = (clone / "docs/reference/drills/quick.md").read_text()
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=clone, capture_output=True, text=True, check=True)
    assert f"| commit | {head.stdout[:12]} |" in page
    assert "| result | passed: 2 tests |" in page
    assert "`tests/test_quick.py::test_another` | passed |" in page
    assert str(clone) not in page
    assert os.uname().nodename not in page
    told = last_result(clone, "quick")
    assert told is not None
    assert told.passed
    assert [one.test for one in told.outcomes] == [
        "tests/test_quick.py::test_one",
        "tests/test_quick.py::test_another",
    ]


def test_a_result_of_files_that_are_not_committed_says_so(clone):
    (clone / "tests/test_quick.py").write_text("def test_one(): pass\n")
    assert drill("quick").returncode == 0
    told = last_result(clone, "quick")
    assert told is not None
    assert told.commit.endswith(", with changes that were not committed")


def test_a_drill_that_fails_shows_why_and_keeps_the_last_result(clone):
    done = drill("broken")
    assert done.returncode == 1
    assert "1/2 failed wrong" in done.stdout
    assert "a mistake" in done.stdout
    assert "1 passed, 1 failed, 0 skipped" in done.stdout
    assert not (clone / "docs").exists()


def test_a_test_that_is_skipped_is_none_that_has_passed(clone):
    done = drill("absent", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert [one["outcome"] for one in told["outcomes"]] == ["passed", "skipped"]
    assert (told["passed"], told["page"]) == (False, None)
    assert "no such server" in Path(told["log"]).read_text()
    assert "2/2 skipped a" in done.stderr


def test_a_drill_that_is_interrupted_removes_what_it_has_made(clone):
    running = subprocess.Popen([*COMMAND, "slow"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (clone / "made").exists():
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGTERM)
    told, errors = running.communicate(timeout=60)
    assert running.returncode == 130, errors
    assert "the tests remove what they have set up" in told
    assert not (clone / "made").exists()
    assert not (clone / "docs").exists()


def test_the_drills_are_listed_with_their_last_run(clone):
    drill("quick")
    listed = drill().stdout
    assert re.search(r"^quick: passed in \d+\.\d min on \d{4}-\d\d-\d\d, [0-9a-f]{12}", listed, re.MULTILINE)
    assert "broken: not run yet\n    A test fails." in listed
    told = {one["name"]: one for one in json.loads(drill("--json").stdout)}
    assert told["quick"]["last"]["passed"] is True
    assert told["slow"] == {
        "name": "slow",
        "shows": "A test takes long.",
        "tests": ["tests/test_slow.py"],
        "last": None,
    }


def test_a_drill_that_there_is_not_is_bad_input(clone):
    done = drill("quik")
    assert done.returncode == 2
    assert "no drill 'quik'. Did you mean 'quick'?" in done.stderr
    with pytest.raises(BadInputError, match="There are: quick, broken, absent, slow"):
        find(clone, "zzz")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[one]\nshows = 'It works.'\n", r"\[one\] needs `shows`"),
        ("one = 1\n", r"\[one\] needs `shows`"),
        ("[one]\nshows = 'x'\ntests = ['tests/none.py::test']\n", "names tests/none.py::test, which is not"),
        ("[one", "is no TOML"),
    ],
)
def test_a_catalogue_that_is_wrong_says_where(clone, text, told):
    (clone / "tests/drills.toml").write_text(text)
    with pytest.raises(BadInputError, match=told):
        catalogue(clone)


def test_a_page_tells_what_was_written(clone):
    result = Result(
        drill="quick",
        passed=True,
        outcomes=(Outcome("tests/test_quick.py::test_one[a | b]", "passed", 61.5),),
        seconds=90.0,
        date="2026-11-26",
        commit="0123456789ab",
        machine="2 processors",
    )
    write_page(clone, find(clone, "quick"), result)
    assert last_result(clone, "quick") == result
    assert last_result(clone, "broken") is None


class Terminal(io.StringIO):
    """What a person looks at."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()], ids=["lines", "bar"])
def test_the_time_that_is_left_is_told_by_the_last_run_where_there_is_one(stream):
    tests = [f"tests/test_it.py::test_it_{number}" for number in range(3)]
    with Progress(stream, known=dict.fromkeys(tests, 120.0)) as progress:
        progress.begin(tests)
        for test in tests:
            progress.test_begins(test)
            progress.test_ends(Outcome(test, "passed", 100.0))
    told = stream.getvalue()
    for line in (
        "3 tests; about 6 min left, by the last run",
        "it 0 100.0 s; about 4 min left",
        "it 2 100.0 s\n",
    ):
        assert line in told
    with Progress(other := io.StringIO(), known={tests[0]: 120.0}) as progress:
        progress.begin(tests)
    assert other.getvalue() == "3 tests\n"

"""The benchmark suite runs, its sides agree on every answer, and what must be far apart is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
RUN = REPOSITORY / "benchmarks" / "run.py"


@pytest.fixture(scope="module")
def small_run(tmp_path_factory):
    """Return the result of all cases on inputs that are small, without the peer, and the page it wrote."""
    folder = tmp_path_factory.mktemp("benchmarks")
    sizes = ["--size", "1098", "--safe-size", "366", "--groups", "3", "--repeat", "1", "--seconds", "0"]
    places = ["--work", folder / "work", "--json", folder / "figures.json", "--table", folder / "page.md"]
    done = subprocess.run(
        [sys.executable, RUN, "--without", "eopf", *sizes, *places],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads((folder / "figures.json").read_text()), (folder / "page.md").read_text(), folder


def test_every_side_of_every_case_is_measured(small_run):
    figures = small_run[0]["figures"]
    assert len(figures) == 14
    for name, sides in figures.items():
        assert "swath" in sides, name
        for side, found in sides.items():
            assert not found["failure"], f"{name}, {side}: {found['failure']}"
            assert found["seconds"][0] > 0 < found["peaks"][0], f"{name}, {side}"


def test_sides_answer_the_same(small_run):
    figures = small_run[0]["figures"]
    for name in ("open", "band", "mean", "index", "write", "small-write"):
        answers = [found["answer"] for found in figures[name].values() if found["answer"] is not None]
        assert len(answers) >= 3, name
        assert max(answers) == pytest.approx(min(answers), rel=1e-4), name


def test_the_import_costs_a_fraction_of_the_arrays_that_it_leaves_for_later(small_run):
    figures = small_run[0]["figures"]["import"]
    # 20 times apart where it was measured.
    assert figures["xarray + dask"]["cpu"][0] > 5 * figures["swath"]["cpu"][0]


def test_the_page_tells_every_case_and_no_place_of_this_machine(small_run):
    figures, page, folder = small_run
    assert "| masked mean over four bands | floor |" in page
    assert "| index by chunks, written | within 1.3 x of floor |" in page
    for told in (str(folder), str(Path.home()), __import__("platform").node()):
        assert told not in page
    assert figures["machine"]["numpy"] in page


def test_nothing_but_inputs_is_left(small_run):
    assert {path.name.split("-")[0] for path in (small_run[2] / "work").iterdir()} == {"tile", "safe"}


@pytest.mark.parametrize(("arguments", "told"), [(["--only", "flying"], "flying"), (["--help"], "--only")])
def test_it_tells_its_cases(arguments, told):
    done = subprocess.run([sys.executable, RUN, *arguments], capture_output=True, text=True, check=False)
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stderr

"""A scaffolded repository passes its own checks with no edit, whatever was answered."""

import itertools
import random
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest

ANSWERS: dict[str, list[Any]] = {
    "names": ["default", "short", "long"],
    "mission": ["sentinel-2", "other"],
    "starter": ["index", "contrast"],
    "licence": ["Apache-2.0", "MIT", "BSD-3-Clause", "Proprietary"],
    "docs": [True, False],
    "container": [True, False],
    "sonar": [True, False],
}
NAMES = {
    "default": {},
    "short": {"name": "NBR", "author": "ESA", "email": "a@b.eu"},
    "long": {
        "name": "Zustand der Wälder und Moore nach dem Sommer 2026",
        "package": "zustand_der_waelder_und_moore_nach_dem_sommer_2026",
        "author": "The forest and moor working group of the institute, dept. O'Hara-Ñandú",
        "email": "forest-and-moor.working-group+processors@mail.institute.example.org",
    },
}


def all_pairs(factors: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """Return few combinations in which every two values of two factors meet: greedily, best of some tries."""
    chance = random.Random(7)
    names = list(factors)
    open_pairs = {
        ((a, va), (b, vb))
        for a, b in itertools.combinations(names, 2)
        for va in factors[a]
        for vb in factors[b]
    }

    def pairs(row: dict[str, Any]) -> set[Any]:
        return {((a, row[a]), (b, row[b])) for a, b in itertools.combinations(names, 2)}

    rows: list[dict[str, Any]] = []
    while open_pairs:
        seed = chance.choice(sorted(open_pairs, key=str))
        tries = [{**{name: chance.choice(factors[name]) for name in names}, **dict(seed)} for _ in range(200)]
        best = max(tries, key=lambda row: len(pairs(row) & open_pairs))
        rows.append(best)
        open_pairs -= pairs(best)
    return rows


ROWS = all_pairs(ANSWERS)


def answers_of(row: dict[str, Any]) -> dict[str, Any]:
    extras = [name for name in ("docs", "container", "sonar") if row[name]]
    return {
        **NAMES[row["names"]],
        "extras": extras,
        **{name: row[name] for name in ("mission", "starter", "licence")},
    }


def test_the_table_has_every_pair_and_is_far_from_all_combinations():
    pairs = {((a, row[a]), (b, row[b])) for row in ROWS for a, b in itertools.combinations(ANSWERS, 2)}
    assert len(pairs) == sum(len(ANSWERS[a]) * len(ANSWERS[b]) for a, b in itertools.combinations(ANSWERS, 2))
    assert len(ROWS) <= 16


@pytest.mark.parametrize("row", ROWS, ids=lambda row: "-".join(str(value) for value in row.values()))
def test_passes_its_own_checks(row, make, environment, tmp_path):
    repository = make(tmp_path / "new", answers_of(row))
    commands = [
        ["tools/install"],
        ["pre-commit", "run", "--all-files"],
        ["mypy"],
        ["pytest", "-q", "-p", "no:cacheprovider", "--cov", "--cov-fail-under=90"],
        ["hatchling", "build", "--target", "wheel", "--directory", "dist"],
        ["towncrier", "build", "--draft", "--version", "0.2.0"],
    ]
    if row["docs"]:
        commands.append(
            ["sphinx-build", "--fail-on-warning", "--keep-going", "-q", "-b", "html", "docs", "site"]
        )
    for command in commands:
        done = subprocess.run(
            command, cwd=repository, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    assert not subprocess.run(
        ["git", "status", "--porcelain"], cwd=repository, capture_output=True, text=True, check=True
    ).stdout


@pytest.mark.parametrize("extras", [["docs"], []], ids=["docs", "no docs"])
def test_tox_runs_the_same_checks(extras, make, environment, tmp_path):
    repository = make(tmp_path / "new", {"extras": extras})
    done = subprocess.run(
        ["tox", "run", "--quiet"],
        cwd=repository,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    states = list(dict.fromkeys(re.findall(r"(\w+): OK", done.stdout)))
    assert states == ["lint", "test", *extras]


def test_locks_are_hashed_parts_of_this_workspaces_own():
    root = Path(__file__).parents[2]

    def pins(path: Path) -> dict[str, set[str]]:
        blocks = re.split(r"\n(?=\S)", path.read_text().strip())
        return {block.partition(" \\")[0]: set(re.findall(r"sha256:\w+", block)) for block in blocks}

    ours = pins(root / "requirements" / "workspace.txt")
    project = root / "templates" / "processor" / "project"
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (project / name).read_text()
        assert "://" not in text
        for pin, hashes in pins(project / name).items():
            assert hashes, pin
            version = pin.partition(" ;")[0]
            near = [ours[key] for key in ours if key.partition(" ;")[0] == version]
            assert near, f"{pin} is not in requirements/workspace.txt; run templates/processor/compile"
            assert hashes <= set().union(*near), pin


def test_locks_have_all_that_the_core_and_the_checks_ask_for():
    root = Path(__file__).parents[2]
    project = root / "templates" / "processor" / "project"
    locked = set(re.findall(r"^([\w.-]+)==", (project / "requirements-dev.lock").read_text(), re.MULTILINE))
    core = tomllib.loads((root / "processors" / "core" / "pyproject.toml").read_text())["project"]
    cli = tomllib.loads((root / "platform" / "cli" / "pyproject.toml").read_text())["project"]
    tools = [
        line for line in (root / "templates/processor/tools.in").read_text().splitlines() if line[0] != "#"
    ]
    extras = core["optional-dependencies"]
    asked = [*core["dependencies"], *cli["dependencies"], *extras["raster"], *extras["stac"], *tools]
    names = {re.match(r"[\w.-]+", requirement)[0] for requirement in asked}
    assert names - {"swath", "swath-cli"} <= locked, "run templates/processor/compile"
    assert not {"swath", "swath-cli"} & locked

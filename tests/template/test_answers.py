"""Questions: few, with defaults, and answers that are checked."""

import keyword
import tomllib
from pathlib import Path

import pytest
import yaml
from swath_developer.errors import BadInputError

ROOT = Path(__file__).parents[2]
PROJECT = ROOT / "templates" / "processor" / "project"


def questions() -> dict:
    return {
        name: entry
        for name, entry in yaml.safe_load((ROOT / "copier.yml").read_text()).items()
        if name[0] != "_"
    }


def test_asks_little():
    asked = [name for name, entry in questions().items() if entry.get("when", True) is not False]
    assert asked == ["kind", "name", "package", "author", "email", "mission", "starter", "licence", "extras"]


def test_every_question_has_a_default():
    assert all("default" in entry for entry in questions().values())


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("name", "x"),
        ("name", '"; import os #'),
        ("name", "-v"),
        ("name", "two\nlines"),
        ("package", "Snow"),
        ("package", "snow-cover"),
        ("package", "2snow"),
        ("package", "snow__cover"),
        ("package", "numpy"),
        ("package", "swath"),
        ("package", "lambda"),
        ("author", "<b>"),
        ("email", "nobody"),
        ("email", "a@b@c.org"),
        ("mission", "sentinel-9"),
        ("licence", "GPL"),
        ("extras", ["kitchen"]),
    ],
)
def test_refuses_an_answer_that_would_not_work(question, answer, make, tmp_path):
    with pytest.raises(BadInputError):
        make(tmp_path / "new", {question: answer})
    assert not list(tmp_path.iterdir())


def test_knows_all_words_of_the_language():
    refused = questions()["package"]["validator"]
    assert all(f"'{word}'" in refused for word in keyword.kwlist if len(word) > 2 and word.islower())


def test_derives_the_package_from_the_name(make, tmp_path):
    made = make(tmp_path / "new", {"name": "Snow-cover  2"})
    assert (made / "src" / "snow_cover_2" / "steps.py").is_file()
    assert tomllib.loads((made / "pyproject.toml").read_text())["project"]["name"] == "snow-cover-2"


def test_versions_are_those_of_this_checkout():
    told = questions()
    assert told["components_version"]["default"] == (ROOT / "ci" / "VERSION").read_text().strip()
    for member in ("processors/core", "platform/cli"):
        project = tomllib.loads((ROOT / member / "pyproject.toml").read_text())["project"]
        assert told["swath_version"]["default"] == project["version"]


def test_no_rendered_file_has_a_trace_of_the_template(make, tmp_path):
    made = make(tmp_path / "new")
    for path in made.rglob("*"):
        if path.is_file() and ".git/" not in str(path) and path.suffix != ".lock":
            text = path.read_text()
            assert "{%" not in text, path
            assert "{{" not in text, path
    assert not [path for path in made.rglob("*") if path.suffix == ".jinja" or "{" in path.name]


def test_the_image_is_made_for_any_builder_and_runs_without_root(make, tmp_path):
    lines = (make(tmp_path / "new") / "Dockerfile").read_text().splitlines()
    assert lines[2] == "ARG BASE=debian:bookworm-slim"
    assert "USER 1000" in lines
    assert any("--require-hashes" in line for line in lines)
    assert not any("--mount" in line or "<<" in line for line in lines)


def test_the_pipeline_is_about_twenty_lines(make, tmp_path):
    lines = (make(tmp_path / "new") / ".gitlab-ci.yml").read_text().splitlines()
    assert len([line for line in lines if line.strip()]) <= 22


def test_nothing_but_the_named_place_is_asked_for_swaths_packages():
    for path in (PROJECT / "tools" / "install", PROJECT / "{% if container %}Dockerfile{% endif %}.jinja"):
        text = path.read_text()
        assert "--no-index --find-links" in text
        assert "--extra-index-url" not in text

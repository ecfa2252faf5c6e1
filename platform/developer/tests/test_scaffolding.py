"""Repositories from templates: whole, recorded, on their branches; or nothing at all."""

import subprocess
from pathlib import Path

import pytest
import yaml
from copier.errors import CopierAnswersInterrupt
from swath_developer.errors import BadInputError, DeveloperError
from swath_developer.scaffolding import kinds, scaffold


def git(folder: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_makes_a_repository_on_develop_with_one_commit_that_main_has_too(template, tmp_path):
    made = scaffold(tmp_path / "new", answers={"name": "Snow"}, template=str(template))
    assert (made.path / "README.md").read_text() == "# Snow, newer\n"
    assert git(made.path, "branch", "--show-current") == "develop"
    assert git(made.path, "rev-parse", "main") == git(made.path, "rev-parse", "develop")
    assert git(made.path, "status", "--porcelain") == ""


@pytest.mark.parametrize(
    ("folder", "name"), [("snow-cover", "Snow cover"), ("NDVI_10m", "NDVI 10m"), ("4711", "My processor")]
)
def test_is_called_after_its_folder_unless_told_otherwise(template, tmp_path, folder, name):
    assert scaffold(tmp_path / folder, template=str(template)).answers["name"] == name


def test_records_where_the_template_is_and_its_version(template, tmp_path):
    made = scaffold(tmp_path / "new", template=str(template))
    recorded = yaml.safe_load((made.path / ".copier-answers.yml").read_text())
    assert recorded["_src_path"] == str(template)
    assert recorded["_commit"] == made.version == "0.2.0"
    assert recorded["name"] == "New"


def test_takes_the_version_that_is_asked_for(template, tmp_path):
    made = scaffold(tmp_path / "new", template=str(template), ref="0.1.0")
    assert (made.version, (made.path / "README.md").read_text()) == ("0.1.0", "# New\n")


def test_makes_a_relative_source_absolute(template, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert scaffold(Path("new"), template="template").template == str(template)


def test_takes_an_empty_folder(template, tmp_path):
    (tmp_path / "new").mkdir()
    assert (scaffold(tmp_path / "new", template=str(template)).path / "README.md").is_file()


def test_refuses_a_folder_with_something_in_it_and_leaves_it_alone(template, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "mine").touch()
    with pytest.raises(BadInputError, match="not an empty folder"):
        scaffold(tmp_path / "new", template=str(template))
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"name": "bad"}, "not that one"),
        ({"nam": "Snow"}, "Did you mean 'name'"),
        ({"colour": "x"}, "Questions: author"),
    ],
)
def test_refuses_answers_that_do_not_fit_and_leaves_nothing(answers, told, template, tmp_path):
    with pytest.raises(BadInputError, match=told):
        scaffold(tmp_path / "deep" / "er" / "new", answers=answers, template=str(template))
    assert [path.name for path in tmp_path.iterdir()] == ["template"]


@pytest.mark.parametrize(("source", "ref"), [("nowhere", None), ("template", "9.9.9")])
def test_a_template_that_cannot_be_had_leaves_nothing(source, ref, template, tmp_path):
    with pytest.raises(DeveloperError):
        scaffold(tmp_path / "new", template=str(tmp_path / source), ref=ref)
    assert [path.name for path in tmp_path.iterdir()] == ["template"]


def test_a_place_that_cannot_be_written_to_is_bad_input(template):
    with pytest.raises(BadInputError, match="/proc/new cannot be made"):
        scaffold(Path("/proc/new"), template=str(template))


def test_ctrl_c_at_a_question_is_an_interruption_and_leaves_nothing(template, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise CopierAnswersInterrupt(None, None, None)

    monkeypatch.setattr("swath_developer.scaffolding.run_copy", interrupted)
    with pytest.raises(KeyboardInterrupt):
        scaffold(tmp_path / "new", template=str(template), interactive=True)
    assert [path.name for path in tmp_path.iterdir()] == ["template"]


def test_an_unknown_kind_is_told_with_those_there_are(tmp_path):
    with pytest.raises(BadInputError, match="There is: processor"):
        scaffold(tmp_path / "new", kind="procesor")


def test_the_answers_name_the_author_where_git_knows_none(template, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    made = scaffold(tmp_path / "new", answers={"author": "ESA", "email": "a@b.eu"}, template=str(template))
    assert git(made.path, "log", "-1", "--format=%ae") in {
        "a@b.eu",
        git(made.path, "config", "--default", "a@b.eu", "user.email"),
    }


def test_lists_the_kinds_of_this_checkout():
    assert list(kinds()) == ["processor"]


def test_a_template_that_is_no_folder_is_told_by_its_name(tmp_path):
    file = tmp_path / "template.txt"
    file.write_text("no template")
    with pytest.raises(BadInputError, match=r"template\.txt cannot be used"):
        scaffold(tmp_path / "new", template=str(file))

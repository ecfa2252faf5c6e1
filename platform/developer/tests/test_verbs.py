"""The verbs on the command line: exit statuses and what they print."""

import subprocess
import sys

import pytest
from click.testing import CliRunner
from swath_developer.verbs import ci, new


def test_new_says_what_comes_next(template, tmp_path):
    done = CliRunner().invoke(
        new, [str(tmp_path / "snow"), "--defaults", "-a", "name=Snow", "--template", str(template)]
    )
    assert done.exit_code == 0, done.output
    assert "Snow" in done.output
    assert "swath ci" in done.output


def test_what_comes_next_can_be_typed(template, tmp_path, monkeypatch):
    monkeypatch.setenv("SWATH_CALLED_AS", "./swath")
    where = tmp_path / "the snow"
    done = CliRunner().invoke(new, [str(where), "--defaults", "--template", str(template)])
    assert f"  ./swath ci '{where}'  " in done.output
    assert f"  cd '{where}'  " in done.output


def test_new_lists_its_kinds():
    done = CliRunner().invoke(new, ["--list"])
    assert done.output.startswith("processor ")


def test_new_wants_a_destination_and_well_formed_answers(tmp_path):
    assert CliRunner().invoke(new, []).exit_code == 2
    assert CliRunner().invoke(new, [str(tmp_path / "snow"), "-a", "name"]).exit_code == 2
    assert not list(tmp_path.iterdir())


def test_a_taken_destination_is_bad_input_on_the_command_line(tmp_path):
    (tmp_path / "mine").touch()
    done = subprocess.run(
        [sys.executable, "-c", "from swath_cli import main; main()", "new", str(tmp_path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert "not an empty folder" in done.stderr
    assert "Traceback" not in done.stderr


def test_ci_outside_of_a_repository_is_bad_input(tmp_path):
    done = CliRunner().invoke(ci, [str(tmp_path)])
    assert done.exception is not None
    assert getattr(done.exception, "exit_status", None) == 2


def test_the_verbs_import_nothing_heavy():
    program = "import sys, swath_developer.verbs; print([n for n in ('copier', 'rich') if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("verb", "example"), [(new, "swath new --list   "), (ci, "swath ci --json > report.json")]
)
def test_help_shows_examples_line_by_line(verb, example):
    shown = CliRunner().invoke(verb, ["--help"]).output
    assert any(line.strip().startswith(example) for line in shown.splitlines())
    assert "\\b" not in shown

"""The verbs over an installation as a whole: mistakes are told before anything heavy is imported."""

import json
import subprocess
import sys

import pytest

TOLD = """
import sys
from swath_cli import main
try:
    main(sys.argv[1:])
except SystemExit as left:
    heavy = {"kubernetes", "keycloak", "cryptography"} & set(sys.modules)
    print(left.code, sorted(heavy))
"""


@pytest.mark.parametrize("verb", ["plan", "apply", "status", "down", "up"])
def test_a_mistake_in_the_file_is_told_without_importing_what_works_with_a_cluster(tmp_path, verb):
    (tmp_path / "swath.yaml").write_text("domian: example.org")
    done = subprocess.run(
        [sys.executable, "-c", TOLD, verb], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert "did you mean 'domain'?" in done.stderr
    assert done.stdout.split() == ["2", "[]"]


def test_a_misspelt_part_is_guessed(tmp_path):
    from click.testing import CliRunner
    from swath_sde.errors import ConfigurationError
    from swath_sde.verbs import plan

    (tmp_path / "swath.yaml").write_text("version: 1")
    with pytest.raises(ConfigurationError, match=r"no part 'keyclok'; did you mean 'keycloak'\?"):
        CliRunner().invoke(
            plan, ["-f", str(tmp_path / "swath.yaml"), "--only", "keyclok"], catch_exceptions=False
        )


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a verb where nothing was ever installed; return its exit status and what it printed."""
    from click.testing import CliRunner

    monkeypatch.setenv("SWATH_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def invoke(verb, *words):
        done = CliRunner().invoke(verb, words, catch_exceptions=False, standalone_mode=False)
        return done.return_value, done.stdout

    return invoke


def test_the_status_of_nothing_is_told_and_what_brings_it_up(run):
    from swath_sde.verbs import status

    told = run(status)
    assert told[0] == 1
    assert "keycloak    absent" in told[1]
    assert "note: nothing is installed: `swath up` brings it up" in told[1]


def test_programs_are_told_of_the_status_of_nothing_too(run):
    from swath_sde.verbs import status

    returned, printed = run(status, "--json")
    told = json.loads(printed)
    assert returned == 1
    assert told["ready"] is False
    assert {one["status"] for one in told["components"]} == {"absent"}
    assert told["remarks"] == ["nothing is installed: `swath up` brings it up"]


@pytest.mark.parametrize("words", [[], ["--data", "--yes"]])
def test_taking_down_what_is_not_there_changes_nothing_and_says_so(run, words):
    from swath_sde.verbs import down

    assert run(down, *words) == (None, "Nothing was changed.\n")

"""The verbs over an installation as a whole: mistakes are told before anything heavy is imported."""

import json
import subprocess
import sys

import pytest


@pytest.fixture(autouse=True)
def _called_by_its_name(monkeypatch):
    """Have commands told as somebody types them who has `swath` on the path."""
    monkeypatch.delenv("SWATH_CALLED_AS", raising=False)


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


@pytest.fixture
def stopped(run):
    """Leave what a cluster that was started once, and does not run, has in its state folder."""
    from swath_sde.cluster._settings import Settings
    from swath_sde.places import state_folder

    state = state_folder("swath")
    settings = Settings.of({"name": "swath", "state": str(state), "api_port": 1})
    (state / "cluster.json").write_text(settings.text())
    (state / "kubeconfig").write_text("apiVersion: v1")


@pytest.mark.usefixtures("stopped")
def test_the_status_of_a_stopped_installation_says_what_starts_it(run):
    from swath_sde.verbs import status

    returned, printed = run(status)
    assert returned == 1
    assert "keycloak    stopped" in printed
    assert "note: the cluster is stopped, its data kept: `swath up` starts it again" in printed


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("verb", ["plan", "apply"])
def test_a_part_in_a_stopped_cluster_is_refused_with_what_to_do(run, verb):
    from swath_sde import verbs
    from swath_sde.errors import ClusterError

    with pytest.raises(ClusterError, match="swath is stopped: start it with `swath up`, or leave --only"):
        run(getattr(verbs, verb), "--only", "hub")

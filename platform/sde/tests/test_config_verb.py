"""``swath config``."""

import json

import pytest
from click.testing import CliRunner
from swath_sde.errors import ConfigurationError
from swath_sde.verbs import config


def test_init_writes_a_file_that_validate_accepts(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    assert runner.invoke(config, ["init"]).exit_code == 0
    told = runner.invoke(config, ["validate"])
    assert told.exit_code == 0
    assert "swath on swath.localhost (embedded): ingress, registry" in told.output


@pytest.mark.parametrize("words", [["site.yaml"], ["-f", "site.yaml"], ["--file", "site.yaml"]])
def test_validate_takes_its_file_as_all_verbs_do(tmp_path, monkeypatch, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "site.yaml").write_text("name: site")
    told = CliRunner().invoke(config, ["validate", *words])
    assert told.exit_code == 0
    assert told.output.startswith("site.yaml: site on")


def test_validate_takes_one_file_at_a_time():
    told = CliRunner().invoke(config, ["validate", "a.yaml", "-f", "b.yaml"])
    assert told.exit_code == 2
    assert "one file at a time: a.yaml, or --file b.yaml" in told.output


def test_init_overwrites_nothing(tmp_path):
    file = tmp_path / "swath.yaml"
    file.write_text("mine")
    with pytest.raises(ConfigurationError, match="exists already"):
        CliRunner().invoke(config, ["init", str(file)], catch_exceptions=False)
    assert file.read_text() == "mine"


def test_init_says_what_is_wrong_with_the_place(tmp_path):
    with pytest.raises(ConfigurationError, match="no folder"):
        CliRunner().invoke(config, ["init", str(tmp_path / "a" / "swath.yaml")], catch_exceptions=False)


def test_schema_is_json():
    told = CliRunner().invoke(config, ["schema"])
    assert json.loads(told.output)["title"] == "swath.yaml: an installation of Swath"

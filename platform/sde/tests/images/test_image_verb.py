"""``swath image`` as it is typed."""

import json
from pathlib import Path

from click.testing import CliRunner
from swath_sde.errors import ConfigurationError
from swath_sde.images import Built, Records, catalogue
from swath_sde.verbs import image


def test_lists_what_is_built_and_what_was_built_from_older_files(small: Path) -> None:
    tag = catalogue()["base"].tag
    Records("swath").add(
        Built(name="base", tag=tag, reference="r/base", digest="sha256:00", size=83),
        Built(name="tool", tag="older", reference="r/tool"),
    )
    told = CliRunner().invoke(image, ["list", "--json"])
    rows = {row["name"]: row for row in json.loads(told.output)}
    assert rows["base"]["built"]
    assert rows["base"]["digest"] == "sha256:00"
    assert not rows["tool"]["built"]
    plain = CliRunner().invoke(image, ["list"]).output.splitlines()
    assert plain[0].split()[:3] == ["base", tag, "pushed"]


def test_sbom_of_an_image_that_was_not_built_says_how_to_build_it(small: Path) -> None:
    told = CliRunner().invoke(image, ["sbom", "tool"])
    assert isinstance(told.exception, ConfigurationError)
    assert "image build tool" in str(told.exception)


def test_sbom_is_printed(small: Path) -> None:
    Records("swath").sbom(catalogue()["tool"]).write_text('{"bomFormat": "CycloneDX"}')
    assert json.loads(CliRunner().invoke(image, ["sbom", "tool"]).output) == {"bomFormat": "CycloneDX"}


def test_help_has_examples() -> None:
    for verb in ("build", "list", "prune", "sbom"):
        assert f"swath image {verb}" in CliRunner().invoke(image, [verb, "--help"]).output

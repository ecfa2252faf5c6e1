"""Component includes become local ones."""

import pytest
import yaml
from swath_developer.errors import BadInputError
from swath_developer.pipeline._components import FOLDER, replace_components

PIPELINE = """\
include:
  - local: other.yml
  - component: $CI_SERVER_FQDN/swath/ci/{name}@{version}  # pinned
    inputs: {{coverage: 80}}
job:
  script: !reference [other, script]
"""


def write(tmp_path, name="test", version="0.1.0"):
    (tmp_path / ".gitlab-ci.yml").write_text(PIPELINE.format(name=name, version=version))
    return tmp_path


@pytest.mark.parametrize("version", ["0.1.0", "0.1", "0", "~latest", "$CI_COMMIT_SHA"])
def test_a_component_of_this_version_is_replaced_by_the_copy(version, tmp_path):
    (replaced,) = replace_components(write(tmp_path, version=version))
    assert replaced.address.endswith(f"/test@{version}")
    text = (tmp_path / ".gitlab-ci.yml").read_text()
    assert f"  - local: /{FOLDER}/test.yml\n    inputs: {{coverage: 80}}\n" in text
    assert "!reference [other, script]" in text
    assert (tmp_path / FOLDER / "test.yml").read_text() == replaced.source.read_text()


@pytest.mark.parametrize("version", ["0.2.0", "9", "0.1.00", "main"])
def test_another_version_is_refused(version, tmp_path):
    with pytest.raises(BadInputError, match="check out the release"):
        replace_components(write(tmp_path, version=version))


def test_a_component_of_somebody_else_is_refused(tmp_path):
    with pytest.raises(BadInputError, match="build, docs, lint, test"):
        replace_components(write(tmp_path, name="deploy"))


def test_all_that_is_not_a_component_stays(tmp_path):
    (tmp_path / ".gitlab-ci.yml").write_text(
        "include: [{local: a.yml}]\njob: {script: 'echo component: x'}\n"
    )
    assert replace_components(tmp_path) == []
    assert yaml.safe_load((tmp_path / ".gitlab-ci.yml").read_text())["job"] == {"script": "echo component: x"}

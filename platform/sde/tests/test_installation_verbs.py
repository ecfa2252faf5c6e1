"""The verbs over an installation as a whole: mistakes are told before anything heavy is imported."""

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

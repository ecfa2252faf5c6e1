"""A scanner, checkov, finds nothing in the charts that is not explained in scanner/accepted.yaml."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .conftest import NAMES, USED, python_of

if TYPE_CHECKING:
    from .conftest import Helm

SCANNER = Path(__file__).parent / "scanner"


@pytest.fixture(scope="module")
def findings(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> set[tuple[str, str]]:
    """Return what the scanner finds in all charts, as (check, kind and name of the object)."""
    folder = tmp_path_factory.mktemp("rendered")
    for name in NAMES:
        (folder / f"{name}.yaml").write_text(helm.render(name, USED[name]), "utf-8")
    command = [python_of(SCANNER / "requirements.txt"), "-m", "checkov.main", "--directory", folder]
    done = subprocess.run(
        [*command, "--framework", "kubernetes", "--output", "json", "--quiet", "--skip-download"],
        env={**os.environ, "LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        check=False,
    )
    told: Any = json.loads(done.stdout)
    assert told["summary"]["passed"] > 300, "the scanner has scanned next to nothing"
    assert told["summary"]["parsing_errors"] == 0
    return {
        (check["check_id"], ".".join(check["resource"].split(".")[::2]))
        for check in told["results"]["failed_checks"]
    }


@pytest.fixture(scope="module")
def accepted() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((SCANNER / "accepted.yaml").read_text("utf-8"))
    return loaded


def test_every_finding_is_explained(findings: set[tuple[str, str]], accepted: dict[str, Any]) -> None:
    unexplained = set()
    for check, thing in findings:
        objects = accepted.get(check, {"objects": []})["objects"]
        if objects != "all" and thing not in objects:
            unexplained.add((check, thing))
    assert not unexplained


def test_every_explanation_is_needed_and_says_why(
    findings: set[tuple[str, str]], accepted: dict[str, Any]
) -> None:
    for check, entry in accepted.items():
        found = {thing for known, thing in findings if known == check}
        assert found, f"{check} is found no longer"
        assert entry["objects"] == "all" or set(entry["objects"]) == found
        assert len(entry["reason"]) > 40

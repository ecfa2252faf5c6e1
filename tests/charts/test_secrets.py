"""A scanner finds no secret in any file of the repository; what only looks like one is told here."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from .conftest import python_of

ROOT = Path(__file__).resolve().parents[2]
SCANNER = Path(__file__).parent / "scanner"

NAMES = "names of Secrets or of keys in them: the words before them make the scanner take them for values"
MADE_UP = "made up, to be refused by what is tested"

NO_SECRETS = {
    "charts/ingress/values.yaml": NAMES,
    "charts/postgresql/values.yaml": NAMES,
    "docs/decisions/0044-builds-in-the-cluster-are-a-place.md": NAMES,
    "docs/how-to/install-the-platform.md": NAMES,
    "platform/sde/src/swath_sde/identity/secrets.py": NAMES,
    "processors/core/tests/io/remote/test_faults.py": MADE_UP,
    "tests/charts/golden/hub.yaml": NAMES,
    "tests/cluster/test_access.py": MADE_UP,
    "tests/identity/test_errors.py": MADE_UP,
    "tests/identity/test_kubectl.py": MADE_UP,
    "tests/platform/test_workspaces.py": MADE_UP,
}
"""Files in which the scanner sees a secret, and why that is none. Each has to be found again."""


def scan(folder: Path) -> list[dict[str, Any]]:
    """Return what the scanner finds in a folder."""
    command = [python_of(SCANNER / "requirements.txt"), "-m", "checkov.main", "--directory", folder]
    done = subprocess.run(
        [
            *command,
            "--framework",
            "secrets",
            "--enable-secret-scan-all-files",
            "--output",
            "json",
            "--quiet",
            "--skip-download",
        ],
        env={**os.environ, "LOG_LEVEL": "CRITICAL"},
        capture_output=True,
        text=True,
        check=False,
    )
    told: Any = json.loads(done.stdout)
    return list(told.get("results", {}).get("failed_checks", []))


@pytest.fixture
def committed(tmp_path: Path) -> Path:
    """Give the files that are committed, without what a working folder has besides."""
    packed = subprocess.run(["git", "-C", ROOT, "archive", "HEAD"], check=True, capture_output=True).stdout
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path / "files", filter="data")
    return tmp_path / "files"


def test_no_file_of_the_repository_holds_a_secret(committed: Path) -> None:
    found = {finding["file_path"].lstrip("/") for finding in scan(committed)}
    assert found == set(NO_SECRETS)


def test_the_scanner_finds_a_secret(tmp_path: Path) -> None:
    key = "AKIA" + "QX4BRTYUPOLKJHGF"  # put together here, so that this file is none to find
    (tmp_path / "settings.py").write_text(f'aws_access_key_id = "{key}"\n')
    assert [finding["check_id"] for finding in scan(tmp_path)]

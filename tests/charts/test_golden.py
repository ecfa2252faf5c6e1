"""Renders as they were reviewed: a change shows as a diff of `golden/`.

After a change that is meant: ``SWATH_GOLDEN=update .venv/bin/pytest tests/charts/test_golden.py``, then read
the diff.
"""

from __future__ import annotations

import difflib
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .conftest import LEAST, NAMES, ROUTES

if TYPE_CHECKING:
    from .conftest import Helm

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", NAMES)
def test_renders_what_was_reviewed(helm: Helm, name: str) -> None:
    values = {**LEAST[name], "routes": ROUTES} if name == "ingress" else LEAST[name]
    # Blank lines of indented files have blanks; editors and hooks would take them away.
    text = "".join(f"{line.rstrip()}\n" for line in helm.render(name, values).splitlines())
    path = GOLDEN / f"{name}.yaml"
    if os.environ.get("SWATH_GOLDEN") == "update":
        path.write_text(text, "utf-8")
    reviewed = path.read_text("utf-8").splitlines() if path.exists() else []
    diff = list(difflib.unified_diff(reviewed, text.splitlines(), "reviewed", "rendered", lineterm=""))
    assert not diff, "\n".join([*diff, "", "If this is meant: SWATH_GOLDEN=update, and review the diff."])

"""Tests of the Python that the chart hub carries, run with the packages of the hub's image."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

HERE = Path(os.environ["SWATH_HUB_CONFIG"])
sys.path.insert(0, str(HERE))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "charts" / "hub" / "files" / "workspace"))


@pytest.fixture
def folder() -> Path:
    """Return what the hub's pod mounts as /etc/jupyterhub."""
    return HERE

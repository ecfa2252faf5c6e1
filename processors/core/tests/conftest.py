"""What the tests of the core share: a small product of plain files, and the plug-in that reads it."""

import sys
from pathlib import Path

import numpy as np
import pytest

PLUGIN = Path(__file__).parent / "plugin"
MADE = Path(__file__).parent / "made"
"""Modules that make what tests read."""
sys.path[:0] = [str(PLUGIN), str(MADE)]  # as if they were installed


@pytest.fixture(scope="session")
def plugin() -> Path:
    """Return the folder to put on the PYTHONPATH of subprocesses."""
    return PLUGIN


@pytest.fixture(scope="session")
def practice_product(tmp_path_factory) -> Path:
    """Return a product with grids of 172, 86 and 29 pixels, as the decimated sample has."""
    import swath_practice

    generator = np.random.default_rng(20171207)
    red, nir, haze = (generator.random((n, n), dtype=np.float32) + np.float32(0.1) for n in (172, 86, 29))
    red[50:61, 20:30] = np.nan
    groups = {
        "/measurements/r10m": (640.0, 48, {"red": red}),
        "/measurements/r20m": (1280.0, 30, {"nir": nir}),
        "/measurements/r60m": (3840.0, 10, {"haze": haze / 10}),
    }
    return swath_practice.write(tmp_path_factory.mktemp("practice") / "product", groups)

"""A whole tile, simulated once: 13 bands, 10980 x 10980 pixels at 10 m, codec tiles as real products have."""

import os

import pytest
from swath_sentinel2 import simulator


@pytest.fixture(scope="session")
def scene():
    return simulator.Scene(size=simulator.FULL_SIZE)


@pytest.fixture(scope="session")
def full_size(tmp_path_factory):
    """Return the path of the scene; takes one to three minutes."""
    folder = tmp_path_factory.mktemp("full-size")
    return simulator.simulate(folder, size=simulator.FULL_SIZE, workers=os.cpu_count())

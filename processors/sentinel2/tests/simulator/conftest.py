"""A small scene with several codec tiles at each resolution, some of them cut by the edge."""

import pytest
from swath_sentinel2.simulator import Scene, simulate

PARAMETERS = {"size": 390, "seed": 5, "codec_tiles": (128, 64, 64)}


@pytest.fixture(scope="session")
def scene():
    return Scene(**PARAMETERS)


@pytest.fixture(scope="session")
def product(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("scenes"), **PARAMETERS)

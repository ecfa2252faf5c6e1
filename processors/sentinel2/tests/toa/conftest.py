"""Products that the end-to-end tests run on: the real decimated scene, and a simulated one of many chunks."""

import pytest
import swath
from swath_sentinel2 import simulator

REAL = "s2/S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513.zip"
SIZE, CODEC_TILES = 540, (128, 64, 64)


@pytest.fixture(scope="session")
def real(samples):
    """Return the path of the real scene: 172, 86 and 29 pixels a side, one chunk each."""
    return samples / REAL


@pytest.fixture(scope="session")
def real_product(real):
    return swath.open_product(real)


@pytest.fixture(scope="session")
def scene():
    return simulator.Scene(size=SIZE, codec_tiles=CODEC_TILES, cloud_cover=0.2, empty_cover=0.1)


@pytest.fixture(scope="session")
def simulated(tmp_path_factory):
    """Return the path of a simulated scene of 540 x 540 pixels of 10 m in 5 x 5 chunks."""
    folder = tmp_path_factory.mktemp("simulated")
    return simulator.simulate(
        folder, size=SIZE, codec_tiles=CODEC_TILES, cloud_cover=0.2, empty_cover=0.1, workers=2
    )


@pytest.fixture(scope="session")
def simulated_product(simulated):
    return swath.open_product(simulated)

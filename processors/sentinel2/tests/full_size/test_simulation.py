"""The simulated tile itself: written in the memory of a small machine, and equal to its truth."""

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as RasterWindow
from swath_sentinel2.simulator import truth

pytestmark = pytest.mark.full_size


def test_a_whole_tile_is_written_within_two_gigabytes(simulated):
    assert simulated[1] < 2e9


@pytest.mark.parametrize(
    ("band", "side", "tile"), [("B02", 10980, 1024), ("B8A", 5490, 640), ("B09", 1830, 192)]
)
def test_a_band_has_the_codec_tiles_of_real_products_and_holds_its_truth(full_size, scene, band, side, tile):
    (found,) = full_size.glob(f"GRANULE/*/IMG_DATA/*_{band}.jp2")
    with rasterio.open(found) as image:
        assert image.shape == (side, side)
        assert image.block_shapes == [(tile, tile)]
        for row, column in ((0, 0), (side // 2, side - 700), (side - 300, side // 3)):
            window = (row, row + 300), (column, column + 700)
            read = image.read(1, window=RasterWindow(column, row, 700, 300))
            np.testing.assert_array_equal(read, truth(scene, band, window).digital_number)

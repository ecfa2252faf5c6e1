"""A whole tile, written and compared with its truth in a few windows, in the memory of a small machine."""

import json
import subprocess
import sys

import numpy as np
import pytest
import rasterio
from rasterio.windows import Window as RasterWindow
from swath_sentinel2.simulator import Scene, truth

pytestmark = pytest.mark.full_size

SCRIPT = """
import json, resource, sys
from swath_sentinel2.simulator import simulate
product = simulate(sys.argv[1], size=10980)
print(json.dumps([str(product), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024]))
"""


def test_a_whole_tile_is_written_within_two_gigabytes_and_holds_its_truth(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, check=True
    )
    product, peak = json.loads(done.stdout)
    assert peak < 2e9
    scene = Scene()
    for band, side, tile in (("B02", 10980, 1024), ("B8A", 5490, 640), ("B09", 1830, 192)):
        (found,) = (path for path in tmp_path.glob(f"*/GRANULE/*/IMG_DATA/*_{band}.jp2"))
        with rasterio.open(found) as image:
            assert image.shape == (side, side)
            assert image.block_shapes == [(tile, tile)]
            for row, column in ((0, 0), (side // 2, side - 700), (side - 300, side // 3)):
                window = (row, row + 300), (column, column + 700)
                read = image.read(1, window=RasterWindow(column, row, 700, 300))
                np.testing.assert_array_equal(read, truth(scene, band, window).digital_number)
    assert str(found).startswith(product)

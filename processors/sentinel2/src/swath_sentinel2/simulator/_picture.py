"""Images as lossless JPEG 2000, encoded by GDAL from pixels that are given strip by strip."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import rasterio
import rasterio.shutil
from numpy.typing import NDArray
from rasterio.crs import CRS
from rasterio.windows import Window as RasterWindow

from swath_sentinel2.simulator._georeference import Georeference

_DECOMPOSITIONS = 5


def write_picture(
    path: Path,
    *,
    side: int,
    tile: int,
    place: Georeference,
    strips: Iterable[NDArray[np.uint16] | NDArray[np.uint8]],
    bits: int,
    components: int = 1,
) -> None:
    """Write a square image.

    Parameters
    ----------
    path
        File to write.
    side
        Rows and columns.
    tile
        Rows and columns of a JPEG 2000 tile.
    place
        Where the image lies.
    strips
        Pixels ``(components, rows, columns)`` from top to bottom, all columns each.
    bits
        Bits of a sample: 15 (uint16) or 8 (uint8).
    components
        Number of components.
    """
    profile = {
        "driver": "GTiff",
        "width": side,
        "height": side,
        "count": components,
        "dtype": "uint16" if bits > 8 else "uint8",
        "crs": CRS.from_epsg(place.epsg),
        "transform": place.transform,
        "photometric": "RGB" if components == 3 else "MINISBLACK",
        "interleave": "band",
    }
    encoding = {
        "BLOCKXSIZE": tile,
        "BLOCKYSIZE": tile,
        "QUALITY": 100,
        "REVERSIBLE": "YES",
        "NBITS": bits,
        "RESOLUTIONS": 1 + min(_DECOMPOSITIONS, (tile & -tile).bit_length() - 1),
    }
    # One thread an image: several images are encoded at the same time.
    with rasterio.Env(GDAL_NUM_THREADS="1"):
        # The pixels wait on disk, not in memory: 361 MB for the true-colour image of a full scene.
        scratch = path.with_suffix(".tif")
        with rasterio.open(scratch, "w", **profile) as raw:
            row = 0
            for strip in strips:
                raw.write(strip, window=RasterWindow(0, row, side, strip.shape[1]))
                row += strip.shape[1]
        with rasterio.open(scratch) as raw:
            rasterio.shutil.copy(raw, path, driver="JP2OpenJPEG", **encoding)
        scratch.unlink()

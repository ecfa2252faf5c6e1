"""The simulator's one verb: write a scene as a product, completely or not at all."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from rasterio._err import CPLE_BaseError  # what rasterio.shutil.copy lets through; it has no public name
from rasterio.errors import RasterioError
from swath.errors import DestinationError, WriteError
from swath.io.commit import check_destination, new_product

from swath_sentinel2.simulator._names import product_name
from swath_sentinel2.simulator._scene import REAL_CODEC_TILES, SENSING, Scene
from swath_sentinel2.simulator._writer import Writer


def simulate(
    destination: Path | str,
    *,
    size: int = 1098,
    seed: int = 1,
    cloud_cover: float = 0.2,
    cirrus_cover: float = 0.05,
    empty_cover: float = 0.08,
    tile: str = "T32TQM",
    sensing: datetime = SENSING,
    codec_tiles: tuple[int, int, int] = REAL_CODEC_TILES,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Write a simulated Sentinel-2 level-1C product (top of the atmosphere).

    Parameters
    ----------
    destination
        Folder that the product's folder is written into; made if there is none.
    size, seed, cloud_cover, cirrus_cover, empty_cover, tile, sensing, codec_tiles
        The scene; see ``Scene``. The default size is a tenth of a tile's, 10980 is a whole tile.
    overwrite
        Replace a product of the same name, once the new one is complete.
    workers
        Threads; by default one a processor.
    progress
        Called now and then, from any thread, with the share that is done, 0 to 1.

    Returns
    -------
    Path
        The product's folder, which ends in ``.SAFE``.

    Raises
    ------
    InputError
        If a parameter is out of its range, or the destination exists or cannot be one.
    WriteError
        If the system refuses to write; nothing is left under the product's name.
    """
    scene = Scene(
        size=size,
        seed=seed,
        cloud_cover=cloud_cover,
        cirrus_cover=cirrus_cover,
        empty_cover=empty_cover,
        tile=tile,
        sensing=sensing,
        codec_tiles=codec_tiles,
    )
    return _write(scene, Path(destination), overwrite=overwrite, workers=workers, progress=progress)


def simulate_level2(
    destination: Path | str,
    *,
    size: int = 1098,
    seed: int = 1,
    cloud_cover: float = 0.2,
    cirrus_cover: float = 0.05,
    empty_cover: float = 0.08,
    tile: str = "T32TQM",
    sensing: datetime = SENSING,
    codec_tiles: tuple[int, int, int] = REAL_CODEC_TILES,
    overwrite: bool = False,
    workers: int | None = None,
    progress: Callable[[float], None] | None = None,
) -> Path:
    """Write a simulated Sentinel-2 level-2A product (what the ground reflects).

    Parameters, what is returned and what is raised are those of :func:`simulate`.
    """
    scene = Scene(
        level="L2A",
        size=size,
        seed=seed,
        cloud_cover=cloud_cover,
        cirrus_cover=cirrus_cover,
        empty_cover=empty_cover,
        tile=tile,
        sensing=sensing,
        codec_tiles=codec_tiles,
    )
    return _write(scene, Path(destination), overwrite=overwrite, workers=workers, progress=progress)


def _write(
    scene: Scene,
    folder: Path,
    *,
    overwrite: bool,
    workers: int | None,
    progress: Callable[[float], None] | None,
) -> Path:
    if folder.suffix == ".SAFE":
        message = f"{folder} names a product: give the folder that it shall be written into."
        raise DestinationError(message)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"Cannot make the folder {folder}: {error.strerror or error}. Choose another destination."
        raise DestinationError(message) from error
    final = check_destination(folder / product_name(scene), overwrite=overwrite)
    tell = progress or (lambda _: None)
    with new_product(final, overwrite) as partial:
        try:
            Writer(scene, partial, workers=workers or os.cpu_count() or 1, progress=tell).write()
        except (RasterioError, CPLE_BaseError) as error:
            message = f"Cannot write {final}: {error}. Nothing was left there; is there space for it?"
            raise WriteError(message) from error
    tell(1.0)
    return final

"""Cloud-optimised GeoTIFF: one variable a file, written block by block.

GDAL's COG driver copies from a data set that exists already, so the variable first goes, in blocks, into a
plain tiled TIFF beside the destination, which gets the overviews, too; the driver then compresses all of it
in the order of bytes that the format asks for. Memory is bounded by one block and GDAL's block cache, never
by the size of the image; the plain file costs disk space for as long as the copy takes.

The plain file is not compressed, and the driver is kept from making the overviews by itself, because it would
compress and decompress them on the way. Of one band of 10980 x 10980 pixels (float32), writing the plain file
takes 1.4 s of one CPU, its overviews 1 s, and the compression 5.2 s.

Source
------
OGC 21-026, *OGC Cloud Optimized GeoTIFF Standard*, version 1.0; GDAL's COG driver, version 3.1 or newer.
"""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import rasterio
import rasterio.shutil
from rasterio._err import CPLE_BaseError  # what rasterio.shutil.copy lets through; it has no public name
from rasterio.enums import Resampling
from rasterio.errors import RasterioError
from rasterio.transform import Affine
from rasterio.windows import Window

from swath.errors import WriteError
from swath.io.silence import silenced

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Mapping, Sequence

__all__ = ["BLOCK_SIZE", "PixelSource", "blocks", "bounded_cache", "write_cog"]

BLOCK_SIZE = 512
"""Side of the internal tiles, pixels. 512 is what GDAL, titiler and QGIS read best over HTTP."""

_CACHE_BYTES = 64 * 2**20
"""GDAL's block cache while a file is written, bytes (its default is 5 % of the machine's memory)."""

_LEVELS = {"DEFLATE": 3, "ZSTD": 3}
"""How hard is tried to compress. GDAL's own levels (6 and 9) take 2.5 and 4 times as long for 4 and 9 % less,
tried on reflectances and on indices."""

_STRIP_BYTES = 32 * 2**20
"""Upper bound of one block that is read from the source, bytes."""


class PixelSource(Protocol):
    """What can be written: a Zarr array, a NumPy array, or anything else with two dimensions that slices."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns, pixels."""

    @property
    def dtype(self) -> Any:
        """Type of the pixels, as NumPy has it."""

    def __getitem__(self, key: Any, /) -> Any:
        """Return the pixels of two slices (rows, columns)."""


def write_cog(
    source: PixelSource,
    destination: str | os.PathLike[str],
    *,
    transform: Sequence[float],
    crs: str,
    nodata: float | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
    overviews: Literal["average", "nearest"] = "average",
    description: str = "",
    units: str = "",
    tags: Mapping[str, str] | None = None,
    compression: Literal["DEFLATE", "ZSTD"] = "DEFLATE",
    threads: int = 1,
) -> Path:
    """Write one variable as a cloud-optimised GeoTIFF.

    Parameters
    ----------
    source
        Pixels, shape ``(rows, columns)``; integers up to 32 bits or floating point up to 64 bits. Read chunk
        by chunk where it has a ``chunks`` attribute, else in strips of at most 32 MiB.
    destination
        Path of the file to make; it must not exist, its folder must.
    transform
        Six coefficients ``a, b, c, d, e, f`` of ``x = a·column + b·row + c``, ``y = d·column + e·row + f``,
        in units of the CRS, for the upper left corner of a pixel.
    crs
        Coordinate reference system, such as ``"EPSG:32755"``.
    nodata
        The value that stands for no data (NaN for floating point); None where every value means something.
    scale, offset
        What the pixels mean is ``pixel * scale + offset``.
    overviews
        ``average`` for quantities (pixels without data are left out), ``nearest`` for flags and classes.
    description, units, tags
        Name and unit of the band, and metadata of the data set.
    compression
        DEFLATE is read by everything; ZSTD is smaller and faster, for readers that have it.
    threads
        How many threads compress.

    Returns
    -------
    Path
        The destination.

    Raises
    ------
    WriteError
        The destination exists already, or the file could not be written whole. Nothing is left then.

    Notes
    -----
    Tiles are 512 pixels square, overviews follow until the image fits one tile. Integers are compressed with
    predictor 2 (horizontal differences) and floating point with none: quantised values such as reflectances
    of 16-bit counts, and quotients of them, repeat whole, and any predictor would hide that (predictor 3
    makes files 1.3 to 1.9 times as large, predictor 2 up to 1.4 times).
    """
    target = Path(destination)
    if target.exists():
        raise WriteError(f"{target} exists already; remove it or choose another name.")
    if len(source.shape) != 2 or 0 in source.shape:
        raise WriteError(f"{target.name} cannot be made of shape {source.shape}; expected rows and columns.")
    plain = target.with_name(f".{target.name}.plain")
    settings = {"GDAL_PAM_ENABLED": "NO", "GDAL_TIFF_OVR_BLOCKSIZE": BLOCK_SIZE}
    with _leaving_nothing(plain, target), bounded_cache(), rasterio.Env(**settings):
        try:
            _write_plain(source, plain, transform=transform, crs=crs, nodata=nodata, coding=(scale, offset),
                         overviews=overviews, description=description, units=units,
                         tags=tags or {})  # fmt: skip
            rasterio.shutil.copy(
                plain, target, driver="COG", COMPRESS=compression, LEVEL=_LEVELS[compression],
                PREDICTOR="NO" if np.dtype(source.dtype).kind == "f" else "STANDARD", BLOCKSIZE=BLOCK_SIZE,
                OVERVIEWS="FORCE_USE_EXISTING", BIGTIFF="IF_SAFER", NUM_THREADS=threads,
            )  # fmt: skip
            _check_end(target)
        except (RasterioError, CPLE_BaseError, OSError) as error:
            reason = "Is the disk full or read-only?"
            raise WriteError(f"{target.name} could not be written: {error}. {reason}") from error
    return target


def bounded_cache() -> rasterio.Env:
    """Return a context in which GDAL's block cache, one for the whole process, has 64 MiB.

    Who calls :func:`write_cog` from several threads enters it around them: each call brings the bound along,
    but the first one that ends gives back the cache that it has found.
    """
    return rasterio.Env(GDAL_CACHEMAX=_CACHE_BYTES)


@contextlib.contextmanager
def _leaving_nothing(plain: Path, target: Path) -> Iterator[None]:
    """Remove the plain file always, and the target where the body failed."""
    try:
        yield
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    finally:
        plain.unlink(missing_ok=True)


def _write_plain(
    source: PixelSource,
    path: Path,
    *,
    transform: Sequence[float],
    crs: str,
    nodata: float | None,
    coding: tuple[float, float],
    overviews: str,
    description: str,
    units: str,
    tags: Mapping[str, str],
) -> None:
    rows, columns = source.shape
    factors = _overview_factors(rows, columns)
    with rasterio.open(
        path, "w", driver="GTiff", width=columns, height=rows, count=1, dtype=np.dtype(source.dtype).name,
        nodata=nodata, crs=crs, transform=Affine(*transform[:6]), tiled=True, blockxsize=BLOCK_SIZE,
        blockysize=BLOCK_SIZE, BIGTIFF="IF_SAFER",
    ) as dataset:  # fmt: skip
        for row, column in blocks(source):
            pixels = np.asarray(source[row, column])
            window = Window(column.start, row.start, column.stop - column.start, row.stop - row.start)
            dataset.write(pixels, 1, window=window)
        if description:
            dataset.set_band_description(1, description)
        if units:
            dataset.set_band_unit(1, units)
        if coding != (1.0, 0.0):
            dataset.scales, dataset.offsets = (coding[0],), (coding[1],)
        dataset.update_tags(**tags)
        if factors:
            dataset.build_overviews(factors, Resampling[overviews])
    tiles = sum(-(-rows // (BLOCK_SIZE * f)) * -(-columns // (BLOCK_SIZE * f)) for f in [1, *factors])
    if path.stat().st_size < tiles * BLOCK_SIZE**2 * np.dtype(source.dtype).itemsize:
        # GDAL only logs what goes wrong when it closes a file; the copy would take holes for no data.
        raise OSError("it ends before its last tile")


def _overview_factors(rows: int, columns: int) -> list[int]:
    """Halve the image until it fits one tile."""
    factors: list[int] = []
    while max(rows, columns) > BLOCK_SIZE * 2 ** len(factors):
        factors.append(2 ** (len(factors) + 1))
    return factors


def blocks(source: PixelSource) -> Iterator[tuple[slice, slice]]:
    """Cut an image into rows and columns: its own chunks, else strips of 32 MiB as wide as the image."""
    rows, columns = source.shape
    chunks = getattr(source, "chunks", None)
    if chunks is not None and all(isinstance(side, int) for side in chunks):
        high, wide = chunks[-2:]
    else:
        wide = columns
        high = max(1, _STRIP_BYTES // (columns * np.dtype(source.dtype).itemsize))
    for top in range(0, rows, high):
        for left in range(0, columns, wide):
            yield slice(top, min(top + high, rows)), slice(left, min(left + wide, columns))


def _check_end(path: Path) -> None:
    """Read the last tile: GDAL may only log that the disk was full when it closed the file."""
    with silenced(Warning), rasterio.open(path) as dataset:
        logging.getLogger(__name__).debug("%s: overviews %s", path.name, dataset.overviews(1))
        *_, (_, window) = dataset.block_windows(1)
        dataset.read(1, window=window)

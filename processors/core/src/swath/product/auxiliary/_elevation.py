"""Terrain: a mosaic of tiles of an elevation model, cut to a window of longitude and latitude.

Heights of Copernicus DEM tiles are above the geoid EGM2008; what is observed from orbit needs them above the
ellipsoid. Source: Copernicus DEM Product Handbook (GEO.2018-1988-2).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dask.array as da
import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.base import tokenize

from swath.errors import InputError, ProductError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read_elevation"]

_CHUNK = 1024
Bounds = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class _Tile:
    """What a file's header tells."""

    path: str
    bounds: Bounds
    """West, south, east and north, degrees, of the outer edges."""
    step: tuple[float, float]
    """Degrees of longitude and of latitude of a pixel, positive."""
    corner: tuple[float, float]


def read_elevation(
    tiles: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    bounds: Bounds,
    *,
    geoid: str | os.PathLike[str] | None = None,
) -> xr.DataArray:
    """Cut a window out of the tiles of an elevation model, lazily.

    Parameters
    ----------
    tiles
        GeoTIFF files in longitude and latitude (EPSG:4326), in any order. Only those that the window touches
        are read, and only when a chunk of it is computed. Where tiles overlap, the first one that has a
        height is taken.
    bounds
        West, south, east and north of the window, degrees; west is less than east. The window grows to whole
        pixels of the first tile that it touches. Tiles of other pixels (Copernicus DEM has longer ones from
        50 degrees of latitude on) are interpolated bilinearly.
    geoid
        GeoTIFF of the height of the geoid above the ellipsoid, which is interpolated bilinearly and added.

    Returns
    -------
    DataArray
        Heights (latitude, longitude), float32, metres, NaN where no tile has one: above the ellipsoid with
        ``geoid``, or else above whatever the tiles' heights are above. Coordinates are of the pixels'
        centres.

    Raises
    ------
    InputError
        The window is empty, or no tile touches it.
    ProductError
        A file cannot be read, or is not in longitude and latitude.
    """
    west, south, east, north = bounds
    if not (-180 <= west < east <= 360 and -90 <= south < north <= 90):
        raise InputError(f"window {bounds}: expected west < east and south < north, in degrees")
    paths = [tiles] if isinstance(tiles, str | os.PathLike) else list(tiles)
    touched = [tile for tile in map(_header, paths) if _touches(tile.bounds, bounds)]
    if not touched:
        raise InputError(
            f"none of {len(paths)} tiles touches the window {bounds}; give the tiles that it lies in"
        )
    first = touched[0]
    left, width = _whole(west, east, first.corner[0], first.step[0])
    top, height = _whole(-north, -south, -first.corner[1], first.step[1])
    place = _Place(left, -top, first.step)
    chunks = _lengths(height), _lengths(width)
    files = tuple(tile.path for tile in touched)
    data = da.map_blocks(  # type: ignore[no-untyped-call] # dask's
        _block,
        chunks=chunks,
        dtype=np.float32,
        meta=np.empty((0, 0), np.float32),
        files=files,
        geoid=None if geoid is None else _header(geoid).path,
        place=place,
        name="elevation-" + tokenize(files, None if geoid is None else os.fspath(geoid), place, chunks),
    )
    attributes = {
        "units": "m",
        "standard_name": "surface_altitude" if geoid is None else "height_above_reference_ellipsoid",
        "proj:epsg": 4326,
    }
    centres = {
        "latitude": (
            "latitude",
            -top - first.step[1] * (np.arange(height) + 0.5),
            {"units": "degrees_north"},
        ),
        "longitude": (
            "longitude",
            left + first.step[0] * (np.arange(width) + 0.5),
            {"units": "degrees_east"},
        ),
    }
    return xr.DataArray(data, centres, ("latitude", "longitude"), "elevation", attributes)


@dataclass(frozen=True, slots=True)
class _Place:
    """Upper left corner, degrees, and pixel of a mosaic."""

    west: float
    north: float
    step: tuple[float, float]


def _header(path: str | os.PathLike[str]) -> _Tile:
    import rasterio  # noqa: PLC0415 -- slow to import
    from rasterio.errors import RasterioError  # noqa: PLC0415

    text = os.fspath(path)
    try:
        with rasterio.open(text) as file:
            epsg = file.crs.to_epsg() if file.crs else None
            transform = file.transform
            bounds = tuple(file.bounds)
    except RasterioError as error:
        raise ProductError(
            f"{text} cannot be read ({error}); give GeoTIFF tiles of an elevation model"
        ) from None
    if epsg != 4326 or transform.b or transform.d or transform.a <= 0 or transform.e >= 0:
        raise ProductError(
            f"{text} is in EPSG:{epsg}, expected longitude and latitude (EPSG:4326), north up; warp it with "
            "gdalwarp"
        )
    return _Tile(text, bounds, (transform.a, -transform.e), (transform.c, transform.f))


def _touches(tile: Bounds, window: Bounds) -> bool:
    return tile[0] < window[2] and window[0] < tile[2] and tile[1] < window[3] and window[1] < tile[3]


def _whole(start: float, stop: float, corner: float, step: float) -> tuple[float, int]:
    """Return where the first pixel that lies within the bounds starts, and how many there are.

    A bound within a millionth of a pixel's edge is that edge.
    """
    first = int(np.floor((start - corner) / step + 1e-6))
    last = int(np.ceil((stop - corner) / step - 1e-6))
    return corner + first * step, last - first


def _lengths(total: int) -> tuple[int, ...]:
    return tuple(min(_CHUNK, total - start) for start in range(0, total, _CHUNK))


def _block(
    files: tuple[str, ...], geoid: str | None, place: _Place, block_info: Any = None
) -> npt.NDArray[np.float32]:
    """Compute one chunk: the tiles warped onto its pixels, and the geoid."""
    (top, bottom), (left, right) = block_info[None]["array-location"]
    shape = bottom - top, right - left
    corner = place.west + left * place.step[0], place.north - top * place.step[1]
    heights = np.full(shape, np.nan, np.float32)
    for path in files:
        missing = np.isnan(heights)
        if not missing.any():
            break
        heights[missing] = _warped(path, corner, place.step, shape)[missing]
    return heights if geoid is None else heights + _warped(geoid, corner, place.step, shape)


def _warped(
    path: str, corner: tuple[float, float], step: tuple[float, float], shape: tuple[int, int]
) -> npt.NDArray[np.float32]:
    import rasterio  # noqa: PLC0415 -- slow to import
    from rasterio.errors import RasterioError  # noqa: PLC0415
    from rasterio.transform import Affine  # noqa: PLC0415
    from rasterio.vrt import WarpedVRT  # noqa: PLC0415
    from rasterio.warp import Resampling  # noqa: PLC0415

    transform = Affine(step[0], 0, corner[0], 0, -step[1], corner[1])
    try:
        with (
            rasterio.open(path) as file,
            WarpedVRT(
                file,
                crs="EPSG:4326",
                transform=transform,
                height=shape[0],
                width=shape[1],
                resampling=Resampling.bilinear,
                dtype="float32",
                nodata=float("nan"),
            ) as view,
        ):
            found: npt.NDArray[np.float32] = view.read(1)
    except RasterioError as error:
        raise ProductError(f"{path} is corrupt or truncated ({error}); get it again") from error
    return found

"""A tile's variables: images and masks on the grids of their resolutions, and the grids of angles."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.errors import ProductError
from swath.io.jpeg2000 import Header, read_header
from swath.product._chunks import lazy_array, source_encoding
from swath.product.grid import Grid
from swath.product.sentinel2._attributes import CLASSES, QUALITY_FLAGS
from swath.product.sentinel2._bands import BANDS, Band
from swath.product.sentinel2._images import FlagImage, Image
from swath.product.sentinel2._polygons import Polygons

if TYPE_CHECKING:
    from swath.io.store import Store
    from swath.product._chunks import ReadableSource
    from swath.product.sentinel2._tile import Angles, TileMetadata

__all__ = ["Frame", "Scene", "image_frames", "with_angles"]

_QUALITY_TYPES = ("MSK_DEFECT", "MSK_NODATA", "MSK_SATURA", "MSK_TECQUA")
"""Masks of polygons that together are the quality mask of later products."""

_QUALITY_VALUES = tuple((name, 1 << bit) for bit, name in enumerate(QUALITY_FLAGS))
_CLASS_VALUES = tuple((name, 1 << bit) for bit, name in enumerate(CLASSES))
_CODEC_TILES = {10: (1024, 1024), 20: (640, 640), 60: (192, 192)}
"""Chunks of masks drawn where there is no image of their resolution: the codec tiles of whole products."""


@dataclass(frozen=True, slots=True)
class Frame:
    """The grid and the chunks of a resolution."""

    grid: Grid
    chunk_shape: tuple[int, int]
    """Rows and columns of a codec tile."""


def image_frames(store: Store, images: dict[tuple[str, int], Header], tile: TileMetadata) -> dict[int, Frame]:
    """Return the frame of each resolution.

    What an image tells wins over the tile's metadata (decimated products). Images of one resolution that lie
    on different grids are refused.
    """
    frames: dict[int, Frame] = {}
    first: dict[int, Header] = {}
    for (_, resolution), image in images.items():
        grid = _grid_of(image, tile.grids[resolution])
        known = frames.setdefault(resolution, Frame(grid, image.tile_shape))
        first.setdefault(resolution, image)
        if grid != known.grid:
            raise ProductError(
                f"{store.location}: {image.name} is on {grid}, but {first[resolution].name} of the same "
                f"resolution on {known.grid}; get the product again"
            )
    return {r: frames.get(r, Frame(tile.grids[r], chunk)) for r, chunk in _CODEC_TILES.items()}


def _grid_of(image: Header, told: Grid) -> Grid:
    if image.georeference is not None:
        return Grid(image.shape, image.georeference.transform, image.georeference.crs)
    if image.shape == told.shape:
        return told
    # No georeference and another size: the image covers the tile with pixels of another size.
    a, b, c, d, e, f = told.transform
    rows, columns = (whole / own for whole, own in zip(told.shape, image.shape, strict=True))
    return Grid(image.shape, (a * columns, b, c, d, e * rows, f), told.crs)


@dataclass
class Scene:
    """The variables of a tile as they are gathered, by group."""

    store: Store
    frames: dict[int, Frame]
    groups: dict[str, dict[str, xr.Variable]] = field(default_factory=lambda: defaultdict(dict))

    def add(
        self,
        path: str,
        source: ReadableSource,
        resolution: int,
        attributes: dict[str, Any],
        coding: dict[str, Any] | None = None,
    ) -> None:
        """Add a lazily read variable, decoded where ``coding`` has scale_factor, add_offset, _FillValue."""
        chosen = coding or {}
        data = lazy_array(
            source,
            scale_factor=chosen.get("scale_factor"),
            add_offset=chosen.get("add_offset", 0.0),
            fill_value=chosen.get("_FillValue"),
        )
        group, _, name = path.rpartition("/")
        told = {**attributes, **self.frames[resolution].grid.attributes()}
        encoding = source_encoding(source, {"dtype": source.dtype, **chosen})
        self.groups[group][name] = xr.Variable(("y", "x"), data, told, encoding)

    def add_image(
        self,
        path: str,
        image: Header,
        resolution: int,
        attributes: dict[str, Any],
        coding: dict[str, Any] | None = None,
        *,
        dtype: str = "uint16",
    ) -> None:
        """Add an image of one component; another one is refused."""
        if image.components != 1 or image.dtype != np.dtype(dtype):
            raise ProductError(
                f"{self.store.location}: {image.name} has {image.components} components of {image.dtype}, "
                f"expected one of {dtype}; get the product again"
            )
        self.add(path, Image(self.store, image), resolution, attributes, coding)

    def add_masks(self, tile: TileMetadata) -> None:
        """Add the footprints of detectors, the quality masks, and the classification of level 1C."""
        for band in BANDS:
            self._add_band_masks(band, tile)
        attributes = {
            "long_name": "cloud classification mask provided in the final reference frame (ground geometry)",
            "dtype": "<u1",
            "flag_masks": [value for _, value in _CLASS_VALUES],
            "flag_meanings": list(CLASSES),
        }
        kinds = [key for key in tile.masks if key[0] in ("MSK_CLASSI", "MSK_CLOUDS")]
        if kinds:
            source = self._mask((tile.masks[min(kinds)],), _CLASS_VALUES, 60, components=3)
            self.add("/conditions/mask/l1c_classification/r60m/b00", source, 60, attributes)

    def _add_band_masks(self, band: Band, tile: TileMetadata) -> None:
        footprint = {
            "long_name": "detector footprint mask provided in the final reference frame (ground geometry). "
            "0 = no detector, 1-12 = detector 1-12",
            "dtype": "<u1",
        }
        quality = {
            "long_name": "quality mask provided in the final reference frame (ground geometry)",
            "dtype": "<u1",
            "flag_masks": [value for _, value in _QUALITY_VALUES],
            "flag_meanings": list(QUALITY_FLAGS),
        }
        file = tile.masks.get(("MSK_DETFOO", band.name))
        if file:
            source = self._mask((file,), (), band.resolution, components=1)
            path = f"/conditions/mask/detector_footprint/{band.group}/{band.name}"
            self.add(path, source, band.resolution, footprint)
        raster = tile.masks.get(("MSK_QUALIT", band.name))
        drawn = tuple(tile.masks[k, band.name] for k in _QUALITY_TYPES if (k, band.name) in tile.masks)
        files = (raster,) if raster else drawn
        if files:
            source = self._mask(files, _QUALITY_VALUES, band.resolution, components=8)
            self.add(f"/quality/mask/{band.group}/{band.name}", source, band.resolution, quality)

    def _mask(
        self, files: tuple[str, ...], flags: tuple[tuple[str, int], ...], resolution: int, *, components: int
    ) -> ReadableSource:
        """Return the chunks of a mask: a raster's own, or polygons drawn on the grid of the resolution."""
        frame = self.frames[resolution]
        if not files[0].endswith(".jp2"):
            sizes = tuple(self.store.size(file) for file in files)
            return Polygons(self.store, files, sizes, frame.grid, frame.chunk_shape, flags)
        header = read_header(self.store, files[0])
        if header.shape != frame.grid.shape or header.components != components or header.dtype != np.uint8:
            raise ProductError(
                f"{self.store.location}: {header.name} has {header.components} components of {header.dtype} "
                f"and {header.shape} pixels, expected {components} of uint8 and {frame.grid.shape}; get the "
                "product again"
            )
        return FlagImage(self.store, header) if flags else Image(self.store, header)

    def datasets(self) -> dict[str, xr.Dataset]:
        """Return the groups, their pixels' centres as coordinates."""
        return {path: _with_coordinates(variables) for path, variables in self.groups.items()}


def _with_coordinates(variables: dict[str, xr.Variable]) -> xr.Dataset:
    grid = Grid.of(xr.DataArray(next(iter(variables.values()))))
    coordinates = {"y": ("y", grid.y), "x": ("x", grid.x)}
    return xr.Dataset(dict(sorted(variables.items())), coords=coordinates)


def with_angles(angles: Angles, grid: Grid) -> xr.Dataset:
    """Return the angles, their nodes counted from the tile's upper left corner, as EOPF does."""
    rows, columns = angles.sun.shape[1:]
    unit = {"units": "deg"}
    view = ("band", "detector", "angle", "y", "x")
    return xr.Dataset(
        {
            "mean_sun_angles": (("angle",), angles.mean_sun, unit),
            "mean_viewing_incidence_angles": (("band", "angle"), angles.mean_view, unit),
            "sun_angles": (("angle", "y", "x"), angles.sun, unit),
            "viewing_incidence_angles": (view, angles.view, unit),
        },
        coords={
            "angle": np.array(["zenith", "azimuth"]),
            "band": np.array([band.name for band in BANDS]),
            "detector": np.array(angles.detectors, np.int64),
            "y": _nodes(grid.transform[5], -angles.step[0], rows),
            "x": _nodes(grid.transform[2], angles.step[1], columns),
        },
    )


def _nodes(start: float, step: float, number: int) -> np.ndarray[Any, Any]:
    nodes = start + step * np.arange(number)
    whole = nodes.astype(np.int64)
    return whole if np.array_equal(whole, nodes) else nodes

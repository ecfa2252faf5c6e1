"""GeoTIFF and COG: one file as a tree with one group, a variable a band, a chunk a tile."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import ProductError
from swath.io.file import FileStore
from swath.io.metering import Counts, count
from swath.product._chunks import lazy_array, source_encoding
from swath.product._footprint import grid_footprint
from swath.product.grid import Grid

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["GEOTIFF", "GeotiffReader"]

_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class Tiles:
    """Chunks of one band; see :class:`swath.product.ChunkSource`."""

    path: str
    band: int
    """From 1, as GDAL counts."""
    shape: tuple[int, int]
    chunk_shape: tuple[int, int]
    kind: str
    """Type of the stored values, in numpy's words."""
    leading: tuple[int, ...] = ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""
        return np.dtype(self.kind)

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the stored bytes of a tile; 0 where it is not stored."""
        return self._sizes.get((row, column), 0)

    @cached_property
    def _sizes(self) -> dict[tuple[int, int], int]:
        import rasterio  # noqa: PLC0415 -- slow to import

        rows, columns = (-(-n // size) for n, size in zip(self.shape, self.chunk_shape, strict=True))
        with rasterio.open(self.path) as file:
            told = {
                (i, j): file.get_tag_item(f"BLOCK_SIZE_{j}_{i}", "TIFF", bidx=self.band)
                for i in range(rows)
                for j in range(columns)
            }
        return {place: int(size) for place, size in told.items() if size}

    def read(self, row: int, column: int) -> npt.NDArray[Any]:
        """Read one tile, counted once."""
        import rasterio  # noqa: PLC0415 -- slow to import
        from rasterio.errors import RasterioError  # noqa: PLC0415
        from rasterio.windows import Window  # noqa: PLC0415

        height, width = self.chunk_shape
        top, left = row * height, column * width
        height, width = min(height, self.shape[0] - top), min(width, self.shape[1] - left)
        count(Counts(bytes=self.chunk_bytes(row, column), requests=1, chunks=1))
        try:
            with rasterio.open(self.path) as file:
                data: npt.NDArray[Any] = file.read(self.band, window=Window(left, top, width, height))
        except RasterioError as error:
            raise ProductError(f"{self.path} is corrupt or truncated ({error}); get it again") from error
        return data


class GeotiffReader:
    """Reads a GeoTIFF or COG on this machine; see :class:`swath.product.Reader`. Overviews are left aside."""

    looks_for = "a GeoTIFF or COG"

    def can_read(self, store: Store) -> bool:
        """Tell whether the product is one file that starts as TIFF does."""
        names = store.names() if isinstance(store, FileStore) else []
        return len(names) == 1 and store.read_range(names[0], 0, 4) in _MAGICS

    def open(self, store: Store) -> xr.DataTree:
        """Return the image as a lazy tree. Reads its header."""
        import rasterio  # noqa: PLC0415 -- slow to import
        from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415

        if not Path(store.location).is_file():
            raise ProductError(f"{store.location}: GeoTIFF is read from this machine only; copy it here")
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", NotGeoreferencedWarning)  # told as an error below
                file = rasterio.open(store.location)
            with file:
                return _tree(file, store)
        except RasterioError as error:
            raise ProductError(f"{store.location} is corrupt or truncated ({error}); get it again") from error


GEOTIFF = GeotiffReader()


def _tree(file: Any, store: Store) -> xr.DataTree:
    if file.crs is None or file.crs.to_epsg() is None or file.transform.is_identity:
        raise ProductError(
            f"{store.location}: expected a reference system of the EPSG registry and a place, got "
            f"{file.crs}; "
            "set them with gdal_edit.py -a_srs and -a_ullr"
        )
    grid = Grid(file.shape, tuple(file.transform)[:6], f"EPSG:{file.crs.to_epsg()}")
    variables = {}
    for k in range(file.count):
        name = (file.descriptions[k] or f"band_{k + 1}").replace("/", "_")
        variables[name if name not in variables else f"{name}_{k + 1}"] = _variable(file, k, grid, store)
    dataset = xr.Dataset(variables, {"y": ("y", grid.y), "x": ("x", grid.x)})
    geometry, bbox = grid_footprint(grid)
    discovery = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": Path(store.location).stem,
        "geometry": geometry,
        "bbox": bbox,
        "properties": {
            "proj:code": grid.crs,
            "proj:shape": list(grid.shape),
            "proj:transform": list(grid.transform),
            "proj:bbox": list(grid.bounds),
        },
        "links": [],
        "assets": {},
    }
    root = xr.Dataset(attrs={"stac_discovery": discovery})
    return xr.DataTree.from_dict({"/": root, "/measurements": dataset})


def _variable(file: Any, k: int, grid: Grid, store: Store) -> xr.Variable:
    """Return one band, decoded where the file tells a scale or what is missing."""
    source = Tiles(store.location, k + 1, file.shape, file.block_shapes[k], file.dtypes[k])
    scale, offset, missing = file.scales[k], file.offsets[k], file.nodatavals[k]
    coding: dict[str, Any] = {}
    if (scale, offset) != (1, 0) or (missing is not None and source.dtype.kind in "iu"):
        coding = {"scale_factor": float(scale), "add_offset": float(offset)}
    whole = missing is not None and source.dtype.kind in "iu" and float(missing).is_integer()
    if whole:
        coding["_FillValue"] = int(missing)
    data = lazy_array(
        source,
        scale_factor=coding.get("scale_factor"),
        add_offset=coding.get("add_offset", 0.0),
        fill_value=coding.get("_FillValue"),
    )
    attributes = {key.lower(): value for key, value in file.tags(k + 1).items() if key.isidentifier()}
    if file.units[k]:
        attributes["units"] = file.units[k]
    encoding = source_encoding(source, {"dtype": source.dtype, **coding})
    return xr.Variable(("y", "x"), data, {**attributes, **grid.attributes()}, encoding)

"""GeoTIFF and COG: a file as a tree of one group, a variable a band, a chunk a tile; and folders of files."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import MetadataError, ProductError
from swath.io._zip import ZipStore
from swath.io.file import FileStore
from swath.io.metering import Counts, count
from swath.io.silence import silenced
from swath.io.tiff import Directory, read_directory
from swath.io.zarr_documents import ROOTS
from swath.product._chunks import lazy_array, source_encoding
from swath.product._footprint import grid_footprint
from swath.product.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from swath.io.store import Range, Store

__all__ = ["ATTRIBUTES", "GEOTIFF", "GEOTIFF_FOLDER", "ITEM", "GeotiffFolderReader", "GeotiffReader"]

ATTRIBUTES = "swath_attributes"
"""Metadata item of a file that has the variable's attributes as JSON."""

ITEM = "item.json"
"""Name of the STAC item in a folder of COGs."""

_MAX_ITEM = 64 << 20
"""Bytes of an item; one that Swath writes has some kilobytes a file."""

_MAGICS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_ENDINGS = (".tif", ".tiff")


@dataclass(frozen=True)
class Tiles:
    """Chunks of one band; see :class:`swath.product.ChunkSource`."""

    store: Store
    directory: Directory
    band: int
    """From 1, as GDAL counts."""
    kind: str
    """Type of the stored values, in numpy's words."""
    missing: float = 0.0
    """Value of pixels in tiles that are not stored."""

    leading = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.directory.shape

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Rows and columns of a tile, or of a strip."""
        rows, columns = self.directory.block_shape
        return min(rows, self.shape[0]), min(columns, self.shape[1])

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""
        return np.dtype(self.kind)

    def chunk_bytes(self, row: int, column: int) -> int:
        """Return the stored bytes of a tile (of all bands where it holds them together); 0 if not stored."""
        return int(self.directory.sizes[self.directory.index(row, column, self.band - 1)])

    def ranges(self, place: tuple[int, ...]) -> list[Range]:
        """Return what reading a tile asks for."""
        told = self.directory
        index = told.index(place[0], place[1], self.band - 1)
        start, size = int(told.offsets[index]), int(told.sizes[index])
        return [(told.name, start, start + size)] if size else []

    def read(self, row: int, column: int) -> npt.NDArray[Any]:
        """Read one tile, counted once."""
        from rasterio.errors import RasterioError  # noqa: PLC0415 -- slow to import
        from rasterio.io import MemoryFile  # noqa: PLC0415

        told = self.directory
        index = told.index(row, column, self.band - 1)
        start, size = int(told.offsets[index]), int(told.sizes[index])
        height, width = (
            min(side, whole - place * side)
            for side, whole, place in zip(told.block_shape, told.shape, (row, column), strict=True)
        )
        count(Counts(chunks=1))
        if size == 0:
            return np.full((height, width), self.missing, self.dtype)
        data = self.store.read_range(told.name, start, start + size)
        try:
            with MemoryFile(told.block(row, data)) as memory, memory.open() as file:
                pixels: npt.NDArray[Any] = file.read(1 if told.planar else self.band)
        except RasterioError as error:
            raise ProductError(
                f"{self.store.location}: {told.name} is corrupt or truncated ({error}); get it again"
            ) from error
        return pixels[:height, :width]


class GeotiffReader:
    """Reads a GeoTIFF or COG, by itself or alone in a zip; see :class:`swath.product.Reader`.

    Overviews are left aside.
    """

    looks_for = "a GeoTIFF or COG"

    def can_read(self, store: Store) -> bool:
        """Tell whether the product is one file that starts as TIFF does."""
        if not isinstance(store, FileStore | ZipStore):
            return False
        names = store.names()
        return len(names) == 1 and store.read_range(names[0], 0, 4) in _MAGICS

    def open(self, store: Store) -> xr.DataTree:
        """Return the image as a lazy tree. Reads its header."""
        (name,) = store.names()
        bands, grid = _bands(store, name)
        dataset = xr.Dataset(bands, {"y": ("y", grid.y), "x": ("x", grid.x)})
        root = xr.Dataset(attrs={"stac_discovery": _discovery(PurePosixPath(name).stem, grid)})
        return xr.DataTree.from_dict({"/": root, "/measurements": dataset})


class GeotiffFolderReader:
    """Reads a folder of GeoTIFFs with a STAC item, as ``swath convert --to cog`` writes it.

    Folders are groups, and a file is a variable; one of several bands is a group of them.
    """

    looks_for = f"a folder of GeoTIFFs with a STAC item ({ITEM})"

    def can_read(self, store: Store) -> bool:
        """Tell whether there are an item and images, and no Zarr store beside them."""
        if isinstance(store, FileStore) or not store.exists(ITEM):
            return False
        names = store.names()
        return bool(_images(names)) and not any(PurePosixPath(name).name in ROOTS for name in names)

    def open(self, store: Store) -> xr.DataTree:
        """Return the files as a lazy tree. Reads the item and all headers."""
        try:
            item = json.loads(store.read_document(ITEM, _MAX_ITEM))
            discovery = {**item, "assets": {}, "links": []}
            other = discovery["properties"].pop("swath:other_metadata", None)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise MetadataError(
                f"{store.location}: {ITEM} is no STAC item ({error}); get the product again"
            ) from error
        groups: dict[str, tuple[dict[str, xr.Variable], Grid]] = {}
        for name in _images(store.names()):
            path = PurePosixPath(name).with_suffix("")
            bands, grid = _bands(store, name)
            group = str(path.parent if len(bands) == 1 else path).strip(".")
            held, first = groups.setdefault(group, ({}, grid))
            if first != grid:
                raise ProductError(
                    f"{store.location}: {name} is on {grid}, but others of its folder on {first}; put them "
                    f"apart"
                )
            held.update({path.name: next(iter(bands.values()))} if len(bands) == 1 else bands)
        datasets = {
            f"/{group}": xr.Dataset(bands, {"y": ("y", grid.y), "x": ("x", grid.x)})
            for group, (bands, grid) in groups.items()
        }
        root = datasets.setdefault("/", xr.Dataset())
        root.attrs = {"stac_discovery": discovery, **({"other_metadata": other} if other is not None else {})}
        return xr.DataTree.from_dict(dict(sorted(datasets.items())))


GEOTIFF = GeotiffReader()
GEOTIFF_FOLDER = GeotiffFolderReader()


def _images(names: list[str]) -> list[str]:
    return [name for name in names if name.lower().endswith(_ENDINGS)]


def _bands(store: Store, name: str) -> tuple[dict[str, xr.Variable], Grid]:
    """Return the bands of a file, lazily, and their grid."""
    from rasterio.errors import NotGeoreferencedWarning, RasterioError  # noqa: PLC0415 -- slow to import
    from rasterio.io import MemoryFile  # noqa: PLC0415

    directory = read_directory(store, name)
    try:
        with (
            silenced(NotGeoreferencedWarning),  # told as an error below
            MemoryFile(directory.header()) as memory,
            memory.open() as file,
        ):
            grid = _grid(file, store, name)
            variables = dict(_variables(file, store, directory, grid))
    except RasterioError as error:
        raise ProductError(
            f"{store.location}: {name} is corrupt or truncated ({error}); get it again"
        ) from error
    return variables, grid


def _grid(file: Any, store: Store, name: str) -> Grid:
    if file.crs is None or file.crs.to_epsg() is None or file.transform.is_identity:
        raise ProductError(
            f"{store.location}: {name}: expected a reference system of the EPSG registry and a place, got "
            f"{file.crs}; set them with gdal_edit.py -a_srs and -a_ullr"
        )
    return Grid(file.shape, tuple(file.transform)[:6], f"EPSG:{file.crs.to_epsg()}")


def _discovery(identifier: str, grid: Grid) -> dict[str, Any]:
    geometry, bbox = grid_footprint(grid)
    return {
        "type": "Feature",
        "stac_version": "1.1.0",
        "id": identifier,
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


def _variables(
    file: Any, store: Store, directory: Directory, grid: Grid
) -> Iterator[tuple[str, xr.Variable]]:
    names: set[str] = set()
    for k in range(file.count):
        name = (file.descriptions[k] or f"band_{k + 1}").replace("/", "_")
        name = name if name not in names else f"{name}_{k + 1}"
        names.add(name)
        yield name, _variable(file, k, grid, store, directory)


def _variable(file: Any, k: int, grid: Grid, store: Store, directory: Directory) -> xr.Variable:
    """Return one band, decoded where the file tells a scale or what is missing."""
    scale, offset, missing = file.scales[k], file.offsets[k], file.nodatavals[k]
    source = Tiles(store, directory, k + 1, file.dtypes[k], 0.0 if missing is None else missing)
    coding: dict[str, Any] = {}
    if (scale, offset) != (1, 0) or (missing is not None and source.dtype.kind in "iu"):
        coding = {"scale_factor": float(scale), "add_offset": float(offset)}
    if missing is not None and source.dtype.kind in "iu" and float(missing).is_integer():
        coding["_FillValue"] = int(missing)
    data = lazy_array(
        source,
        scale_factor=coding.get("scale_factor"),
        add_offset=coding.get("add_offset", 0.0),
        fill_value=coding.get("_FillValue"),
    )
    encoding = source_encoding(source, {"dtype": source.dtype, **coding})
    return xr.Variable(("y", "x"), data, {**_attributes(file, k), **grid.attributes()}, encoding)


def _attributes(file: Any, k: int) -> Mapping[str, Any]:
    """Return what the file says of a band: what Swath wrote as it was, or GDAL's own words."""
    told = file.tags().get(ATTRIBUTES)
    if told is not None and file.count == 1:
        try:
            kept = json.loads(told)
        except (ValueError, RecursionError):
            kept = None  # another program changed it
        if isinstance(kept, dict):
            return kept
    attributes = {key.lower(): value for key, value in file.tags(k + 1).items() if key.isidentifier()}
    return {**attributes, **({"units": file.units[k]} if file.units[k] else {})}

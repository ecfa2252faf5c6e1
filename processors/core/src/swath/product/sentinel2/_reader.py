"""Opening a level-1C product: the tree of an EOPF product over the files of a SAFE."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.errors import ProductError
from swath.io.jpeg2000 import FRONT, Header, read_header
from swath.product._chunks import lazy_array, source_encoding
from swath.product.grid import Grid
from swath.product.sentinel2._attributes import CLASSES, QUALITY_FLAGS, product_attributes
from swath.product.sentinel2._bands import BANDS, Band
from swath.product.sentinel2._images import FlagImage, Image
from swath.product.sentinel2._metadata import PRODUCT_METADATA, ProductMetadata, read_product_metadata
from swath.product.sentinel2._polygons import Polygons
from swath.product.sentinel2._tile import Angles, TileMetadata, read_tile_metadata

if TYPE_CHECKING:
    from swath.io.store import Store
    from swath.product._chunks import ReadableSource

__all__ = ["L1C_SAFE", "SafeL1CReader"]

_QUALITY_TYPES = ("MSK_DEFECT", "MSK_NODATA", "MSK_SATURA", "MSK_TECQUA")
"""Masks of polygons that together are the quality mask of later products."""

_QUALITY_VALUES = tuple((name, 1 << bit) for bit, name in enumerate(QUALITY_FLAGS))
_CLASS_VALUES = tuple((name, 1 << bit) for bit, name in enumerate(CLASSES))

Groups = dict[str, dict[str, xr.Variable]]


class SafeL1CReader:
    """Reads Sentinel-2 level-1C SAFE; see :class:`swath.product.Reader`.

    Not read: the true-colour image, the preview, and meteorology (GRIB).
    """

    looks_for = f"a Sentinel-2 level-1C SAFE (with {PRODUCT_METADATA})"

    def can_read(self, store: Store) -> bool:
        """Tell whether the product has the metadata file of a level-1C product."""
        return store.exists(PRODUCT_METADATA)

    def open(self, store: Store) -> xr.DataTree:
        """Return the product as a lazy tree. Reads the metadata and the headers of all images."""
        product = read_product_metadata(store)
        tile = read_tile_metadata(store, _tile_file(store))
        files = {f"band {name}": file for name, file in product.images.items()}
        files |= {f"mask {kind} {band}".rstrip(): file for (kind, band), file in tile.masks.items()}
        _require(store, files)
        store.warm([(file, 0, FRONT if file.endswith(".jp2") else None) for file in files.values()])
        images = {band.name: read_header(store, product.images[band.name]) for band in BANDS}
        bands = [
            _BandImage(band, images[band.name], grid) for band, grid in _image_grids(store, images, tile)
        ]
        groups: Groups = defaultdict(dict)
        for band in bands:
            _add_band(groups, store, band, product)
            _add_masks(groups, store, band, tile)
        _add_classification(groups, store, bands[0], tile)
        datasets = {path: _with_coordinates(variables) for path, variables in groups.items()}
        datasets["/conditions/geometry"] = _geometry(tile.angles, tile.grids[10])
        datasets["/"] = xr.Dataset(attrs=product_attributes(product, tile, bands[1].grid))
        return xr.DataTree.from_dict(dict(sorted(datasets.items())))


L1C_SAFE = SafeL1CReader()


@dataclass(frozen=True)
class _BandImage:
    """A band, its image and the grid that the image is on."""

    band: Band
    header: Header
    grid: Grid


def _tile_file(store: Store) -> str:
    found = [name for name in store.names() if name.startswith("GRANULE/") and name.endswith("/MTD_TL.xml")]
    if len(found) != 1:
        raise ProductError(
            f"{store.location}: {len(found)} files GRANULE/*/MTD_TL.xml, expected one (a product of one "
            f"tile); "
            "the product is incomplete or in the format before December 2016"
        )
    return found[0]


def _require(store: Store, files: dict[str, str]) -> None:
    """Refuse a product that lacks files which its metadata names."""
    missing = {what: file for what, file in files.items() if not store.exists(file)}
    if missing:
        told = "; ".join(f"{what} ({file})" for what, file in list(missing.items())[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ProductError(
            f"{store.location}: missing are {told}{more}, which its metadata names; get the product again"
        )


def _image_grids(store: Store, images: dict[str, Header], tile: TileMetadata) -> list[tuple[Band, Grid]]:
    """Return each band's grid. What the image tells wins over the tile's metadata (decimated products)."""
    grids = {band.name: _grid_of(images[band.name], tile.grids[band.resolution]) for band in BANDS}
    for band in BANDS:
        first = next(other for other in BANDS if other.resolution == band.resolution)
        if grids[band.name] != grids[first.name]:
            raise ProductError(
                f"{store.location}: {images[band.name].name} is on {grids[band.name]}, but "
                f"{images[first.name].name} of the same resolution on {grids[first.name]}; get the "
                f"product again"
            )
    return [(band, grids[band.name]) for band in BANDS]


def _grid_of(image: Header, told: Grid) -> Grid:
    if image.georeference is not None:
        return Grid(image.shape, image.georeference.transform, image.georeference.crs)
    if image.shape == told.shape:
        return told
    # No georeference and another size: the image covers the tile with pixels of another size.
    a, b, c, d, e, f = told.transform
    rows, columns = (whole / own for whole, own in zip(told.shape, image.shape, strict=True))
    return Grid(image.shape, (a * columns, b, c, d, e * rows, f), told.crs)


def _variable(
    source: ReadableSource, grid: Grid, attributes: dict[str, Any], coding: dict[str, Any] | None = None
) -> xr.Variable:
    """Return a lazily read variable, decoded where ``coding`` has scale_factor, add_offset, _FillValue."""
    chosen = coding or {}
    data = lazy_array(
        source,
        scale_factor=chosen.get("scale_factor"),
        add_offset=chosen.get("add_offset", 0.0),
        fill_value=chosen.get("_FillValue"),
    )
    encoding = {"dtype": source.dtype, **chosen}
    return xr.Variable(
        ("y", "x"), data, {**attributes, **grid.attributes()}, source_encoding(source, encoding)
    )


def _add_band(groups: Groups, store: Store, placed: _BandImage, product: ProductMetadata) -> None:
    band, image = placed.band, placed.header
    if image.components != 1 or image.dtype != np.uint16:
        raise ProductError(
            f"{store.location}: {image.name} has {image.components} components of {image.dtype}, "
            f"expected one of uint16"
        )
    wavelength = f" {product.spectra[band.name].central:g} nm" if band.name in product.spectra else ""
    attributes = {
        "long_name": f"TOA reflectance from MSI acquisition at spectral band {band.name}{wavelength}",
        "units": "1",
        "dtype": "<u2",
        "fill_value": product.no_data,
        "valid_min": 1,
        "valid_max": 65535,
    }
    coding = {
        "scale_factor": 1 / product.quantification,
        "add_offset": product.offsets[band.name] / product.quantification,
        "_FillValue": product.no_data,
    }
    source = Image(store, image)
    groups[f"/measurements/reflectance/{band.group}"][band.name] = _variable(
        source, placed.grid, attributes, coding
    )


def _add_masks(groups: Groups, store: Store, placed: _BandImage, tile: TileMetadata) -> None:
    band = placed.band
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
        source = _mask(store, (file,), (), placed, components=1)
        path = f"/conditions/mask/detector_footprint/{band.group}"
        groups[path][band.name] = _variable(source, placed.grid, footprint)
    raster = tile.masks.get(("MSK_QUALIT", band.name))
    drawn = tuple(tile.masks[kind, band.name] for kind in _QUALITY_TYPES if (kind, band.name) in tile.masks)
    files = (raster,) if raster else drawn
    if files:
        source = _mask(store, files, _QUALITY_VALUES, placed, components=8)
        groups[f"/quality/mask/{band.group}"][band.name] = _variable(source, placed.grid, quality)


def _add_classification(groups: Groups, store: Store, placed: _BandImage, tile: TileMetadata) -> None:
    """Add the mask of clouds (and snow, from baseline 04.00 on) on the grid of 60 m."""
    attributes = {
        "long_name": "cloud classification mask provided in the final reference frame (ground geometry)",
        "dtype": "<u1",
        "flag_masks": [value for _, value in _CLASS_VALUES],
        "flag_meanings": list(CLASSES),
    }
    kinds = [key for key in tile.masks if key[0] in ("MSK_CLASSI", "MSK_CLOUDS")]
    if kinds:
        source = _mask(store, (tile.masks[min(kinds)],), _CLASS_VALUES, placed, components=3)
        groups["/conditions/mask/l1c_classification/r60m"]["b00"] = _variable(source, placed.grid, attributes)


def _mask(
    store: Store,
    files: tuple[str, ...],
    flags: tuple[tuple[str, int], ...],
    placed: _BandImage,
    *,
    components: int,
) -> ReadableSource:
    """Return the chunks of a mask: a raster's own, or polygons drawn on the band's grid and chunks."""
    if not files[0].endswith(".jp2"):
        sizes = tuple(store.size(file) for file in files)
        return Polygons(store, files, sizes, placed.grid, placed.header.tile_shape, flags)
    header = read_header(store, files[0])
    if header.shape != placed.grid.shape or header.components != components or header.dtype != np.uint8:
        raise ProductError(
            f"{store.location}: {header.name} has {header.components} components of {header.dtype} and "
            f"{header.shape} "
            f"pixels, expected {components} of uint8 and {placed.grid.shape}; get the product again"
        )
    return FlagImage(store, header) if flags else Image(store, header)


def _with_coordinates(variables: dict[str, xr.Variable]) -> xr.Dataset:
    array = next(iter(variables.values()))
    grid = Grid.of(xr.DataArray(array))
    coordinates = {"y": ("y", grid.y), "x": ("x", grid.x)}
    return xr.Dataset(dict(sorted(variables.items())), coords=coordinates)


def _geometry(angles: Angles, grid: Grid) -> xr.Dataset:
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

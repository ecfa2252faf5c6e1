"""Opening products of level 1C and 2A: the tree of an EOPF product over the files of a SAFE."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar

import xarray as xr

from swath.errors import ProductError
from swath.io.jpeg2000 import FRONT, Header, read_header
from swath.product.sentinel2._acquisition import acquisition_metadata, acquisition_ranges, datastrip_file
from swath.product.sentinel2._attributes import add_acquisition, container_attributes, product_attributes
from swath.product.sentinel2._bands import BANDS
from swath.product.sentinel2._files import Granule, Level, product_metadata_file
from swath.product.sentinel2._level2 import add_level2, level2_images
from swath.product.sentinel2._metadata import ProductMetadata, read_product_metadata
from swath.product.sentinel2._meteorology import read_meteorology
from swath.product.sentinel2._scene import Scene, image_frames, with_angles
from swath.product.sentinel2._tile import TileMetadata, read_tile_metadata

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["L1C_SAFE", "L2A_SAFE", "SafeL1CReader", "SafeL2AReader"]

Images = dict[tuple[str, int], Header]


class SafeL1CReader:
    """Reads Sentinel-2 level-1C SAFE; see :class:`swath.product.Reader`.

    A product of several tiles (before December 2016) is a tree with a product a tile, by the tile's name.
    Not read: the true-colour image and the preview.
    """

    level: ClassVar[Level] = "L1C"
    looks_for = "a Sentinel-2 level-1C SAFE (with MTD_MSIL1C.xml, or S2?_OPER_MTD_SAFL1C_….xml)"

    def can_read(self, store: Store) -> bool:
        """Tell whether the product has the metadata file of a product of this level."""
        return product_metadata_file(store, self.level) is not None

    def open(self, store: Store) -> xr.DataTree:
        """Return the product as a lazy tree. Reads the metadata and the headers of all images."""
        name = product_metadata_file(store, self.level)
        if name is None:
            raise ProductError(f"{store.location} is no {self.looks_for.removeprefix('a ')}")
        product = read_product_metadata(store, name, self.level)
        tiles = [read_tile_metadata(store, granule.metadata) for granule in product.granules]
        if len(tiles) == 1:
            return xr.DataTree.from_dict(self._datasets(store, product, product.granules[0], tiles[0]))
        datasets = {"/": xr.Dataset(attrs=container_attributes(product))}
        for granule, tile in zip(product.granules, tiles, strict=True):
            where = f"/{_tile_name(tile)}"
            found = self._datasets(store, product, granule, tile)
            datasets |= {where if path == "/" else where + path: dataset for path, dataset in found.items()}
        return xr.DataTree.from_dict(datasets)

    def _datasets(
        self, store: Store, product: ProductMetadata, granule: Granule, tile: TileMetadata
    ) -> dict[str, xr.Dataset]:
        files = self._images(granule)
        named = {f"image {kind} of {resolution} m": file for (kind, resolution), file in files.items()}
        if product.level == "L1C":
            named = {f"band {kind}": file for (kind, _), file in files.items()}
        named |= {f"mask {kind} {band}".rstrip(): file for (kind, band), file in tile.masks.items()}
        _require(store, named)
        strip = datastrip_file(store)
        store.warm(
            [(file, 0, FRONT if file.endswith(".jp2") else None) for file in named.values()]
            + (acquisition_ranges(strip) if strip else [])
        )
        images = {key: read_header(store, file) for key, file in files.items()}
        scene = Scene(store, image_frames(store, images, tile))
        self._add(scene, product, images, tile)
        scene.add_masks(tile)
        datasets = scene.datasets()
        meteorology = read_meteorology(store, granule.folder)
        datasets |= {f"/conditions/meteorology/{name}": found for name, found in meteorology.items()}
        datasets["/conditions/geometry"] = with_angles(tile.angles, tile.grids[10])
        attributes = product_attributes(product, granule, tile, scene.frames[10].grid)
        if strip:
            add_acquisition(attributes["other_metadata"], *acquisition_metadata(store, strip))
        if "/conditions/meteorology/ecmwf" in datasets:
            attributes["other_metadata"]["meteo"] = {"source": "ECMWF", "type": "FORECAST"}
        datasets["/"] = xr.Dataset(attrs=attributes)
        return dict(sorted(datasets.items()))

    def _images(self, granule: Granule) -> dict[tuple[str, int], str]:
        named = {kind: file for (kind, _), file in granule.images.items()}
        return {(band.name, band.resolution): named[band.name] for band in BANDS}

    def _add(self, scene: Scene, product: ProductMetadata, images: Images, tile: TileMetadata) -> None:  # noqa: ARG002
        for (name, resolution), image in images.items():
            add_reflectance(scene, product, image, name, resolution)


class SafeL2AReader(SafeL1CReader):
    """Reads Sentinel-2 level-2A SAFE, also that of Sen2Cor; see :class:`swath.product.Reader`.

    Images and masks that the metadata does not name are left aside, as are true colour, preview and terrain.
    """

    level: ClassVar[Level] = "L2A"
    looks_for = "a Sentinel-2 level-2A SAFE (with MTD_MSIL2A.xml, or S2?_USER_MTD_SAFL2A_….xml)"

    def _images(self, granule: Granule) -> dict[tuple[str, int], str]:
        return level2_images(granule)

    def _add(self, scene: Scene, product: ProductMetadata, images: Images, tile: TileMetadata) -> None:
        for (name, resolution), image in images.items():
            if name in {band.name for band in BANDS}:
                add_reflectance(scene, product, image, name, resolution)
        add_level2(scene, product, images, tile)


L1C_SAFE = SafeL1CReader()
L2A_SAFE = SafeL2AReader()


def add_reflectance(
    scene: Scene, product: ProductMetadata, image: Header, band: str, resolution: int
) -> None:
    """Add a band: counts times the scale, plus the offset of its baseline; NaN where there is no data."""
    wavelength = f" {product.spectra[band].central:g} nm" if band in product.spectra else ""
    where = "TOA" if product.level == "L1C" else "BOA"
    attributes = {
        "long_name": f"{where} reflectance from MSI acquisition at spectral band {band}{wavelength}",
        "units": "1",
        "dtype": "<u2",
        "fill_value": product.no_data,
        "valid_min": 1,
        "valid_max": 65535,
    }
    coding = {
        "scale_factor": 1 / product.quantification,
        "add_offset": product.offsets[band] / product.quantification,
        "_FillValue": product.no_data,
    }
    path = f"/measurements/reflectance/r{resolution}m/{band}"
    scene.add_image(path, image, resolution, attributes, coding)


def _tile_name(tile: TileMetadata) -> str:
    """Return the tile's name in the military grid, ``T32TQM``."""
    found = re.search(r"_(T\d\d[A-Z]{3})(_|$)", tile.identifier)
    return found[1] if found else tile.identifier


def _require(store: Store, files: dict[str, str]) -> None:
    """Refuse a product that lacks files which its metadata names."""
    missing = {what: file for what, file in files.items() if not store.exists(file)}
    if missing:
        told = "; ".join(f"{what} ({file})" for what, file in list(missing.items())[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        raise ProductError(
            f"{store.location}: missing are {told}{more}, which its metadata names; get the product again"
        )

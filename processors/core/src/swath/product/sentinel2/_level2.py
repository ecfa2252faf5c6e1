"""What level 2A has beside reflectances: atmosphere, classes, and the probabilities of cloud and snow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from swath.errors import ProductError
from swath.io.jpeg2000 import Header, read_header
from swath.product.sentinel2._bands import BANDS, RESOLUTIONS
from swath.product.sentinel2._images import Image

if TYPE_CHECKING:
    from swath.product.sentinel2._files import Granule
    from swath.product.sentinel2._metadata import ProductMetadata
    from swath.product.sentinel2._scene import Scene
    from swath.product.sentinel2._tile import TileMetadata

__all__ = ["add_level2", "level2_images"]

_ATMOSPHERE = {
    "aot": ("aerosol optical thickness at 550 nm", "1"),
    "wvp": ("total column of water vapour", "cm"),
}
_PROBABILITIES = {"cld": ("MSK_CLDPRB", "cloud"), "snw": ("MSK_SNWPRB", "snow or ice")}
_READ = {*(band.name for band in BANDS), *_ATMOSPHERE, *_PROBABILITIES, "scl"}

_CLASSES = (
    (0, "NODATA"),
    (1, "SATURATED_DEFECTIVE"),
    (2, "DARK_FEATURE_SHADOW"),
    (3, "CLOUD_SHADOW"),
    (4, "VEGETATION"),
    (5, "NOT_VEGETATED"),
    (6, "WATER"),
    (7, "UNCLASSIFIED"),
    (8, "CLOUD_MEDIUM_PROBA"),
    (9, "CLOUD_HIGH_PROBA"),
    (10, "THIN_CIRRUS"),
    (11, "SNOW_ICE"),
)
"""Values of the scene classification where the metadata does not tell them (S2-PDGS-TAS-DI-PSD)."""


def level2_images(granule: Granule) -> dict[tuple[str, int], str]:
    """Return the file of each image that is read, by its kind and resolution."""
    return {
        (kind, resolution): file
        for (kind, resolution), file in granule.images.items()
        if kind in _READ and resolution in RESOLUTIONS
    }


def add_level2(
    scene: Scene, product: ProductMetadata, images: dict[tuple[str, int], Header], tile: TileMetadata
) -> None:
    """Add what is neither a band nor a mask of level 1C."""
    for (kind, resolution), image in images.items():
        if kind in _ATMOSPHERE:
            long_name, units = _ATMOSPHERE[kind]
            attributes: dict[str, Any] = {"long_name": long_name, "units": units}
            coding = {
                "scale_factor": 1 / product.atmosphere[kind],
                "add_offset": 0.0,
                "_FillValue": product.no_data,
            }
            path = f"/quality/atmosphere/r{resolution}m/{kind}"
            scene.add_image(path, image, resolution, attributes, coding)
        elif kind == "scl":
            classes = product.classes or _CLASSES
            attributes = {
                "long_name": "scene classification",
                "flag_values": [value for value, _ in classes],
                "flag_meanings": [name for _, name in classes],
            }
            path = f"/conditions/mask/l2a_classification/r{resolution}m/scl"
            scene.add_image(path, image, resolution, attributes, dtype="uint8")
    for kind, (mask, what) in _PROBABILITIES.items():
        for resolution in RESOLUTIONS:
            file = tile.masks.get((mask, f"{resolution}m"))
            header = images.get((kind, resolution)) or (read_header(scene.store, file) if file else None)
            if header is not None:
                _add_probability(
                    scene, header, f"/quality/probability/r{resolution}m/{kind}", resolution, what
                )


def _add_probability(scene: Scene, header: Header, path: str, resolution: int, what: str) -> None:
    expected = scene.frames[resolution].grid.shape
    if header.shape != expected or header.components != 1 or header.dtype != np.uint8:
        raise ProductError(
            f"{scene.store.location}: {header.name} has {header.components} components of {header.dtype} and "
            f"{header.shape} pixels, expected one of uint8 and {expected}; get the product again"
        )
    attributes = {"long_name": f"probability of {what}", "units": "percent", "valid_min": 0, "valid_max": 100}
    scene.add(path, Image(scene.store, header), resolution, attributes)

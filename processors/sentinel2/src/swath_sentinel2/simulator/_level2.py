"""What level 2A has more than level 1C: bands at coarser resolutions, atmosphere, classes, probabilities.

Source: S2-PDGS-TAS-DI-PSD, level-2A product.
"""

from dataclasses import replace

import numpy as np
from lxml import etree
from numpy.typing import NDArray
from swath.errors import InputError

from swath_sentinel2.simulator._bands import BANDS, BY_NAME, RESOLUTIONS, Band
from swath_sentinel2.simulator._detectors import detectors
from swath_sentinel2.simulator._elements import element
from swath_sentinel2.simulator._noise import Window
from swath_sentinel2.simulator._scene import Scene
from swath_sentinel2.simulator._spectra import Surface
from swath_sentinel2.simulator._truth import Layers, check_window, layers, mean, on_ten_metres

ATMOSPHERE_SCALE = 1000
"""Counts for an aerosol optical thickness of 1, and for 1 cm of water vapour."""

LEVEL2_KINDS = ("AOT", "WVP", "SCL")
"""Images that are no bands."""

CLASSES = (
    "NODATA", "SATURATED_DEFECTIVE", "DARK_FEATURE_SHADOW", "CLOUD_SHADOW", "VEGETATION", "NOT_VEGETATED",
    "WATER", "UNCLASSIFIED", "CLOUD_MEDIUM_PROBA", "CLOUD_HIGH_PROBA", "THIN_CIRRUS", "SNOW_ICE",
)  # fmt: skip
"""Classes of the scene classification, by their values."""

_GREEN = (Surface.BROADLEAF, Surface.CONIFER, Surface.MEADOW, Surface.GREEN_CROP)
_WET = (Surface.LAKE, Surface.RIVER)

Pixels = NDArray[np.uint8] | NDArray[np.uint16]


def level2_bands() -> tuple[Band, ...]:
    """Bands at each resolution that they are written at: their own and coarser ones, B01 at 20 m, too."""
    found = []
    for resolution in RESOLUTIONS:
        for band in BANDS:
            finer = band.name == "B01" and resolution == 20
            coarser = band.resolution < resolution and band.name != "B08"
            if band.name != "B10" and (band.resolution == resolution or finer or coarser):
                found.append(replace(band, resolution=resolution))
    return tuple(found)


def level2_images() -> list[tuple[str, int]]:
    """Kind and resolution of each image of a level-2A product."""
    found = [(band.name, band.resolution) for band in level2_bands()]
    found += [(kind, resolution) for resolution in RESOLUTIONS for kind in ("TCI", "AOT", "WVP")]
    return sorted([*found, ("SCL", 20), ("SCL", 60)], key=lambda image: image[1])


def level2_pixels(scene: Scene, kind: str, resolution: int, window: Window, stack: Layers) -> Pixels:
    """Make an image or a mask from the layers of the same ground; see ``level2_truth``."""
    factor = resolution // 10
    seen = detectors(scene, replace(BY_NAME["B02"], resolution=resolution), window) != 0
    (top, bottom), (left, right) = window
    side = scene.pixels(resolution)
    if kind == "AOT":
        # From 0.05 in the west to 0.2 in the east.
        row = 50 + np.rint(150 * (np.arange(left, right) + 0.5) / side)
        return np.where(seen, row[None, :], 0).astype(np.uint16)
    if kind == "WVP":
        # From 1 cm in the north to 3 cm in the south.
        column = 1000 + np.rint(2000 * (np.arange(top, bottom) + 0.5) / side)
        return np.where(seen, column[:, None], 0).astype(np.uint16)
    cloud = mean(stack.cloud.astype(np.float32), factor) / np.float32(255)
    surface = stack.ground >> np.uint16(8)
    snow = mean((surface == Surface.SNOW).astype(np.float32), factor)
    if kind in ("CLDPRB", "SNWPRB"):
        share = cloud if kind == "CLDPRB" else snow * (1 - cloud)
        return np.where(seen, np.rint(100 * share), 0).astype(np.uint8)
    centre = surface[factor // 2 :: factor, factor // 2 :: factor]
    classes = np.full(seen.shape, CLASSES.index("NOT_VEGETATED"), np.uint8)
    classes[np.isin(centre, _GREEN)] = CLASSES.index("VEGETATION")
    classes[np.isin(centre, _WET)] = CLASSES.index("WATER")
    classes[snow >= 0.5] = CLASSES.index("SNOW_ICE")
    classes[mean(stack.shadow.astype(np.float32), factor) >= 127.5] = CLASSES.index("CLOUD_SHADOW")
    classes[mean(stack.cirrus.astype(np.float32), factor) >= 25.5] = CLASSES.index("THIN_CIRRUS")
    classes[cloud >= 0.1] = CLASSES.index("CLOUD_MEDIUM_PROBA")
    classes[cloud >= 0.5] = CLASSES.index("CLOUD_HIGH_PROBA")
    classes[~seen] = CLASSES.index("NODATA")
    return classes


def level2_truth(scene: Scene, kind: str, resolution: int, window: Window) -> Pixels:
    """Tell what an image of level 2A that is no band holds in a window.

    Parameters
    ----------
    scene
        The scene.
    kind
        ``AOT`` or ``WVP`` (uint16, 1000 for an optical thickness of 1 and for 1 cm), ``SCL`` (uint8, by
        ``CLASSES``), ``CLDPRB`` or ``SNWPRB`` (uint8, percent).
    resolution
        10, 20 or 60 m.
    window
        Rows (start, stop) and columns (start, stop) of the grid of that resolution, zero-based, half-open.

    Raises
    ------
    InputError
        If there is no such kind.
    WindowError
        If the window is empty or reaches beyond the scene.
    """
    if kind not in (*LEVEL2_KINDS, "CLDPRB", "SNWPRB"):
        message = f"There is no image {kind!r}: expected one of {', '.join(LEVEL2_KINDS)}, CLDPRB, SNWPRB."
        raise InputError(message)
    check_window(scene, resolution, window)
    return level2_pixels(scene, kind, resolution, window, layers(scene, on_ten_metres(window, resolution)))


def level2_scale(offset: int, quantification: int) -> list[etree._Element]:
    """Make the elements that tell how counts are scaled."""
    return [
        element(
            "QUANTIFICATION_VALUES_LIST",
            element("BOA_QUANTIFICATION_VALUE", quantification, unit="none"),
            element("AOT_QUANTIFICATION_VALUE", f"{ATMOSPHERE_SCALE:.1f}", unit="none"),
            element("WVP_QUANTIFICATION_VALUE", f"{ATMOSPHERE_SCALE:.1f}", unit="cm"),
        ),
        element(
            "BOA_ADD_OFFSET_VALUES_LIST",
            *(element("BOA_ADD_OFFSET", offset, band_id=band.number) for band in BANDS),
        ),
    ]


def level2_classes() -> etree._Element:
    """Make the list of classes."""
    return element(
        "Scene_Classification_List",
        *(
            element(
                "Scene_Classification_ID",
                element("SCENE_CLASSIFICATION_TEXT", f"SC_{name}"),
                element("SCENE_CLASSIFICATION_INDEX", value),
            )
            for value, name in enumerate(CLASSES)
        ),
    )

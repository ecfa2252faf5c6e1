"""What a tile's metadata (``MTD_TL.xml``) tells: its grids, the sun, the view, and its masks' files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from swath.io.store import safe_name
from swath.product._fields import Fields
from swath.product.grid import Grid
from swath.product.sentinel2._bands import BANDS, RESOLUTIONS

if TYPE_CHECKING:
    from datetime import datetime

    from swath.io.store import Store

__all__ = ["Angles", "TileMetadata", "read_tile_metadata"]

_MAX_SIZE = 100_000
"""More rows or columns than any tile has."""


@dataclass(frozen=True)
class Angles:
    """Zenith and azimuth, degrees, at the nodes of a grid of 5 km and on average."""

    step: tuple[float, float]
    """Metres between rows and between columns of nodes; node (0, 0) is the tile's upper left corner."""
    detectors: tuple[int, ...]
    """Detectors that see the tile, 1 to 12."""
    sun: npt.NDArray[np.float64]
    """(angle, y, x)."""
    mean_sun: npt.NDArray[np.float64]
    """(angle,)."""
    view: npt.NDArray[np.float64]
    """(band, detector, angle, y, x); NaN where a detector does not see the node."""
    mean_view: npt.NDArray[np.float64]
    """(band, angle)."""


@dataclass(frozen=True)
class TileMetadata:
    """Place, time, angles and masks of a tile."""

    identifier: str
    sensing_time: datetime
    crs: str
    """``EPSG:32755``."""
    crs_name: str
    grids: dict[int, Grid]
    """Grid of each resolution (10, 20, 60 m)."""
    angles: Angles
    masks: dict[tuple[str, str], str]
    """File of each mask, by its type (``MSK_DETFOO``) and band (``b02``; empty for a mask of all bands, or
    the resolution, ``20m``, of one that there is at several)."""


def read_tile_metadata(store: Store, name: str) -> TileMetadata:
    """Read a tile's metadata; same errors as the product's."""
    root = Fields.read(store, name)
    code = root.text("HORIZONTAL_CS_CODE")
    if not code.startswith("EPSG:") or not code[5:].isdecimal():
        raise root.error(f"HORIZONTAL_CS_CODE is {code!r}, expected one like EPSG:32755")
    return TileMetadata(
        identifier=root.text("TILE_ID" if root.find("TILE_ID") else "TILE_ID_2A"),
        sensing_time=root.time("SENSING_TIME"),
        crs=code,
        crs_name=root.text("HORIZONTAL_CS_NAME"),
        grids=_grids(root, code),
        angles=_angles(root),
        masks=_masks(root, name.rpartition("/")[0]),
    )


def _grids(root: Fields, crs: str) -> dict[int, Grid]:
    sizes = {str(f.element.get("resolution")): f for f in root.all("Tile_Geocoding/Size")}
    places = {str(f.element.get("resolution")): f for f in root.all("Tile_Geocoding/Geoposition")}
    grids = {}
    for resolution in RESOLUTIONS:
        size, place = sizes.get(str(resolution)), places.get(str(resolution))
        if size is None or place is None:
            raise root.error(f"Tile_Geocoding lacks the Size or Geoposition of {resolution} m")
        shape = (size.whole("NROWS", low=1, high=_MAX_SIZE), size.whole("NCOLS", low=1, high=_MAX_SIZE))
        dx, dy = place.number("XDIM", low=1e-3, high=1e5), place.number("YDIM", low=-1e5, high=-1e-3)
        left, top = place.number("ULX", low=-1e7, high=1e7), place.number("ULY", low=-1e8, high=1e8)
        grids[resolution] = Grid(shape, (dx, 0.0, left, 0.0, dy, top), crs)
    return grids


def _pair(fields: Fields) -> npt.NDArray[np.float64]:
    """Return a zenith and an azimuth grid as (angle, y, x)."""
    zenith, azimuth = (fields.rows(f"{angle}/Values_List/VALUES") for angle in ("Zenith", "Azimuth"))
    if zenith.shape != azimuth.shape:
        raise fields.error(f"Zenith of {zenith.shape} nodes, Azimuth of {azimuth.shape}; expected the same")
    with np.errstate(invalid="ignore"):
        if (zenith < 0).any() or (zenith > 180).any() or (np.abs(azimuth) > 360).any():
            raise fields.error("angles outside 0 to 180 (zenith) or -360 to 360 (azimuth) degrees")
    return np.stack([zenith, azimuth])


def _mean(fields: Fields) -> list[float]:
    return [
        fields.number("ZENITH_ANGLE", low=0, high=180),
        fields.number("AZIMUTH_ANGLE", low=-360, high=360),
    ]


def _angles(root: Fields) -> Angles:
    sun_grid = root.get("Tile_Angles/Sun_Angles_Grid")
    sun = _pair(sun_grid)
    step = (
        sun_grid.number("Zenith/ROW_STEP", low=1, high=1e6),
        sun_grid.number("Zenith/COL_STEP", low=1, high=1e6),
    )
    grids = root.all("Viewing_Incidence_Angles_Grids")
    detectors = tuple(sorted({grid.attribute("detectorId", high=12) for grid in grids}))
    view = np.full((len(BANDS), len(detectors), *sun.shape), np.nan)
    for grid in grids:
        found = _pair(grid)
        if found.shape != sun.shape:
            raise grid.error(f"{found.shape[1:]} nodes, expected {sun.shape[1:]} as for the sun")
        view[grid.attribute("bandId", high=12), detectors.index(grid.attribute("detectorId", high=12))] = (
            found
        )
    mean_view = np.full((len(BANDS), 2), np.nan)
    for mean in root.all("Mean_Viewing_Incidence_Angle"):
        mean_view[mean.attribute("bandId", high=12)] = _mean(mean)
    mean_sun = np.array(_mean(root.get("Tile_Angles/Mean_Sun_Angle")))
    return Angles(step, detectors, sun, mean_sun, view, mean_view)


def _masks(root: Fields, folder: str) -> dict[tuple[str, str], str]:
    """Return the files of the masks; old products name them without their folder."""
    masks = {}
    for mask in root.all("MASK_FILENAME"):
        told = mask.text()
        band = BANDS[mask.attribute("bandId", high=12)].name if mask.element.get("bandId") else ""
        resolution = re.search(r"_(\d\dm)\.jp2$", told)
        name = safe_name(told if "/" in told else f"{folder}/QI_DATA/{told}")
        masks[str(mask.element.get("type", "")), resolution[1] if resolution else band] = name
    return masks

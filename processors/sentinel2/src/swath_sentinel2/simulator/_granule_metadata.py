"""The tile's metadata, ``MTD_TL.xml``: where it lies, the grids of angles, its masks.

Source: S2-PDGS-TAS-DI-PSD, level-1C tile metadata.
"""

import numpy as np
from lxml import etree
from numpy.typing import NDArray
from rasterio.warp import transform

from swath_sentinel2.simulator import _names as names
from swath_sentinel2.simulator._bands import BANDS, RESOLUTIONS, Band
from swath_sentinel2.simulator._detectors import COUNT, detectors_at, viewing_angles
from swath_sentinel2.simulator._elements import document, element, moment, root, section
from swath_sentinel2.simulator._scene import Scene
from swath_sentinel2.simulator._sun import sun_angles

_NODES = 23
"""Rows and columns of a grid of angles, the same for every size of scene."""
_GROUND_SPEED = 6_760
"""Metres of ground that pass below the satellite each second, told from the sun's angles in real products."""

Angles = NDArray[np.float64]


def granule_metadata(scene: Scene, *, cloudy: float, snowy: float) -> bytes:
    """Write the document; ``cloudy`` and ``snowy`` are percentages of the pixels."""
    schema = _schema(scene)
    return document(
        root(
            f"Level-{scene.level[1:]}_Tile_ID",
            schema,
            _general(scene),
            section("Geometric_Info", schema, _geocoding(scene), _angles(scene)),
            _quality(scene, cloudy, snowy),
        )
    )


def _schema(scene: Scene) -> str:
    return f"S2_PDI_Level-{scene.level[1:]}_Tile_Metadata.xsd"


def _general(scene: Scene) -> etree._Element:
    return section(
        "General_Info",
        _schema(scene),
        element("TILE_ID", names.granule_identifier(scene), metadataLevel="Brief"),
        element("DATASTRIP_ID", names.datastrip_identifier(scene), metadataLevel="Standard"),
        element("DOWNLINK_PRIORITY", "NOMINAL", metadataLevel="Standard"),
        element("SENSING_TIME", moment(scene.granule_sensing), metadataLevel="Standard"),
        element(
            "Archiving_Info",
            element("ARCHIVING_CENTRE", names.CENTRE),
            element("ARCHIVING_TIME", moment(scene.generated)),
            metadataLevel="Expertise",
        ),
    )


def _geocoding(scene: Scene) -> etree._Element:
    zone, southern = scene.epsg % 100, scene.epsg // 100 == 327
    east, north = scene.corner
    return element(
        "Tile_Geocoding",
        element("HORIZONTAL_CS_NAME", f"WGS84 / UTM zone {zone}{'S' if southern else 'N'}"),
        element("HORIZONTAL_CS_CODE", f"EPSG:{scene.epsg}"),
        *(
            element(
                "Size",
                element("NROWS", scene.pixels(resolution)),
                element("NCOLS", scene.pixels(resolution)),
                resolution=resolution,
            )
            for resolution in RESOLUTIONS
        ),
        *(
            element(
                "Geoposition",
                element("ULX", east),
                element("ULY", north),
                element("XDIM", resolution),
                element("YDIM", -resolution),
                resolution=resolution,
            )
            for resolution in RESOLUTIONS
        ),
        metadataLevel="Brief",
    )


def angle_step(scene: Scene) -> int:
    """Metres between the nodes of the grids of angles: 5000 for a full tile, less for a smaller scene."""
    return -(-scene.extent // (_NODES - 1) // 10) * 10


def sun_grid(scene: Scene) -> tuple[Angles, Angles]:
    """Zenith and azimuth of the sun in degrees, ``(23, 23)``, each node at the time at which it was seen."""
    nodes = np.arange(_NODES, dtype=np.float64) * angle_step(scene)
    south, east = np.meshgrid(nodes, nodes, indexing="ij")
    corner_east, corner_north = scene.corner
    longitude, latitude = transform(
        f"EPSG:{scene.epsg}", "EPSG:4326", (corner_east + east).ravel(), (corner_north - south).ravel()
    )
    # The sensing time is that of the middle, as in products of baselines 02.09 and 05.09.
    after = (south.ravel() - scene.extent / 2) / _GROUND_SPEED
    zenith, azimuth = sun_angles(scene.granule_sensing, after, np.array(longitude), np.array(latitude))
    return zenith.reshape(south.shape), azimuth.reshape(south.shape)


def viewing_grid(scene: Scene, band: Band, detector: int) -> tuple[Angles, Angles]:
    """Give a detector's viewing zenith and azimuth in degrees, ``(23, 23)``, NaN where it does not see."""
    nodes = np.arange(_NODES, dtype=np.float64) * angle_step(scene)
    east, south = nodes[None, :], nodes[:, None]
    seen = detectors_at(scene, band, east, south) == detector
    zenith, azimuth = viewing_angles(scene, band, detector, east, south)
    return np.where(seen, zenith, np.nan), np.where(seen, azimuth, np.nan)


def _angles(scene: Scene) -> etree._Element:
    zenith, azimuth = sun_grid(scene)
    grids, means = [], []
    for band in BANDS:
        views = {detector: viewing_grid(scene, band, detector) for detector in range(1, COUNT + 1)}
        seen = {detector: view for detector, view in views.items() if np.isfinite(view[0]).any()}
        for detector, view in seen.items():
            grids.append(
                _grid("Viewing_Incidence_Angles_Grids", scene, *view, bandId=band.number, detectorId=detector)
            )
        means.append(
            _mean("Mean_Viewing_Incidence_Angle", *_mean_direction(list(seen.values())), bandId=band.number)
        )
    return element(
        "Tile_Angles",
        _grid("Sun_Angles_Grid", scene, zenith, azimuth),
        _mean("Mean_Sun_Angle", float(zenith.mean()), float(azimuth.mean())),
        *grids,
        element("Mean_Viewing_Incidence_Angle_List", *means),
        metadataLevel="Standard",
    )


def _mean_direction(views: list[tuple[Angles, Angles]]) -> tuple[float, float]:
    """Mean zenith, and azimuth of the mean direction, over all nodes that are seen, in degrees."""
    zenith = np.concatenate([view[0][np.isfinite(view[0])] for view in views])
    azimuth = np.concatenate([view[1][np.isfinite(view[1])] for view in views])
    flat = np.sin(np.radians(zenith)) * np.exp(1j * np.radians(azimuth))
    return float(zenith.mean()), float(np.degrees(np.angle(flat.sum())) % 360)


def _mean(tag: str, zenith: float, azimuth: float, **attributes: int) -> etree._Element:
    return element(
        tag,
        element("ZENITH_ANGLE", f"{zenith:.9f}", unit="deg"),
        element("AZIMUTH_ANGLE", f"{azimuth:.9f}", unit="deg"),
        **attributes,
    )


def _grid(tag: str, scene: Scene, zenith: Angles, azimuth: Angles, **attributes: int) -> etree._Element:
    def values(name: str, angles: Angles) -> etree._Element:
        rows = (" ".join("NaN" if np.isnan(angle) else f"{angle:.6g}" for angle in row) for row in angles)
        return element(
            name,
            element("COL_STEP", angle_step(scene), unit="m"),
            element("ROW_STEP", angle_step(scene), unit="m"),
            element("Values_List", *(element("VALUES", row) for row in rows)),
        )

    return element(tag, values("Zenith", zenith), values("Azimuth", azimuth), **attributes)


def _quality(scene: Scene, cloudy: float, snowy: float) -> etree._Element:
    masks = [
        element(
            "MASK_FILENAME", names.mask_file(scene, kind, band.name), bandId=band.number, type=f"MSK_{kind}"
        )
        for band in BANDS
        for kind in ("DETFOO", "QUALIT")
    ]
    if scene.level == "L2A":
        masks += [
            element("MASK_FILENAME", names.mask_file(scene, kind, f"{resolution}m"), type=f"MSK_{kind}")
            for resolution in (20, 60)
            for kind in ("CLDPRB", "SNWPRB")
        ]
    return section(
        "Quality_Indicators_Info",
        _schema(scene),
        element(
            "Image_Content_QI",
            element("CLOUDY_PIXEL_PERCENTAGE", f"{cloudy:.6f}"),
            element("DEGRADED_MSI_DATA_PERCENTAGE", 0),
            element("SNOW_PIXEL_PERCENTAGE", f"{snowy:.6f}"),
        ),
        element(
            "Pixel_Level_QI",
            *masks,
            element("MASK_FILENAME", names.mask_file(scene, "CLASSI", "B00"), type="MSK_CLASSI"),
            geometry="FULL_RESOLUTION",
        ),
        element("PVI_FILENAME", names.preview_file(scene)),
        metadataLevel="Standard",
    )

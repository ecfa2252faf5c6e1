"""Where the tile, the sun and the satellite are, against real products."""

from datetime import datetime

import numpy as np
import pytest
from lxml import etree
from rasterio.warp import transform
from swath.errors import InputError
from swath_sentinel2.simulator import BANDS, Scene
from swath_sentinel2.simulator._granule_metadata import angle_step, sun_grid, viewing_grid
from swath_sentinel2.simulator._sun import sun_angles, sun_correction
from swath_sentinel2.simulator._tiling import tile_corner


@pytest.mark.parametrize(
    ("tile", "expected"),
    [
        # From the metadata of real products.
        ("T55JEJ", (32755, 499980, 6900040)),
        ("T01KAB", (32701, 99960, 8200000)),
        ("T19UDP", (32619, 399960, 5400000)),
        ("T32TQM", (32632, 699960, 4700040)),
    ],
)
def test_tiles_lie_where_real_ones_do(tile, expected):
    assert tile_corner(tile) == expected


def test_tile_of_the_sample_lies_where_its_metadata_says(samples):
    (found,) = (samples / "s2").glob("S2A_MSIL1C_2020*/GRANULE/*/MTD_TL.xml")
    document = etree.parse(found)
    expected = tuple(
        int(document.findtext(f".//Geoposition[@resolution='10']/{tag}")) for tag in ("ULX", "ULY")
    )
    assert tile_corner("T01LAC") == (int(document.findtext(".//HORIZONTAL_CS_CODE")[5:]), *expected)


@pytest.mark.parametrize(
    "tile", ["32TQM", "T00TQM", "T61TQM", "T32IQM", "T32TAM", "T32TQC", "T32TQZ", "", "T3"]
)
def test_refuses_a_tile_that_there_is_not(tile):
    with pytest.raises(InputError, match="There is no tile"):
        tile_corner(tile)


def test_sun_stands_where_the_sample_says(samples):
    """Each point of the sample was seen at its own time, the middle at the sensing time."""
    (found,) = (samples / "s2").glob("S2A_MSIL1C_2020*/GRANULE/*/MTD_TL.xml")
    document = etree.parse(found)

    def grid(name):
        rows = document.findall(f".//Sun_Angles_Grid/{name}/Values_List/VALUES")
        return np.array([row.text.split() for row in rows], float)

    zenith, azimuth = grid("Zenith"), grid("Azimuth")
    _, east, north = tile_corner("T01LAC")
    nodes = np.arange(len(zenith)) * 5000.0
    south, right = np.meshgrid(nodes, nodes, indexing="ij")
    place = transform("EPSG:32701", "EPSG:4326", (east + right).ravel(), (north - south).ravel())
    longitude, latitude = np.array(place)
    time = datetime.fromisoformat(document.findtext(".//SENSING_TIME"))
    seconds = (south.ravel() - 54900) / 6760
    ours = sun_angles(time, seconds, longitude, latitude)
    assert np.abs(ours[0].reshape(zenith.shape) - zenith).max() < 0.006
    assert np.abs(ours[1].reshape(azimuth.shape) - azimuth).max() < 0.008


def test_distance_to_the_sun_is_that_of_the_sample(samples):
    (found,) = (samples / "s2").glob("S2A_MSIL1C_2020*/MTD_MSIL1C.xml")
    document = etree.parse(found)
    # The sample's own value is 4e-4 off the ephemerides.
    time = datetime.fromisoformat(document.findtext(".//DATATAKE_SENSING_START"))
    assert sun_correction(time) == pytest.approx(float(document.findtext(".//U")), rel=1e-3)


@pytest.mark.parametrize(("size", "step"), [(10980, 5000), (1098, 500), (390, 180)])
def test_angle_grids_always_have_23_nodes(size, step):
    scene = Scene(size=size)
    assert angle_step(scene) == step
    assert sun_grid(scene)[0].shape == (23, 23)
    assert 22 * step >= scene.extent


def test_each_node_of_the_angle_grids_is_seen_by_one_detector_at_most():
    scene = Scene(size=1098)
    for band in BANDS:
        seen = sum(
            np.isfinite(viewing_grid(scene, band, detector)[0]).astype(int) for detector in range(1, 13)
        )
        assert seen.max() == 1
        assert 0.8 < seen.mean() < 1


def test_neighbouring_detectors_look_ahead_and_back():
    scene, band = Scene(size=1098), BANDS[3]
    north = {
        detector: np.cos(np.radians(viewing_grid(scene, band, detector)[1]))
        for detector in (8, 9, 10, 11, 12)
    }
    # The satellite stands further north for even detectors, which look ahead, than for odd ones.
    means = {detector: np.nanmean(values) for detector, values in north.items()}
    assert min(means[8], means[10]) > max(means[9], means[11])


def test_viewing_angles_are_those_of_the_swath():
    scene = Scene()
    zenith = np.stack([viewing_grid(scene, BANDS[1], detector)[0] for detector in range(1, 13)])
    assert 0 < np.nanmin(zenith) < np.nanmax(zenith) < 12.1

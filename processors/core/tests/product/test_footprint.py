"""Outlines of products: closed, counter-clockwise, and cut at the 180th meridian."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rasterio.warp import transform as transform_points
from swath.errors import MetadataError
from swath.product import Grid
from swath.product._footprint import grid_footprint, ring_footprint

GRID = Grid((86, 86), (1280.0, 0.0, 499980.0, 0.0, -1280.0, 6900040.0), "EPSG:32755")
SQUARE = [(0.0, 0.0), (2.0, 0.0), (2.0, 1.0), (0.0, 1.0)]


def area(ring):
    x, y = np.array(ring).T
    return 0.5 * (x[:-1] * y[1:] - x[1:] * y[:-1]).sum()


def test_the_outline_is_closed_counter_clockwise_and_within_the_bounding_box():
    geometry, bbox = grid_footprint(GRID)
    (ring,) = geometry["coordinates"]
    x, y = np.array(ring).T
    assert ring[0] == ring[-1]
    assert len(ring) == 81
    assert (x[:-1] * y[1:] - x[1:] * y[:-1]).sum() > 0
    assert bbox == [x.min(), y.min(), x.max(), y.max()]
    left, bottom, right, top = GRID.bounds
    corners = transform_points(GRID.crs, "EPSG:4326", [left, left, right, right], [top, bottom, bottom, top])
    assert [ring[i] for i in (0, 20, 40, 60)] == [
        [round(v, 7) for v in point] for point in zip(*corners, strict=True)
    ]


def test_edges_between_the_corners_bend_as_the_projection_does():
    geometry, _ = grid_footprint(GRID)
    ring = np.array(geometry["coordinates"][0])
    middle, chord = ring[70, 1], (ring[60, 1] + ring[0, 1]) / 2
    assert 1e-4 < abs(middle - chord) < 1e-2


def test_a_tile_over_the_180th_meridian_is_cut_in_two():
    # T01LAC begins west of the meridian; its real corner, S2A_MSIL1C_20200717T221941.
    grid = Grid((10980, 10980), (10.0, 0.0, 99960.0, 0.0, -10.0, 8300020.0), "EPSG:32701")
    geometry, bbox = grid_footprint(grid)
    assert geometry["type"] == "MultiPolygon"
    west, east = (np.array(polygon[0]) for polygon in geometry["coordinates"])
    assert west[:, 0].min() > 178
    assert west[:, 0].max() == 180
    assert east[:, 0].min() == -180
    assert east[:, 0].max() < -178
    assert bbox[0] > bbox[2]
    assert bbox[0] == west[:, 0].min()
    # The two parts together are as large as the outline before it was cut.
    area = sum(0.5 * (p[:-1, 0] * p[1:, 1] - p[1:, 0] * p[:-1, 1]).sum() for p in (west, east))
    assert area == pytest.approx(1.0, rel=0.1)


def test_a_ring_across_the_meridian_is_cut_in_two():
    ring = [
        (180.0, -15.4),
        (-179.7, -15.4),
        (-179.7, -16.4),
        (180.0, -16.3),
        (179.3, -16.3),
        (179.3, -15.3),
        (180.0, -15.4),
    ]
    geometry, bbox = ring_footprint(ring)
    assert geometry["type"] == "MultiPolygon"
    assert [sorted({x for x, _ in part[0]}) for part in geometry["coordinates"]] == [
        [179.3, 180.0],
        [-180.0, -179.7],
    ]
    assert bbox == [179.3, -16.4, -179.7, -15.3]


@pytest.mark.parametrize("edge", [-180.0, 178.0])
def test_a_ring_that_only_touches_the_meridian_is_one_piece(edge):
    # Of the two names of the meridian, the ring may have the other one.
    ring = [(-x if edge > 0 and x == 180 else x, y) for x, y in ((edge + x, y) for x, y in SQUARE)]
    geometry, bbox = ring_footprint(ring)
    assert geometry["type"] == "Polygon"
    assert bbox == [edge, 0.0, edge + 2, 1.0]


@given(
    west=st.floats(-180, 180), width=st.floats(0.01, 170), clockwise=st.booleans(), start=st.integers(0, 3)
)
def test_no_part_is_lost_whatever_the_place_direction_and_first_point(west, width, clockwise, start):
    ring = [(west + x / 2 * width, y) for x, y in SQUARE]
    ring = [(x - 360 if x > 180 else x, y) for x, y in ring[:: -1 if clockwise else 1]]
    ring = ring[start:] + ring[: start + 1]
    geometry, (left, south, right, north) = ring_footprint(ring)
    many = geometry["type"] == "MultiPolygon"
    parts = [part[0] for part in geometry["coordinates"]] if many else geometry["coordinates"]
    assert all(part[0] == part[-1] and area(part) >= 0 for part in parts)
    assert sum(map(area, parts)) == pytest.approx(width, abs=1e-6)
    assert all(-180 <= x <= 180 for part in parts for x, _ in part)
    assert (right - left) % 360 == pytest.approx(width, abs=1e-6)
    assert (south, north) == (0, 1)


def test_an_outline_without_area_is_refused():
    with pytest.raises(MetadataError, match="without area"):
        ring_footprint([(1.0, 2.0), (2.0, 3.0), (3.0, 4.0), (1.0, 2.0)])

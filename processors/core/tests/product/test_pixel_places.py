"""Windows of SLSTR: on each grid its own rows and columns, and nothing is read that is not needed."""

import numpy as np
import pytest
import swath
from swath.errors import InputError, WindowError
from swath.io import metering
from swath.product import Filters, select

WEST, EAST, SOUTH, NORTH = 179.8, -179.9, 19.6, 19.7
BOUNDS = f"lon {WEST}:{EAST}, lat {SOUTH}:{NORTH}"
"""Bounds across the antimeridian, where all grids have pixels."""


def inside(group):
    latitude, longitude = group["latitude"].values, group["longitude"].values
    east = (longitude >= WEST) | (longitude <= EAST)
    return (latitude >= SOUTH) & (latitude <= NORTH) & east


@pytest.mark.parametrize(
    ("grid", "name"), [("anadir", "s1_radiance_an"), ("inadir", "s7_bt_in"), ("ioblique", "s8_bt_io")]
)
def test_each_grid_keeps_all_pixels_within_bounds_and_no_row_or_column_without_one(placed_rbt, grid, name):
    whole = swath.open_product(placed_rbt)[f"measurements/{grid}"]
    part = select(swath.open_product(placed_rbt), Filters(window=BOUNDS))[f"measurements/{grid}"]
    mask = inside(whole)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    expected = whole[name].values[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    assert 0 < expected.size < whole[name].size
    np.testing.assert_array_equal(part[name].values, expected)
    assert inside(part).sum() == mask.sum()


def test_what_is_on_a_grid_is_cut_with_it_and_tie_points_stay(placed_rbt):
    part = select(swath.open_product(placed_rbt), Filters(window=BOUNDS))
    rows, columns = part["measurements/inadir/s7_bt_in"].shape
    assert part["quality/inadir/confidence_in"].shape == (rows, columns)
    assert part["conditions/processing/inadir/detector"].shape == (rows, columns)
    assert part["measurements/inadir/orphan/s7_bt"].shape == (rows, 3)
    assert part["conditions/geometry_tn/sat_zenith_tn"].shape == (60, 5)
    told = part.attrs["other_metadata"]["window"]
    assert set(told) == {"anadir", "inadir", "ioblique"}
    assert told["inadir"]["rows"][1] - told["inadir"]["rows"][0] == rows
    assert part.attrs["stac_discovery"]["properties"]["proj:shape"] == list(
        part["measurements/anadir/s1_radiance_an"].shape
    )


def test_a_grid_that_has_no_pixel_there_is_left_out(placed_rbt):
    whole = swath.open_product(placed_rbt)
    part = select(whole, Filters(window="lon 179.95:-179.8, lat 10:30"))
    assert "inadir" in part["measurements"].children
    assert "ioblique" not in part["measurements"].children


def test_images_are_read_in_the_chunks_of_the_window_alone(placed_rbt):
    part = select(swath.open_product(placed_rbt), Filters(window=BOUNDS))
    image = part["measurements/anadir/s1_radiance_an"]
    chunks = {(row // 12, column // 12) for row, column in window_pixels(part, "anadir")}
    with metering.reading() as read:
        image.values  # noqa: B018 -- to read it
    assert read.counts.chunks == len(chunks)
    assert len(chunks) < 10 * 7


def window_pixels(part, grid):
    told = part.attrs["other_metadata"]["window"][grid]
    return [(row, column) for row in range(*told["rows"]) for column in range(*told["columns"])]


def test_a_polygon_masks_what_lies_outside(placed_rbt):
    ring = [[179.75, 19.6], [179.95, 19.6], [179.95, 19.8], [179.75, 19.6]]
    text = f'{{"type": "Polygon", "coordinates": [{ring}]}}'
    group = select(swath.open_product(placed_rbt), Filters(polygon=text))["measurements/inadir"]
    latitude, longitude = group["latitude"].values, group["longitude"].values
    expected = (latitude >= 19.6) & (longitude < 179.95) & (latitude - 19.6 < longitude - 179.75)
    assert 50 < expected.sum() < expected.size
    np.testing.assert_array_equal(np.isfinite(group["s7_bt_in"].values), expected)


def test_flags_of_one_grid_mask_no_other_one(placed_rbt):
    part = select(
        swath.open_product(placed_rbt), Filters(where="quality/inadir/confidence_in: odd", band=("s7", "s8"))
    )
    assert np.isnan(part["measurements/inadir/s8_bt_in"]).any()
    assert not np.isnan(part["measurements/ioblique/s8_bt_io"]).any()


def test_bounds_outside_and_rows_of_several_grids_are_told(placed_rbt):
    tree = swath.open_product(placed_rbt)
    with pytest.raises(WindowError, match="has no pixel of the product"):
        select(tree, Filters(window="lon 10:11, lat 19:20"))
    with pytest.raises(InputError, match=r"this product has 3 \(anadir 120 x 80, .*give bounds"):
        select(tree, Filters(window="rows 0:10, columns 0:10"))


def test_rows_and_columns_are_taken_where_there_is_one_grid(placed_rbt):
    one = select(swath.open_product(placed_rbt), Filters(include=("*/inadir/*",)))
    part = select(one, Filters(window="rows 5:15, columns 10:30"))
    np.testing.assert_array_equal(
        part["measurements/inadir/s7_bt_in"].values,
        swath.open_product(placed_rbt)["measurements/inadir/s7_bt_in"].values[5:15, 10:30],
    )

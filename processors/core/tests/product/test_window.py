"""Windows and grids."""

import pytest
import rasterio
import rasterio.warp
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from swath.errors import MetadataError, WindowError
from swath.product import Grid, Window

GRID = Grid((10980, 10980), (10.0, 0.0, 499980.0, 0.0, -10.0, 6900040.0), "EPSG:32755")


@st.composite
def windows(draw):
    rows = sorted(draw(st.sets(st.integers(0, GRID.shape[0]), min_size=2, max_size=2)))
    columns = sorted(draw(st.sets(st.integers(0, GRID.shape[1]), min_size=2, max_size=2)))
    return Window(tuple(rows), tuple(columns))


@given(windows())
def test_what_a_window_says_of_itself_parses_to_it(window):
    assert Window.parse(str(window), GRID) == window
    assert Window.parse({"rows": list(window.rows), "columns": list(window.columns)}, GRID) == window


@given(windows())
def test_bounds_of_a_window_parse_to_one_that_contains_it(window):
    west, south, east, north = rasterio.warp.transform_bounds(
        "EPSG:32755", "EPSG:4326", *GRID.crop(window).bounds
    )
    found = Window.parse({"lon": [west, east], "lat": [south, north]}, GRID)
    assert found.rows[0] <= window.rows[0] < window.rows[1] <= found.rows[1]
    assert found.columns[0] <= window.columns[0] < window.columns[1] <= found.columns[1]


def test_bounds_are_rounded_outwards():
    window = Window.parse("lon 147.1:147.3, lat -28.4:-28.2", GRID)
    left, bottom, right, top = GRID.crop(window).bounds
    wanted = rasterio.warp.transform_bounds(
        "EPSG:4326", "EPSG:32755", 147.1, -28.4, 147.3, -28.2, densify_pts=50
    )
    assert left <= wanted[0] < left + 10.001
    assert right - 10.001 < wanted[2] <= right
    assert bottom <= wanted[1] < bottom + 10.001
    assert top - 10.001 < wanted[3] <= top


def test_bounds_partly_outside_are_cut_to_the_grid():
    window = Window.parse("lon 140:147.1, lat -30:-28.1", GRID)
    assert window.columns[0] == 0
    assert window.rows[1] == GRID.shape[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rows 0:512", "needs rows and columns"),
        ("rows 0:512, lat 1:2", "needs rows and columns"),
        ("rows 5:5, columns 0:10", "rows 5:5 is empty or outside the grid; valid are 0:10980"),
        ("rows 0:10, columns 9:4", "columns 9:4 is empty"),
        ("rows 0:10981, columns 0:10", "valid are 0:10980"),
        ("rows -1:10, columns 0:10", "valid are 0:10980"),
        ("rows 0.5:10, columns 0:10", "not whole numbers"),
        ("rows 0-10, columns 0:10", "cannot understand 'rows 0-10'"),
        ("rows 0:10, rows 0:10", "cannot understand"),
        ("", "cannot understand"),
        ("lon 10:11, lat 50:51", "outside the grid; valid are lon 14"),
        ("lon 147.3:147.1, lat -28.2:-28.0", "valid are lon WEST:EAST"),
        ("lon 147:148, lat -100:-28", "within -90:90"),
        ({"rows": [0, 10], "columns": 10}, "cannot understand columns"),
        ({"rows": [0, 10], "cols": ["a", 2]}, "cannot understand cols"),
        ({"rows": [0, 10], "columns": [0, float("nan")]}, "cannot understand columns"),
        ({"rows": [0, 10], "columns": [0, True]}, "cannot understand columns"),
    ],
)
def test_windows_that_cannot_be(text, told):
    with pytest.raises(WindowError, match=told) as caught:
        Window.parse(text, GRID)
    assert caught.value.exit_status == 2


def test_whitespace_and_order_do_not_matter():
    assert Window.parse(" Columns 1:3 ,rows 2 : 4", GRID) == Window((2, 4), (1, 3))


def test_a_cropped_grid_is_in_its_place():
    part = GRID.crop(Window((100, 200), (50, 80)))
    assert part == Grid((100, 30), (10.0, 0.0, 500480.0, 0.0, -10.0, 6899040.0), "EPSG:32755")
    assert (part.x[0], part.y[-1]) == (500485, 6898045)
    assert GRID.crop(Window.whole(GRID)) == GRID


def dataset(**attributes):
    grid = Grid((4, 6), (10.0, 0.0, 100.0, 0.0, -10.0, 200.0), "EPSG:32632")
    array = xr.DataArray(xr.Variable(("y", "x"), [[0] * 6] * 4), coords={"y": grid.y, "x": grid.x})
    return array.assign_attrs({**grid.attributes(), **attributes}).to_dataset(name="b"), grid


def test_the_grid_of_a_dataset_comes_from_its_attributes_or_when_cut_from_its_coordinates():
    data, grid = dataset()
    assert Grid.of(data) == Grid.of(data.b) == Grid.of(xr.DataTree(data)) == grid
    assert Grid.of(data.isel(y=slice(1, 3), x=slice(2, 5))) == grid.crop(Window((1, 3), (2, 5)))
    assert Grid.of(data.isel(y=slice(1, 2), x=slice(2, 3))) == grid.crop(Window((1, 2), (2, 3)))


def test_the_grid_of_a_turned_dataset_is_that_of_its_coordinates():
    """As many rows as before, but from south to north: the attributes do not tell it any more."""
    data, grid = dataset()
    turned = Grid((4, 6), (10.0, 0.0, 100.0, 0.0, 10.0, 160.0), grid.crs)
    assert Grid.of(data.sortby("y")) == turned
    assert Grid.of(data.sortby("y").drop_vars(["x", "y"])) == grid
    assert Grid.of(data.assign_coords(x=grid.x + 60)).bounds == (160, 160, 220, 200)


def test_a_dataset_without_one_grid_is_refused():
    data, _ = dataset()
    with pytest.raises(MetadataError, match="no variable with dimensions y and x"):
        Grid.of(xr.Dataset())
    with pytest.raises(MetadataError, match="proj:epsg"):
        Grid.of(data.b.assign_attrs({}).drop_attrs())
    other = data.b.assign_attrs({"proj:epsg": 32633})
    with pytest.raises(MetadataError, match="2 different grids"):
        Grid.of(data.assign(c=other))


@pytest.mark.parametrize(
    "text", ["lon -36:-30, lat 20:40", "lon -34:-32, lat -90:90", "lon 0:90, lat -90:90"]
)
def test_bounds_on_the_other_side_of_the_earth_are_outside(text):
    """Far from its central meridian (147 degrees east here) UTM tells wrong places, some in the grid."""
    with pytest.raises(WindowError, match="outside the grid"):
        Window.parse(text, GRID)


ACROSS = Grid((10980, 10980), (10.0, 0.0, 300000.0, 0.0, -10.0, 8000040.0), "EPSG:32601")
"""A tile that lies across the 180th meridian, from 177.2 degrees east to 179.5 degrees west."""


def test_bounds_across_the_180th_meridian():
    both = Window.parse("lon 179.9:-179.9, lat 71.5:71.6", ACROSS)
    east, west = (Window.parse(f"lon {lon}, lat 71.5:71.6", ACROSS) for lon in ("179.9:180", "-180:-179.9"))
    assert both.columns == (min(east.columns[0], west.columns[0]), max(east.columns[1], west.columns[1]))
    assert both.rows == (min(east.rows[0], west.rows[0]), max(east.rows[1], west.rows[1]))
    assert Window.parse("lon -180:180, lat -90:90", ACROSS) == Window.whole(ACROSS)
    assert Window.parse("lon -180:180, lat -90:90", GRID) == Window.whole(GRID)

"""Filters: what is asked for is what comes, and nothing else is read."""

import itertools
import json
import tracemalloc

import h5py
import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from swath.errors import InputError, SwathError, WindowError
from swath.io import metering
from swath.product import Filters, Grid, select
from swath.product._flag_expression import flag_mask, split_expression
from swath.product._polygon import on_grid
from swath.product.sentinel3 import on_image_grid

FLAGS = xr.DataArray(
    np.arange(16, dtype=np.uint8).reshape(4, 4), dims=("rows", "columns"), name="flags",
    attrs={"flag_masks": [1, 2, 4], "flag_meanings": "land bright sun-glint_risk"},
)  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("land", lambda v: v & 1 > 0),
        ("not land", lambda v: v & 1 == 0),
        ("not not land", lambda v: v & 1 > 0),
        ("land and bright or sun-glint_risk", lambda v: (v & 3 == 3) | (v & 4 > 0)),
        ("land and (bright or sun-glint_risk)", lambda v: (v & 1 > 0) & (v & 6 > 0)),
        ("not (land or bright) and sun-glint_risk", lambda v: (v & 3 == 0) & (v & 4 > 0)),
        ("not land or bright", lambda v: (v & 1 == 0) | (v & 2 > 0)),
    ],
)
def test_expressions_hold_where_they_should(expression, expected):
    np.testing.assert_array_equal(flag_mask(FLAGS, expression), expected(FLAGS.values))


def test_values_and_masked_values_are_flags_too():
    classes = FLAGS.assign_attrs(flag_values=[0, 1, 2], flag_meanings="none cloud snow")
    del classes.attrs["flag_masks"]
    np.testing.assert_array_equal(flag_mask(classes, "cloud or snow"), np.isin(FLAGS, [1, 2]))
    both = FLAGS.assign_attrs(flag_masks=[12, 12], flag_values=[4, 8], flag_meanings="low high")
    np.testing.assert_array_equal(flag_mask(both, "high"), FLAGS.values & 12 == 8)


@pytest.mark.parametrize(
    "expression", ["", "(", "land and", "land land", "sea", "land )", "land & bright", "and", "not"]
)
def test_expressions_that_make_no_sense_are_told_with_the_flags_that_there_are(expression):
    with pytest.raises(InputError, match="has land, bright, sun-glint_risk"):
        flag_mask(FLAGS, expression)


@given(st.text(alphabet="landbrigt()no &|-_", max_size=40))
def test_whatever_the_expression_is_the_error_is_typed(expression):
    try:
        assert flag_mask(FLAGS, expression).dtype == bool
    except SwathError:
        return


def test_parentheses_in_one_another_without_end_are_told():
    with pytest.raises(InputError, match="too many parentheses"):
        flag_mask(FLAGS, "(" * 450 + "land" + ")" * 450)


def test_an_expression_names_its_variable():
    assert split_expression(" /quality/quality_flags : not invalid") == (
        "quality/quality_flags",
        "not invalid",
    )
    with pytest.raises(InputError, match="a colon and an expression"):
        split_expression("not invalid")


def test_flags_mask_the_images_on_their_pixels(small_efr):
    tree = swath.open_product(small_efr)
    flags = tree["quality/quality_flags"].values
    masks = dict(zip(
        tree["quality/quality_flags"].attrs["flag_meanings"].split(),
        tree["quality/quality_flags"].attrs["flag_masks"], strict=True,
    ))  # fmt: skip
    kept = flags & masks["land"] == 0
    chosen = select(tree, Filters(where="quality/quality_flags: not land", include=("measurements/oa0*",)))
    found = chosen["measurements/oa03_radiance"]
    np.testing.assert_array_equal(
        found.values, np.where(kept, tree["measurements/oa03_radiance"].values, np.nan)
    )
    assert "quality" not in chosen.children
    with pytest.raises(InputError, match="there are quality/quality_flags"):
        select(tree, Filters(where="quality/flags: land"))


def test_masks_leave_numbers_packed_as_they_were(small_efr, tmp_path):
    tree = swath.open_product(small_efr)
    chosen = select(tree, Filters(where="quality/quality_flags: not land", include=("*/oa01_radiance",)))
    swath.write_product(chosen, tmp_path / "p.zarr")
    again = swath.open_product(tmp_path / "p.zarr")["measurements/oa01_radiance"]
    assert again.encoding["dtype"] == np.uint16
    np.testing.assert_allclose(again.values, chosen["measurements/oa01_radiance"].values)


def test_a_window_of_a_swath_reads_only_its_chunks(efr):
    tree = swath.open_product(efr)
    whole = tree["quality/quality_flags"]
    source = swath.chunk_source(whole)
    with metering.reading() as read:
        part = select(tree, Filters(window="rows 900:1000, columns 1000:1900", include=("quality/*",)))
        found = part["quality/quality_flags"].values
    assert read.counts == metering.Counts(bytes=source.chunk_bytes(1, 1), requests=1, chunks=1)
    np.testing.assert_array_equal(found, whole[900:1000, 1000:1900].values)
    assert part.attrs["stac_discovery"]["properties"]["proj:shape"] == [100, 900]


def test_bounds_on_a_swath_read_tie_points_and_the_window(efr):
    tree = swath.open_product(efr)
    with h5py.File(efr / "tie_geo_coordinates.nc") as file:
        latitude, longitude = (file[name][()] * 1e-6 for name in ("latitude", "longitude"))
    south, west = 25.0, 2.0
    inside = (latitude > south) & (latitude < south + 1) & (longitude > west) & (longitude < west + 1)
    rows, columns = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    with metering.reading() as read:
        part = select(tree, Filters(window=f"lon {west}:{west + 1}, lat {south}:{south + 1}"))
    assert read.counts.chunks == 2  # latitude and longitude of the tie points
    window = part.attrs["other_metadata"]["window"]
    assert window["columns"] == [(columns[0] - 1) * 64, (columns[-1] + 1) * 64 + 1]
    assert window["rows"][0] < rows[0] <= rows[-1] < window["rows"][1]
    assert window["rows"][1] - window["rows"][0] < 1.3 * len(rows)
    assert part["conditions/geometry"].sizes["columns"] == len(columns) + 2
    # One chunk of flags of the 25 lies around a degree, or a few of them.
    with metering.reading() as read:
        part["quality/quality_flags"].compute()
    assert 1 <= read.counts.chunks <= 6
    tiny = select(tree, Filters(window="lon 2.50:2.501, lat 25.50:25.501"))
    assert tiny.attrs["stac_discovery"]["properties"]["proj:shape"][1] == 65
    with pytest.raises(WindowError, match="lies outside the image"):
        select(tree, Filters(window="lon 100:101, lat -50:-49"))


@pytest.mark.parametrize(
    "chosen",
    [
        [{"window": "rows 100:200, columns 100:250"}],
        [{"window": "rows 100:200, columns 100:250"}, {"window": "rows 10:20, columns 60:140"}],
        [{"window": "lon -5.1:-4.2, lat 25.1:25.3"}, {"window": "rows 3:5, columns 1:77"}],
        [
            {"window": "rows 0:4000, columns 70:4000"},
            {"time": "2020-01-01T10:15:30/2020-01-01T10:15:33"},
            {"window": "lon -5.1:-4.2, lat 20:30"},
        ],
    ],
)
def test_tie_points_of_a_part_are_where_they_were(efr, chosen):
    """A window need not begin on a tie point; angles of its pixels are those of the whole product."""
    tree = part = swath.open_product(efr)
    for filters in chosen:
        part = select(part, Filters(**filters))
    (rows, columns) = (slice(*part.attrs["other_metadata"]["window"][axis]) for axis in ("rows", "columns"))
    flags = "quality/quality_flags"
    np.testing.assert_array_equal(part[flags].values, tree[flags][rows, columns].values)
    for name in ("sza", "oaa", "latitude"):
        path = f"conditions/geometry/{name}"
        whole = on_image_grid(tree, path)[rows, columns].values
        np.testing.assert_array_equal(on_image_grid(part, path).values, whole)


def test_a_part_that_is_written_and_opened_again_has_its_tie_points(efr, tmp_path):
    part = select(swath.open_product(efr), Filters(window="rows 100:140, columns 100:250"))
    swath.write_product(part, tmp_path / "p.zarr")
    path = "conditions/geometry/sza"
    again = on_image_grid(swath.open_product(tmp_path / "p.zarr"), path)
    np.testing.assert_array_equal(again.values, on_image_grid(part, path).values)


@pytest.mark.parametrize(
    "window", ["lon -1e1:-5e-05, lat .5:30.", "lon -1e1:9, lat +2e1:30, lon 1:2", "lon 1:2"]
)
def test_bounds_on_a_swath_are_numbers_as_on_a_map(efr, window):
    tree = swath.open_product(efr)
    if window.count("l") == 2:
        assert select(tree, Filters(window=window))["quality/quality_flags"].size
        return
    with pytest.raises(WindowError, match="Write"):
        select(tree, Filters(window=window))


def test_times_choose_rows(efr):
    tree = swath.open_product(efr)
    part = select(tree, Filters(time="2020-01-01T10:16:00Z/2020-01-01T10:16:10"))
    times = part["conditions/image"].time_stamp.values
    assert times.min() >= np.datetime64("2020-01-01T10:16:00")
    assert times.max() < np.datetime64("2020-01-01T10:16:10")
    assert len(times) == pytest.approx(10 / 0.044001, abs=1.5)
    assert part["quality/quality_flags"].shape[0] == part["conditions/geometry"].sizes["rows"] == len(times)
    for text, told in (
        ("2021-01-01/", "no rows were taken then"),
        ("noon/", "no time"),
        ("now", "START/STOP"),
    ):
        with pytest.raises(InputError, match=told):
            select(tree, Filters(time=text))


def inside_triangle(xs, ys, ring):
    """Tell which points are on the same side of all three edges."""
    sides = [(x1 - x0) * (ys - y0) - (y1 - y0) * (xs - x0) for (x0, y0), (x1, y1) in itertools.pairwise(ring)]
    return np.logical_and.reduce([side > 0 for side in sides]) | np.logical_and.reduce([s < 0 for s in sides])


@pytest.mark.parametrize(
    "corners",
    [
        [[147.3, -28.3], [147.9, -28.4], [147.7, -28.8]],
        # Far beyond the tile, where edges that were straight on the map would be rows of pixels off.
        [[140.0, -28.5], [156.0, -28.5], [148.0, -45.0]],
        [[-170.0, -10.0], [-170.0, -80.0], [147.5, -28.4]],
    ],
)
def test_polygons_have_the_pixels_in_whose_centres_lie_within(modern_safe, tmp_path, corners):
    tree = swath.open_product(modern_safe)
    ring = [*corners, corners[0]]
    path = tmp_path / "field.geojson"
    geometry = {"type": "Polygon", "coordinates": [ring]}
    path.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": geometry}))
    part = select(tree, Filters(polygon=str(path), include=("measurements/*",)))
    found = part["measurements/reflectance/r20m/b05"]
    grid = Grid.of(found)
    xs, ys = np.meshgrid(grid.x, grid.y)
    places = rasterio.warp.transform(grid.crs, "EPSG:4326", xs.ravel(), ys.ravel())
    inside = inside_triangle(*(np.reshape(part, xs.shape) for part in places), ring)
    whole = tree["measurements/reflectance/r20m/b05"].sel(x=found.x, y=found.y).values
    np.testing.assert_array_equal(np.isnan(found.values), ~inside | np.isnan(whole))
    assert 0 < inside.mean() < 1


@pytest.mark.parametrize(
    ("grid", "box"),
    [
        # The pole is in the middle of the grid.
        (
            Grid((500, 400), (1000.0, 0.0, 1.8e6, 0.0, -1000.0, 2.25e6), "EPSG:32661"),
            (20.3, 65.2, 88.1, 89.6),
        ),
        # The 180th meridian goes through the grid, and the polygon lies on its far side.
        (
            Grid((300, 300), (200.0, 0.0, 166_000.0, 0.0, -200.0, 8e6), "EPSG:32701"),
            (-179.9, -179.6, -18.5, -18.2),
        ),
    ],
)
def test_polygons_at_the_ends_of_the_earth(grid, box):
    west, east, south, north = box
    ring = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    chunks = ((100,) * (grid.shape[0] // 100), (grid.shape[1],))
    drawn = on_grid(grid, [ring], chunks).compute()
    xs, ys = np.meshgrid(grid.x, grid.y)
    places = rasterio.warp.transform(grid.crs, "EPSG:4326", xs.ravel(), ys.ravel())
    x, y = (np.reshape(part, xs.shape) for part in places)
    np.testing.assert_array_equal(drawn, (x > west) & (x < east) & (y > south) & (y < north))
    assert drawn.sum() > 100


def test_polygons_are_drawn_chunk_by_chunk():
    """A mask of a whole tile takes no more memory than its chunks; holes and several parts are as told."""
    grid = Grid((10980, 10980), (10.0, 0.0, 499980.0, 0.0, -10.0, 6900040.0), "EPSG:32755")
    outline = [(147.0, -29.0), (147.9, -29.0), (147.9, -28.0), (147.0, -28.0), (147.0, -29.0)]
    hole = [(147.5, -28.5), (147.6, -28.5), (147.6, -28.4), (147.5, -28.4), (147.5, -28.5)]
    mask = on_grid(grid, [outline, hole], ((1024,) * 10 + (740,),) * 2)
    tracemalloc.start()
    x, y = rasterio.warp.transform("EPSG:4326", grid.crs, [147.55, 147.45, 147.95], [-28.45, -28.45, -28.02])
    rows, columns = rasterio.transform.rowcol(rasterio.Affine(*grid.transform), x, y)
    assert [bool(mask[row, column].compute()) for row, column in zip(rows, columns, strict=True)] == [
        False, True, False,
    ]  # fmt: skip
    assert tracemalloc.get_traced_memory()[1] < 30 * 1024**2
    tracemalloc.stop()
    part = mask[3800:4400, 4600:5200].compute()
    assert part.any()
    assert not part.all()


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "Point", "coordinates": [1, 2]}', '{"type": "Polygon", "coordinates": [[[1, 2]]]}',
        "{", "nowhere.geojson", "{}",
        '{"type": "Polygon", "coordinates": ' + "[" * 20_000 + "]" * 20_000 + "}",
        '{"type": "Polygon", "coordinates": [[[1, 2], [NaN, 3], [2, 3], [1, 2]]]}',
    ],
)  # fmt: skip
def test_polygons_that_are_none_are_told(modern_safe, text):
    with pytest.raises(InputError, match="polygon"):
        select(swath.open_product(modern_safe), Filters(polygon=text))


def test_resolutions_choose_groups(modern_safe):
    tree = swath.open_product(modern_safe)
    part = select(tree, Filters(resolution=(20,)))
    assert "r20m" in part["measurements/reflectance"].children
    assert "r10m" not in part["measurements/reflectance"].children
    assert "sun_angles" in part["conditions/geometry"]
    with pytest.raises(InputError, match="there are 10 m, 20 m, 60 m"):
        select(tree, Filters(resolution=(30,)))


def test_filters_hold_together(modern_safe):
    tree = swath.open_product(modern_safe)
    planned = swath.chunk_source(tree["measurements/reflectance/r10m/b02"]).chunk_bytes(0, 0)
    with metering.reading() as read:
        part = select(
            tree, Filters(window="rows 0:20, columns 0:20", resolution=(10,), include=("measurements/*/b02",))
        )
        assert part["measurements/reflectance/r10m/b02"].shape == (20, 20)
        part.load()
    assert read.counts == metering.Counts(bytes=planned, requests=1, chunks=1)

"""Filters: what is asked for is what comes, and nothing else is read."""

import json

import h5py
import numpy as np
import pytest
import rasterio
import swath
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from rasterio.features import geometry_mask
from swath.errors import InputError, SwathError, WindowError
from swath.io import metering
from swath.product import Filters, Grid, select
from swath.product._flag_expression import flag_mask, split_expression

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


def test_polygons_cut_and_mask_as_rasterio_does(modern_safe, tmp_path):
    tree = swath.open_product(modern_safe)
    ring = [[147.3, -28.3], [147.9, -28.4], [147.7, -28.8], [147.3, -28.3]]
    path = tmp_path / "field.geojson"
    geometry = {"type": "Polygon", "coordinates": [ring]}
    path.write_text(json.dumps({"type": "Feature", "properties": {}, "geometry": geometry}))
    part = select(tree, Filters(polygon=str(path), include=("measurements/*",)))
    found = part["measurements/reflectance/r20m/b05"]
    grid = Grid.of(found)
    projected = rasterio.warp.transform_geom("EPSG:4326", grid.crs, geometry)
    outside = geometry_mask([projected], grid.shape, rasterio.Affine(*grid.transform))
    whole = tree["measurements/reflectance/r20m/b05"].sel(x=found.x, y=found.y).values
    np.testing.assert_array_equal(np.isnan(found.values), outside | np.isnan(whole))
    assert 0.2 < outside.mean() < 0.8


@pytest.mark.parametrize(
    "text",
    [
        '{"type": "Point", "coordinates": [1, 2]}', '{"type": "Polygon", "coordinates": [[[1, 2]]]}',
        "{", "nowhere.geojson", "{}",
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

"""What other tools get wrong: chunks that do not fit, packed integers, attributes, names, new satellites."""

import shutil

import dask.array as da
import mapped
import numpy as np
import pytest
import swath
import xarray as xr
from distributed import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.errors import RunError
from swath.product import Filters, Grid, select, write_cogs, write_netcdf

FORMATS = ["zarr2", "zarr3", "netcdf"]
PATH = "measurements/r10m"
quick = settings(
    max_examples=10, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


def through(tree, kind, folder):
    """Write a product and open it again."""
    if kind == "netcdf":
        write_netcdf(tree, folder / "p.nc", overwrite=True)
        return swath.open_product(folder / "p.nc")
    if kind == "cog":
        write_cogs(tree, folder / "cogs", overwrite=True)
        return swath.open_product(folder / "cogs")
    path = folder / f"p{kind[-1]}.zarr"
    swath.write_product(tree, path, zarr_format=int(kind[-1]), overwrite=True)
    return swath.open_product(path)


def cuts(length):
    """Return chunks along a dimension: any way to cut it."""
    places = st.sets(st.integers(1, length - 1), max_size=8)
    return places.map(lambda found: tuple(np.diff([0, *sorted(found), length]).tolist()))


@pytest.mark.parametrize("kind", [*FORMATS, "cog"])
@quick
@given(rows=cuts(75), columns=cuts(66))
def test_irregular_chunks_are_written_in_parallel_without_loss(tmp_path_factory, kind, rows, columns):
    """Chunks that are not those of the file must not be written over one another."""
    data = np.arange(75 * 66, dtype=np.float32).reshape(75, 66) + 1
    tree = mapped.product()
    image = xr.DataArray(da.from_array(data, chunks=(rows, columns)), dims=("y", "x"))
    tree[PATH]["index"] = image.assign_attrs(mapped.GRID.attributes())
    found = through(tree, kind, tmp_path_factory.mktemp("irregular"))
    np.testing.assert_array_equal(found[f"{PATH}/index"].values, data)


@pytest.mark.parametrize("kind", [*FORMATS, "cog"])
@quick
@given(
    data=st.data(),
    dtype=st.sampled_from(["u1", "i2", "u2", "i4", "u4"]),
    scale=st.sampled_from([1e-4, 0.1, 1.0, 2.0, 1e-6, 0.003937007859349251]),
    offset=st.sampled_from([0.0, -0.1, 273.15]),
)
def test_packed_integers_come_back_to_the_last_one(tmp_path_factory, kind, data, dtype, scale, offset):
    limits = np.iinfo(dtype)
    values = st.integers(int(limits.min), int(limits.max))
    stored = np.array(data.draw(st.lists(values, min_size=6, max_size=6)), dtype).reshape(2, 3)
    fill = data.draw(st.sampled_from([None, int(limits.min), int(limits.max)]))
    coding = {"dtype": np.dtype(dtype), "scale_factor": scale, "add_offset": offset}
    coding |= {} if fill is None else {"_FillValue": fill}
    decoded = stored * scale + offset
    decoded = decoded if fill is None else np.where(stored == fill, np.nan, decoded)
    grid = swath.Grid((2, 3), mapped.GRID.transform, mapped.GRID.crs)
    variable = xr.Variable(("y", "x"), da.from_array(decoded, chunks=2), grid.attributes(), coding)
    root = xr.Dataset(attrs=mapped.product().attrs)
    group = xr.Dataset({"v": variable}, {"y": ("y", grid.y), "x": ("x", grid.x)})
    found = through(xr.DataTree.from_dict({"/": root, "/g": group}), kind, tmp_path_factory.mktemp("packed"))[
        "g/v"
    ]
    assert found.encoding["dtype"] == np.dtype(dtype)
    again = (found.values - offset) / scale
    np.testing.assert_array_equal(np.isnan(again), np.isnan(decoded))
    there = ~np.isnan(again)
    np.testing.assert_array_equal(np.round(again[there]).astype(dtype), stored[there])


@pytest.mark.parametrize("kind", [*FORMATS, "cog"])
def test_missing_values_without_an_integer_for_them_are_not_lost_unseen(tmp_path, kind):
    tree = mapped.product()
    del tree[f"{PATH}/b02"].encoding["_FillValue"]
    with pytest.raises(RunError, match=r"b02 has missing values \(NaN\).*set _FillValue"):
        through(tree, kind, tmp_path)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", [*FORMATS, "cog"])
@pytest.mark.parametrize("value", [7.0, -0.1001, np.inf])
def test_numbers_that_the_packing_cannot_hold_are_refused(tmp_path, kind, value):
    """A cast would wrap them round: a cloud of reflectance 7 would become one of 0.45."""
    tree = mapped.product()
    stored = tree[f"{PATH}/b02"].encoding
    coding = {"dtype": np.dtype(np.uint16), "scale_factor": 1e-4, "add_offset": -0.1, "_FillValue": 0}
    numbers = np.full((75, 66), 0.25)
    numbers[70, 3] = np.nan
    packed = xr.Variable(("y", "x"), da.from_array(numbers, chunks=32), mapped.GRID.attributes(), coding)
    tree[PATH]["b02"] = xr.DataArray(packed)
    np.testing.assert_allclose(through(tree, kind, tmp_path)[f"{PATH}/b02"].values, numbers)
    numbers = numbers.copy()
    numbers[71, 3] = value
    tree[PATH]["b02"].data = da.from_array(numbers, chunks=32)
    tree[PATH]["b02"].encoding = {**stored, **coding}
    with pytest.raises(RunError, match=r"b02 has values from .* packs it as uint16.*or clip the values"):
        through(tree, kind, tmp_path)


def test_whole_numbers_that_a_narrower_type_cannot_hold_are_refused(tmp_path):
    tree = mapped.product()
    image = xr.Variable(
        ("y", "x"), da.full((75, 66), 255, chunks=32), mapped.GRID.attributes(), {"dtype": "u1"}
    )
    tree[PATH]["classes"] = xr.DataArray(image)
    assert (through(tree, "zarr2", tmp_path)[f"{PATH}/classes"].values == 255).all()
    tree[PATH]["classes"] = xr.DataArray(image + 1)
    tree[PATH]["classes"].encoding = {"dtype": "u1"}
    with pytest.raises(RunError, match=r"classes has values from 256 to 256.*uint8"):
        through(tree, "zarr2", tmp_path)


@pytest.mark.parametrize("kind", [*FORMATS, "cog"])
def test_images_that_were_turned_over_stay_where_they_are(tmp_path, kind):
    """Rows that are sorted from south to north are as many as before, and lie the other way."""
    tree = mapped.product()
    turned = xr.DataTree.from_dict({"/": tree.to_dataset(), f"/{PATH}": tree[PATH].to_dataset().sortby("y")})
    assert Grid.of(turned[PATH]).transform[4] > 0
    written = through(turned, kind, tmp_path)
    if kind != "cog":  # whose attributes are kept as they were; the file itself says where it is
        assert written[f"{PATH}/b02"].attrs["proj:transform"][4] > 0
    found = written[f"{PATH}/b02"].sortby("y", ascending=False)
    found.attrs = {**found.attrs, **mapped.GRID.attributes()}
    xr.testing.assert_equal(
        found.drop_vars("spatial_ref", errors="ignore"),
        tree[f"{PATH}/b02"].drop_vars("spatial_ref", errors="ignore"),
    )


@pytest.mark.parametrize("kind", [*FORMATS, "cog"])
def test_a_mask_over_integers_without_a_value_for_missing_is_kept(tmp_path, kind):
    """What is packed without such a value is stored as real numbers once a mask is on it."""
    tree = mapped.product()
    whole = np.arange(75 * 66).reshape(75, 66) * 0.5
    coding = {"dtype": np.dtype(np.uint16), "scale_factor": 0.5, "add_offset": 0.0}
    tree[PATH]["level"] = xr.DataArray(
        xr.Variable(("y", "x"), da.from_array(whole, chunks=32), mapped.GRID.attributes(), coding)
    )
    flags = tree[f"{PATH}/flags"].values
    part = select(tree, Filters(where=f"{PATH}/flags: low", include=(f"{PATH}/level",)))
    found = through(part, kind, tmp_path)[f"{PATH}/level"]
    np.testing.assert_array_equal(found, np.where(flags & 1, whole, np.nan))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**31), 2**31) | st.floats(-1e6, 1e6) | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


def as_json(value):
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


@pytest.mark.parametrize("kind", [*FORMATS, "cog"])
@quick
@given(attributes=st.dictionaries(st.text("abcdefg_", min_size=1, max_size=8), json_values, max_size=4))
def test_any_attributes_come_back(tmp_path_factory, kind, attributes):
    tree = mapped.product(chunk=128)
    tree[f"{PATH}/index"].attrs.update(attributes)
    tree.attrs["other_metadata"] = attributes
    again = through(tree, kind, tmp_path_factory.mktemp("attributes"))
    found = again[f"{PATH}/index"].attrs
    assert {key: as_json(found[key]) for key in attributes} == attributes
    assert again.attrs["other_metadata"] == attributes


def test_a_product_of_another_name_is_the_same(modern_safe, tmp_path):
    before = swath.open_product(modern_safe)
    renamed = shutil.copytree(modern_safe, tmp_path / "my best tile")
    after = swath.open_product(renamed)
    assert after.attrs == before.attrs
    assert after.groups == before.groups


@pytest.mark.parametrize("letter", ["C", "D", "Z"])
def test_a_satellite_that_is_not_known_yet_is_read(sample_safe, tmp_path, change, letter):
    safe = shutil.copytree(sample_safe, tmp_path / sample_safe.name)
    change(safe / "MTD_MSIL1C.xml", "Sentinel-2A", f"Sentinel-2{letter}")
    properties = swath.open_product(safe).attrs["stac_discovery"]["properties"]
    assert properties["platform"] == f"sentinel-2{letter.lower()}"


@pytest.mark.parametrize("kind", FORMATS)
def test_a_product_that_replaced_another_is_not_taken_for_it(tmp_path, kind):
    """A cluster finds what it still keeps by dask's names; the first product's numbers would come back."""
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None):
        first = through(mapped.product(seed=1), kind, tmp_path)
        kept = first[f"{PATH}/b02"].persist()
        second = mapped.product(seed=2)
        found = through(second, kind, tmp_path)[f"{PATH}/b02"]
        np.testing.assert_array_equal(found.values, second[f"{PATH}/b02"].values)
        assert not kept.equals(found)


@pytest.mark.parametrize("kind", [*FORMATS, "cog"])
def test_a_product_that_a_cluster_keeps_is_written_here(tmp_path, kind):
    """What was persisted is on the workers, and the file is on the machine of whoever writes it."""
    tree = mapped.product()
    with Client(processes=False, n_workers=1, threads_per_worker=1, dashboard_address=None):
        group = tree[PATH].to_dataset()
        kept = xr.DataTree.from_dict({"/": tree.to_dataset(), f"/{PATH}": group.persist()})
        for name, array in group.variables.items():
            kept[PATH][name].encoding = array.encoding
        found = through(kept, kind, tmp_path)[f"{PATH}/b02"]
        np.testing.assert_array_equal(found.values, tree[f"{PATH}/b02"].values)

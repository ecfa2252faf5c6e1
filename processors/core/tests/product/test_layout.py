"""Stores that are laid out directly: what xarray itself would have written, and what it reads."""

import json

import numpy as np
import pytest
import swath
import xarray as xr
import zarr
from swath.io import metering
from swath.product import write_product
from swath.product._shards import inner_chunks


def product() -> xr.DataTree:
    """Return a product with every kind of variable that products have."""
    random = np.random.default_rng(3)
    times = np.array(["2020-01-01T10:15:16.836783", "2020-01-01T10:15:16.880785"], "M8[ns]")
    image = xr.Dataset(
        {
            "packed": (("y", "x"), random.random((7, 5)), {"units": "1"}, {
                "dtype": "uint16", "scale_factor": 1e-4, "add_offset": -0.1, "_FillValue": 0}),
            "real": (("y", "x"), random.random((7, 5), dtype=np.float32), {"valid_min": np.float32(0.5)}),
            "flags": (("y", "x"), random.integers(0, 255, (7, 5), dtype=np.uint8), {
                "flag_masks": np.array([1, 2], np.uint8), "flag_meanings": "a b"}),
            "true": (("y", "x"), random.random((7, 5)) > 0.5),
            "phase": (("y", "x"), (random.random((7, 5)) + 1j).astype(np.complex64)),
            "time": (("y2",), times),
            "scalar": ((), 3.5),
            "count": (("y2",), np.array([1, 2], np.int64)),
        },
        coords={"y": np.arange(7) * 10, "x": np.arange(5.0), "latitude": (("y", "x"), random.random((7, 5)))},
        attrs={"history": "x", "numbers": np.arange(3)},
    )  # fmt: skip
    image["packed"][0, 0] = np.nan
    text = xr.Dataset({"name": (("band",), np.array(["b01", "b8a"]))}, {"band": ["red", "infrared"]})
    root = xr.Dataset(attrs={"stac_discovery": {"id": "x", "properties": {}}})
    return xr.DataTree.from_dict({"/": root, "/a/image": image, "/a/image/below": xr.Dataset(), "/t": text})


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("lazy", [True, False])
def test_all_kinds_of_variables_come_back(tmp_path, zarr_format, lazy):
    tree = product().chunk({"y": 3, "x": 2}) if lazy else product()
    write_product(tree, tmp_path / "p.zarr", zarr_format=zarr_format)
    again = swath.open_product(tmp_path / "p.zarr")
    for node in product().subtree:
        for name, expected in node.variables.items():
            found = again[node.path].variables[name]
            assert found.dims == expected.dims
            assert found.dtype == expected.dtype or {found.dtype.kind, expected.dtype.kind} == {"U"}
            if expected.dtype.kind in "fc":
                np.testing.assert_allclose(found.values, expected.values, atol=5.1e-5)
            else:
                np.testing.assert_array_equal(found.values, expected.values)
    assert set(again["/a/image"].coords) == {"y", "x", "latitude"}


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_documents_say_what_those_of_xarray_say(tmp_path, zarr_format):
    tree = product()
    if zarr_format == 3:
        del tree["t"]  # xarray warns of the type that it has for text
    write_product(tree, tmp_path / "ours.zarr", zarr_format=zarr_format)
    for node in tree.subtree:
        for variable in node.variables.values():
            variable.attrs = {k: v.tolist() if hasattr(v, "tolist") else v for k, v in variable.attrs.items()}
    tree.to_zarr(
        tmp_path / "theirs.zarr", zarr_format=zarr_format, write_inherited_coords=True, consolidated=False
    )
    ours, theirs = (zarr.open_group(tmp_path / f"{who}.zarr", mode="r") for who in ("ours", "theirs"))
    names = dict(theirs.members(max_depth=None))
    assert set(dict(ours.members(max_depth=None))) == set(names)
    for name, expected in names.items():
        found = ours[name]
        added = {"_eopf_attrs", *found.attrs.get("_eopf_attrs", {}).get("swath_added", [])}
        attributes = {k: v for k, v in found.attrs.items() if k not in added}
        assert attributes == dict(expected.attrs)
        if isinstance(expected, zarr.Array):
            assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
            np.testing.assert_array_equal(found[...], expected[...])
            if zarr_format == 2:  # in format 3 we store the missing value as the fill value too
                np.testing.assert_equal(found.fill_value, expected.fill_value)


@pytest.mark.parametrize(
    ("shard", "chunks"),
    [
        ((1830, 1830), (366, 366)), ((1024, 1024), (512, 512)), ((915, 305), (305, 305)),
        ((4, 9, 1098), (4, 9, 366)),
        ((64, 64), (64, 64)), ((10980,), (10980,)), ((1217, 1), (406, 1)),
    ],
)  # fmt: skip
def test_chunks_inside_shards_are_small_and_equal_where_they_can_be(shard, chunks):
    assert inner_chunks(shard) == chunks


def large(tmp_path, **options) -> xr.DataArray:
    data = np.random.default_rng(1).integers(0, 999, (2000, 1500)).astype(np.uint16)
    root = xr.Dataset(attrs={"stac_discovery": {"id": "x", "properties": {}}})
    image = xr.Dataset({"v": (("y", "x"), data)}).chunk({"y": 1098, "x": 732})
    write_product(xr.DataTree.from_dict({"/": root, "/m": image}), tmp_path / "p.zarr", **options)
    return xr.DataArray(data, dims=("y", "x"))


def test_format_3_has_shards_that_zarr_and_xarray_read(tmp_path):
    expected = large(tmp_path, zarr_format=3)
    array = zarr.open_group(tmp_path / "p.zarr", mode="r")["m/v"]
    assert (array.shards, array.chunks) == ((1098, 732), (366, 366))
    np.testing.assert_array_equal(array[:], expected)
    with xr.open_datatree(tmp_path / "p.zarr", engine="zarr", chunks={}) as tree:
        np.testing.assert_array_equal(tree["m/v"], expected)
    assert len(list((tmp_path / "p.zarr/m/v/c").rglob("*"))) == 2 + 2 * 3


def test_what_is_in_memory_has_shards_too(tmp_path):
    data = np.random.default_rng(1).integers(0, 999, (1098, 732)).astype(np.uint16)
    root = xr.Dataset(attrs={"stac_discovery": {"id": "x", "properties": {}}})
    tree = xr.DataTree.from_dict({"/": root, "/m": xr.Dataset({"v": (("y", "x"), data)})})
    write_product(tree, tmp_path / "p.zarr", zarr_format=3)
    array = zarr.open_group(tmp_path / "p.zarr", mode="r")["m/v"]
    assert (array.shards, array.chunks) == ((1098, 732), (366, 366))
    np.testing.assert_array_equal(array[:], data)


def test_shards_can_be_turned_off(tmp_path):
    large(tmp_path, zarr_format=3, shards=False)
    array = zarr.open_group(tmp_path / "p.zarr", mode="r")["m/v"]
    assert (array.shards, array.chunks) == (None, (1098, 732))


def test_a_window_of_a_shard_costs_the_chunks_that_it_touches_and_the_index(tmp_path):
    expected = large(tmp_path, zarr_format=3)
    array = swath.open_product(tmp_path / "p.zarr")["m/v"]
    source = swath.chunk_source(array)
    assert source.chunk_shape == (366, 366)
    planned = source.chunk_bytes(4, 3)
    assert planned < (tmp_path / "p.zarr/m/v/c/1/1").stat().st_size / 2
    with metering.reading() as read:
        found = array[1500:1600, 1200:1300].values
    np.testing.assert_array_equal(found, expected[1500:1600, 1200:1300])
    assert (read.counts.chunks, read.counts.bytes) == (1, planned)


def test_opening_reads_one_document_whatever_the_number_of_groups(tmp_path):
    root = xr.Dataset(attrs={"stac_discovery": {"id": "x", "properties": {}}})
    groups = {f"/g{k}": xr.Dataset({"v": ("x", np.arange(3.0))}) for k in range(40)}
    write_product(xr.DataTree.from_dict({"/": root, **groups}), tmp_path / "p.zarr")
    size = (tmp_path / "p.zarr/.zmetadata").stat().st_size
    with metering.reading() as read:
        tree = swath.open_product(tmp_path / "p.zarr")
    assert (len(tree.groups), read.counts.requests, read.counts.bytes) == (41, 1, size)


def test_a_store_that_was_never_consolidated_opens(tmp_path):
    write_product(product(), tmp_path / "p.zarr")
    (tmp_path / "p.zarr/.zmetadata").unlink()
    assert "/a/image/below" in swath.open_product(tmp_path / "p.zarr").groups


def test_metadata_is_readable_json(tmp_path):
    write_product(product(), tmp_path / "p.zarr", zarr_format=3)
    told = json.loads((tmp_path / "p.zarr/a/image/packed/zarr.json").read_text())
    assert told["dimension_names"] == ["y", "x"]

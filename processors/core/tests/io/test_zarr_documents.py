"""Zarr's metadata, written straight and read at once: as zarr-python and xarray have it."""

import json

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from swath.errors import MetadataError
from swath.io.store import open_store
from swath.io.zarr_documents import ArrayLayout, Documents, array_document, read_documents, write_documents

TYPES = ["i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8", "<c8", "<c16", "?"]


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("dtype", TYPES)
def test_zarr_reads_and_fills_an_array_of_every_type(tmp_path, dtype, zarr_format):
    layout = ArrayLayout((5, 7), (2, 3), np.dtype(dtype), ("y", "x"), fill_value=1, attributes={"a": [1, 2]})
    documents = Documents(
        zarr_format, {"": {"t": "é"}, "g": {}}, {"g/v": array_document(layout, zarr_format)}
    )
    write_documents(tmp_path, documents)
    array = zarr.open_group(tmp_path, mode="r+", zarr_format=zarr_format)["g/v"]
    assert (array.dtype, array.shape, array.chunks) == (np.dtype(dtype), (5, 7), (2, 3))
    assert array.fill_value == np.ones((), dtype)
    np.testing.assert_array_equal(array[:], np.ones((5, 7), dtype))
    data = np.arange(35).reshape(5, 7).astype(dtype)
    array[:] = data
    np.testing.assert_array_equal(zarr.open_array(tmp_path, path="g/v", mode="r")[:], data)
    assert array.attrs["a"] == [1, 2]


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e36, 0.1])
def test_fill_values_that_json_has_no_numbers_for(tmp_path, value, zarr_format):
    layout = ArrayLayout((4,), (2,), np.dtype("<f4"), ("x",), fill_value=value)
    write_documents(tmp_path, Documents(zarr_format, {"": {}}, {"v": array_document(layout, zarr_format)}))
    np.testing.assert_array_equal(zarr.open_array(tmp_path, path="v", mode="r")[:], np.full(4, value, "f4"))


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("consolidated", [True, False])
def test_documents_are_read_as_they_were_written(tmp_path, zarr_format, consolidated):
    layout = ArrayLayout((4,), (2,), np.dtype("<f4"), ("x",), attributes={"units": "m"})
    arrays = {"a/b/v": array_document(layout, zarr_format), "w": array_document(layout, zarr_format)}
    documents = Documents(zarr_format, {"": {"n": 1}, "a": {}, "a/b": {"k": {"deep": [1]}}}, arrays)
    write_documents(tmp_path, documents)
    if not consolidated:
        if zarr_format == 2:
            (tmp_path / ".zmetadata").unlink()
        else:
            root = json.loads((tmp_path / "zarr.json").read_text())
            del root["consolidated_metadata"]
            (tmp_path / "zarr.json").write_text(json.dumps(root))
    assert read_documents(open_store(tmp_path)) == documents


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_zarr_finds_groups_and_arrays_side_by_side(tmp_path, zarr_format):
    """As in products of OLCI: images in a group, and a group of orphans beside them, twice."""
    array = array_document(ArrayLayout((4,), (2,), np.dtype("<f4"), ("x",)), zarr_format)
    groups = {path: {} for path in ("", "m", "m/orphans", "q", "q/orphans")}
    paths = ["m/orphans/v", "m/v", "q/orphans/v", "q/v"]
    write_documents(tmp_path, Documents(zarr_format, groups, dict.fromkeys(paths, array)))
    root = zarr.open_consolidated(tmp_path, zarr_format=zarr_format)
    assert [path for path in paths if path in root] == paths


def test_groups_that_are_only_implied_are_there(tmp_path):
    layout = array_document(ArrayLayout((4,), (2,), np.dtype("<f4"), ("x",)), 2)
    entries = {"a/b/v/.zarray": {k: v for k, v in layout.items() if k != "attributes"}}
    (tmp_path / ".zmetadata").write_text(json.dumps({"metadata": entries, "zarr_consolidated_format": 1}))
    assert list(read_documents(open_store(tmp_path)).groups) == ["", "a", "a/b"]


NAMES = st.sampled_from(
    [
        "metadata",
        "a/.zarray",
        ".zgroup",
        ".zattrs",
        "consolidated_metadata",
        "node_type",
        "attributes",
        "shape",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None)  # how long one takes says something of the machine
@given(document=JSON, name=st.sampled_from([".zmetadata", "zarr.json", ".zgroup"]))
def test_whatever_the_json_is_the_error_is_typed(tmp_path_factory, document, name):
    import swath
    from swath.errors import SwathError

    folder = tmp_path_factory.mktemp("fuzz")
    (folder / name).write_text(json.dumps(document))
    with pytest.raises(SwathError):
        swath.open_product(folder)


@settings(deadline=None)  # how long one takes says something of the machine
@given(place=st.integers(0, 400), value=st.integers(0, 255))
def test_a_flipped_byte_is_read_or_refused_but_never_a_crash(tmp_path_factory, place, value):
    import swath
    from swath.errors import SwathError

    folder = tmp_path_factory.mktemp("flip")
    layout = ArrayLayout((4,), (2,), np.dtype("<f4"), ("x",), attributes={"units": "m"})
    groups = {"": {"stac_discovery": {"id": "x"}}}
    write_documents(folder, Documents(2, groups, {"v": array_document(layout, 2)}))
    data = bytearray((folder / ".zmetadata").read_bytes())
    data[place % len(data)] = value
    (folder / ".zmetadata").write_bytes(data)
    try:
        swath.open_product(folder)
    except SwathError:
        return


def test_a_document_that_nests_without_end_is_refused(tmp_path):
    (tmp_path / ".zmetadata").write_text("[" * 100_000)
    with pytest.raises(MetadataError, match="cannot be read"):
        read_documents(open_store(tmp_path))


def test_groups_in_one_another_without_end_are_refused(tmp_path):
    write_documents(tmp_path, Documents(2, {"": {}, "/".join("d" * 100): {}}, {}))
    with pytest.raises(MetadataError, match="99 groups in one another"):
        read_documents(open_store(tmp_path))

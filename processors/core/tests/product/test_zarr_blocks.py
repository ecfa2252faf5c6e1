"""Arrays read and written by chunks: any key is what numpy makes of it, and one task writes one chunk."""

import dask.array as da
import numpy as np
import pytest
import swath
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from swath.io.store import open_store
from swath.io.zarr_chunks import ChunkCodec
from swath.io.zarr_documents import ArrayLayout, array_document
from swath.product._zarr_blocks import ChunkFiles, StoredNumbers
from xarray.core import indexing

SHAPE, CHUNKS = (9, 11), (4, 5)


def keys(length):
    edge = st.none() | st.integers(-length - 2, length + 2)
    step = st.integers(1, 3)  # xarray turns the others round before it asks
    return st.integers(-length, length - 1) | st.builds(slice, edge, edge, step)


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stored")
    data = np.arange(99, dtype="<i4").reshape(SHAPE)
    document = array_document(ArrayLayout(SHAPE, CHUNKS, data.dtype, ("y", "x"), fill_value=-1), 2)
    codec = ChunkCodec.of(document)
    (folder / "a").mkdir()
    da.store(
        da.from_array(data, CHUNKS),
        ChunkFiles(str(folder / "a"), SHAPE, codec),
        lock=False,
        scheduler="threads",
    )
    return StoredNumbers(open_store(folder), "a", document, codec, set()), data


@settings(deadline=None)  # how long one takes says something of the machine
@given(key=st.tuples(keys(SHAPE[0]), keys(SHAPE[1])))
def test_any_key_is_what_numpy_makes_of_it(stored, key):
    array, data = stored
    np.testing.assert_array_equal(array[indexing.BasicIndexer(key)], data[key])


def test_numbers_in_any_order_are_found(stored):
    array, data = stored
    found = array[indexing.OuterIndexer((np.array([8, 0, 3]), np.array([1, 1, 10])))]
    np.testing.assert_array_equal(found, data[[8, 0, 3]][:, [1, 1, 10]])


def test_what_was_read_may_be_changed(stored, tmp_path):
    array, _ = stored
    (tmp_path / "a").mkdir()
    nothing = StoredNumbers(
        open_store(tmp_path), "a", {"shape": SHAPE}, array.metadata, set()
    )  # no chunk is stored
    for numbers in (array, nothing):
        found = numbers[indexing.BasicIndexer((slice(0, 4), slice(0, 5)))]
        found += 1
    assert (found == 0).all()


def test_a_part_of_a_chunk_is_refused(stored, tmp_path):
    target = ChunkFiles(str(tmp_path), SHAPE, stored[0].metadata)
    with pytest.raises(ValueError, match="two tasks would write one file"):
        target[slice(0, 4), slice(0, 4)] = np.zeros((4, 4))
    assert not list(tmp_path.iterdir())


def test_a_changed_band_is_packed_anew_and_an_untouched_one_is_not(modern_safe, tmp_path):
    tree = swath.product.select_variables(swath.open_product(modern_safe), ["*/b02", "*/b03"])
    node = tree["/measurements/reflectance/r10m"]
    changed = node["b02"].copy(data=node["b02"].data + 0.5)
    changed.encoding = dict(node["b02"].encoding)
    node["b02"] = changed
    expected = tree.load()
    swath.write_product(tree, tmp_path / "p.zarr")
    again = swath.open_product(tmp_path / "p.zarr")
    for band in ("b02", "b03"):
        path = f"/measurements/reflectance/r10m/{band}"
        xr.testing.assert_allclose(again[path].load(), expected[path].load(), atol=5e-5)
    assert float(again["/measurements/reflectance/r10m/b02"].min()) > 0.3

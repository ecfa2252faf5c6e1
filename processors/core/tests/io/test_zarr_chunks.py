"""Chunks packed without Zarr's machinery are what Zarr reads, and the other way round; damage is refused."""

import numpy as np
import pytest
import zarr
from hypothesis import given, settings
from hypothesis import strategies as st
from swath.io.zarr_chunks import ChunkCodec
from swath.io.zarr_documents import ArrayLayout, array_document

TYPES = ["|b1", "|i1", "|u1", "<i2", "<u2", "<u4", "<i8", "<f4", "<f8", "<c8"]


def numbers(dtype, shape, seed=0):
    random = np.random.default_rng(seed)
    return (random.random(shape) * 100).astype(dtype)


@pytest.mark.parametrize("zarr_format", [2, 3])
@pytest.mark.parametrize("dtype", TYPES)
def test_zarr_reads_what_was_packed_and_the_other_way_round(dtype, zarr_format, tmp_path):
    data = numbers(dtype, (5, 7))
    layout = ArrayLayout(data.shape, (4, 4), data.dtype, ("y", "x"))
    document = array_document(layout, zarr_format)
    codec = ChunkCodec.of(document)
    store = zarr.storage.LocalStore(tmp_path)
    array = zarr.Array.from_dict(zarr.storage.StorePath(store, "a"), document)
    array[...] = data
    for place in ((0, 0), (0, 1), (1, 0), (1, 1)):
        file = tmp_path / "a" / codec.encode_chunk_key(place)
        block = data[tuple(slice(4 * at, 4 * at + 4) for at in place)]
        np.testing.assert_array_equal(
            codec.decode(file.read_bytes(), "a chunk")[: len(block), : block.shape[1]], block
        )
        file.write_bytes(codec.encode(block))
    np.testing.assert_array_equal(array[...], data)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("compressor", [None, zarr.codecs.BloscCodec(cname="lz4", shuffle="shuffle")])
def test_other_byte_orders_and_compressors_are_read(order, compressor, tmp_path):
    codecs = [zarr.codecs.BytesCodec(endian="little" if order == "<" else "big")]
    array = zarr.create_array(
        tmp_path / "a", shape=(4,), chunks=(4,), dtype="f4", compressors=compressor,
        serializer=codecs[0], fill_value=0,
    )  # fmt: skip
    array[...] = [1, 2, 3, 4]
    codec = ChunkCodec.of(array.metadata.to_dict())
    found = codec.decode((tmp_path / "a/c/0").read_bytes(), "a chunk")
    np.testing.assert_array_equal(found, [1, 2, 3, 4])


def test_what_takes_zarr_to_know_is_left_to_zarr():
    plain = array_document(ArrayLayout((4,), (2,), np.dtype("<f4"), ("x",)), 2)
    assert ChunkCodec.of(plain) is not None
    for change in (
        {"filters": [{"id": "delta"}]}, {"order": "F"}, {"compressor": {"id": "zlib"}}, {"dtype": "<U4"},
        {"dtype": [["a", "<f4"]]}, {"chunks": [2, 2]}, {"chunks": [0]}, {"shape": [-1]}, {"shape": ["x"]},
        {"fill_value": "AAAA"},
    ):  # fmt: skip
        assert ChunkCodec.of({**plain, **change}) is None, change
    shards = ArrayLayout((4,), (2,), np.dtype("<f4"), ("x",), shards=(4,))
    assert ChunkCodec.of(array_document(shards, 3)) is None


def test_a_chunk_of_fill_value_is_not_stored():
    for fill in (0, 7, np.nan):
        layout = ArrayLayout((4,), (4,), np.dtype("<f8"), ("x",), fill_value=fill)
        codec = ChunkCodec.of(array_document(layout, 2))
        assert codec.encode(np.full(4, fill)) is None
        assert codec.encode(np.array([fill, 1, fill, fill])) is not None
        np.testing.assert_array_equal(codec.empty(), np.full(4, fill))


@settings(deadline=None)  # how long one takes says something of the machine
@given(place=st.integers(0, 15), value=st.integers(0, 255), cut=st.integers(0, 60))
def test_a_damaged_chunk_is_refused_or_read_but_never_longer_than_a_chunk(place, value, cut):
    codec = ChunkCodec.of(array_document(ArrayLayout((64,), (64,), np.dtype("<u2"), ("x",)), 2))
    data = bytearray(codec.encode(numbers("<u2", 64)))
    data[place] = value
    try:
        found = codec.decode(bytes(data[: len(data) - cut]), "a chunk")
    except (ValueError, RuntimeError):
        return
    assert found.shape == (64,)


def test_a_chunk_that_claims_another_size_is_refused():
    codec = ChunkCodec.of(array_document(ArrayLayout((64,), (64,), np.dtype("<u2"), ("x",)), 2))
    other = ChunkCodec.of(array_document(ArrayLayout((65,), (65,), np.dtype("<u2"), ("x",)), 2))
    with pytest.raises(ValueError, match="that chunk has 130 bytes where 128 are expected"):
        codec.decode(other.encode(numbers("<u2", 65)), "that chunk")

"""Shards: where their index says that a chunk is, Zarr's own writer has put it; damage is told."""

import json

import numpy as np
import pytest
import zarr
from swath.io.store import open_store
from swath.io.zarr_chunks import ChunkCodec
from swath.io.zarr_shards import Shards
from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, ShardingCodec

SHAPE, SHARD, CHUNK = (20, 30), (8, 20), (4, 5)


def made(folder, *, location="end", checked=True):
    """Let Zarr write an array in shards; one chunk and one whole shard are nothing but fill value."""
    codec = ShardingCodec(
        chunk_shape=CHUNK,
        codecs=[BytesCodec(), BloscCodec(cname="zstd", clevel=1, shuffle="shuffle", typesize=2)],
        index_codecs=[BytesCodec(), Crc32cCodec()] if checked else [BytesCodec()],
        index_location=location,
    )
    data = np.arange(1, 1 + SHAPE[0] * SHAPE[1], dtype=np.uint16).reshape(SHAPE)
    data[4:8, 5:10] = 0
    data[8:16, 20:] = 0
    array = zarr.create_array(
        folder / "a",
        shape=SHAPE,
        dtype="uint16",
        chunks=SHARD,
        serializer=codec,
        compressors=None,
        fill_value=0,
        zarr_format=3,
    )
    array[...] = data
    return json.loads((folder / "a" / "zarr.json").read_text()), data


def name_of(shards, place):
    return "a/c/" + "/".join(map(str, shards.shard(place)))


@pytest.mark.parametrize("location", ["start", "end"])
@pytest.mark.parametrize("checked", [True, False])
def test_every_chunk_is_found_where_zarr_has_put_it(tmp_path, location, checked):
    document, data = made(tmp_path, location=location, checked=checked)
    shards = Shards.of(document)
    codec = ChunkCodec.of(Shards.inside(document))
    store = open_store(tmp_path)
    absent = set()
    for place in np.ndindex(5, 6):
        name = name_of(shards, place)
        found = shards.find(store, name, place)
        rows, columns = (slice(at * size, (at + 1) * size) for at, size in zip(place, CHUNK, strict=True))
        if found is None:
            absent.add(place)
            assert not data[rows, columns].any()
            continue
        chunk = codec.decode(store.read_range(name, *found), name)
        np.testing.assert_array_equal(chunk, data[rows, columns])
    assert absent == {(1, 1), *((row, column) for row in (2, 3) for column in (4, 5))}


@pytest.mark.parametrize("location", ["start", "end"])
def test_the_range_of_an_index_is_that_which_is_read(tmp_path, location):
    document, _ = made(tmp_path, location=location)
    shards = Shards.of(document)
    file = tmp_path / "a/c/0/0"
    size = file.stat().st_size
    name, start, stop = shards.index_range("a/c/0/0", size)
    assert (name, stop - start) == ("a/c/0/0", shards.index_bytes)
    assert shards.index_bytes == 16 * 2 * 4 + 4
    assert start == (0 if location == "start" else size - shards.index_bytes)


def test_an_index_that_differs_from_its_checksum_is_told(tmp_path):
    document, _ = made(tmp_path)
    file = tmp_path / "a/c/0/0"
    data = bytearray(file.read_bytes())
    data[-10] ^= 1
    file.write_bytes(data)
    with pytest.raises(ValueError, match="differs from its checksum"):
        Shards.of(document).find(open_store(tmp_path), "a/c/0/0", (0, 0))


def test_a_file_that_ends_within_its_index_is_told(tmp_path):
    document, _ = made(tmp_path)
    file = tmp_path / "a/c/0/0"
    file.write_bytes(file.read_bytes()[:50])
    with pytest.raises(ValueError, match="ends within the index"):
        Shards.of(document).find(open_store(tmp_path), "a/c/0/0", (0, 0))


def test_an_index_that_tells_what_cannot_be_is_told(tmp_path):
    document, _ = made(tmp_path, checked=False)
    file = tmp_path / "a/c/0/0"
    data = bytearray(file.read_bytes())
    data[-16 * 8 : -16 * 8 + 8] = b"\xfe" * 8
    file.write_bytes(data)
    with pytest.raises(ValueError, match="tells of"):
        Shards.of(document).find(open_store(tmp_path), "a/c/0/0", (0, 0))


@pytest.mark.parametrize(
    "change",
    [
        {"chunk_shape": [3, 5]},
        {"index_location": "middle"},
        {"index_codecs": [{"name": "bytes", "configuration": {"endian": "big"}}]},
        {"index_codecs": [{"name": "zstd"}]},
    ],
)
def test_shards_that_take_zarr_itself_are_left_to_it(tmp_path, change):
    document, _ = made(tmp_path)
    document["codecs"][0]["configuration"].update(change)
    assert Shards.of(document) is None

"""Damaged Zarr products are read or refused with an error for that, and never ask for unbounded memory."""

import contextlib
import json
import shutil

import mapped
import numpy as np
import pytest
import swath
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.errors import MetadataError, ProductError

quick = settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


@pytest.fixture(scope="module", params=[2, 3])
def whole(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "p.zarr"
    swath.write_product(mapped.product(), path, zarr_format=request.param)
    return path


def documents(path):
    return path / (".zmetadata" if (path / ".zmetadata").exists() else "zarr.json")


def read(path):
    for node in swath.open_product(path).subtree:
        for array in node.data_vars.values():
            if array.size < 1e6:
                array.compute(scheduler="synchronous")


def places(value, here=()):
    """Return the ways to all values of a document."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*here, key)
        yield from places(inner, (*here, key))


@quick
@given(data=st.data())
def test_documents_that_say_something_else_are_read_or_refused(whole, tmp_path_factory, data):
    path = shutil.copytree(whole, tmp_path_factory.mktemp("changed") / "p.zarr")
    told = json.loads(documents(path).read_text())
    others = st.sampled_from(
        [None, -1, 0, 2**40, "", "x", [], {}, [1], {"a": 1}, 1e300, "NaN", True, "<f8", [2**33]]
    )
    for _ in range(data.draw(st.integers(1, 3))):
        way = data.draw(st.sampled_from(list(places(told))))
        value = told
        with contextlib.suppress(KeyError, IndexError, TypeError):  # the one before took it away
            for step in way[:-1]:
                value = value[step]
            value[way[-1]] = data.draw(others)
    documents(path).write_text(json.dumps(told))
    with contextlib.suppress(ProductError):
        read(path)


@quick
@given(
    flips=st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=3),
    cut=st.integers(0, 1 << 12) | st.none(),
    data=st.data(),
)
def test_flipped_bits_and_cuts_are_read_or_refused(whole, tmp_path_factory, flips, cut, data):
    path = shutil.copytree(whole, tmp_path_factory.mktemp("flipped") / "p.zarr")
    name = data.draw(
        st.sampled_from(sorted(str(f.relative_to(path)) for f in path.rglob("*") if f.is_file()))
    )
    content = bytearray((path / name).read_bytes())
    for place, value in flips:
        if content:
            content[place % len(content)] = value
    (path / name).write_bytes(content[:cut])
    with contextlib.suppress(ProductError):
        read(path)


def test_a_coordinate_of_more_bytes_than_there_are_is_refused(whole, tmp_path):
    path = shutil.copytree(whole, tmp_path / "p.zarr")
    text = documents(path).read_text()
    told = json.loads(text)
    nodes = told["metadata"] if "metadata" in told else told["consolidated_metadata"]["metadata"]
    array = nodes.get("measurements/r10m/x/.zarray") or nodes["measurements/r10m/x"]
    array["shape"] = [10**8]
    if "chunks" in array:
        array["chunks"] = [10**8]
    else:
        array["chunk_grid"]["configuration"]["chunk_shape"] = [10**8]
    documents(path).write_text(json.dumps(told))
    with pytest.raises(MetadataError, match="claims 800000000 bytes"):
        swath.open_product(path)
    part = array["chunks"] if "chunks" in array else array["chunk_grid"]["configuration"]["chunk_shape"]
    part[0] = 10
    documents(path).write_text(json.dumps(told))
    with pytest.raises(MetadataError, match="claims 10000000 chunks"):
        swath.open_product(path)


def test_a_chunk_of_more_bytes_than_memory_is_refused(whole, tmp_path):
    """One that is not stored costs a file nothing, and whoever looks at one pixel all of its fill values."""
    path = shutil.copytree(whole, tmp_path / "p.zarr")
    told = json.loads(documents(path).read_text())
    nodes = told["metadata"] if "metadata" in told else told["consolidated_metadata"]["metadata"]
    array = nodes.get("measurements/r10m/index/.zarray") or nodes["measurements/r10m/index"]
    array["shape"] = [10**5, 10**5]
    if "chunks" in array:
        array["chunks"] = [10**5, 10**5]
    else:
        array["chunk_grid"]["configuration"]["chunk_shape"] = [10**5, 10**5]
    documents(path).write_text(json.dumps(told))
    with pytest.raises(MetadataError, match="index claims chunks of 40000000000 bytes"):
        swath.open_product(path)


def test_a_chunk_that_cannot_be_decoded_is_told_wherever_it_is_computed(whole, tmp_path):
    path = shutil.copytree(whole, tmp_path / "p.zarr")
    files = sorted(f for f in (path / "measurements/r10m/index").rglob("*") if f.is_file())
    chunk = next(f for f in files if f.name in ("0", "0.0"))
    chunk.write_bytes(chunk.read_bytes()[:-9])
    array = swath.open_product(path)["measurements/r10m/index"]
    with pytest.raises(ProductError, match="a chunk of measurements/r10m/index is corrupt or truncated"):
        array.compute()
    assert np.isfinite(array[40:, 40:]).any()

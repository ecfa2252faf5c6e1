"""The same numbers, bit for bit, whatever the engine, the chunks and the number of workers."""

import shutil

import numpy as np
import pytest
import swath_practice
import xarray as xr
from distributed import LocalCluster
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from swath.processing import apply
from swath.product import Window
from swath.run import execute
from swath_practice import PRACTICE

PATHS = ("/measurements/index", "/measurements/smooth", "/quality/steep")


@pytest.fixture(scope="module")
def scheduler():
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        yield cluster.scheduler_address


@pytest.fixture(scope="module")
def whole(practice_product):
    """Return all outputs, computed in one piece."""
    return apply(PRACTICE, swath_practice.read(practice_product)).compute()


spans = st.tuples(st.integers(0, 160), st.integers(12, 172)).map(lambda v: (v[0], min(v[0] + v[1], 172)))


@given(
    rows=spans,
    columns=spans,
    chunk_shape=st.tuples(st.integers(20, 180), st.integers(20, 180)),
    workers=st.integers(1, 3),
    cluster=st.booleans(),
)
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_engine_and_chunks_change_nothing(
    payload, destination, scheduler, whole, rows, columns, chunk_shape, workers, cluster
):
    job = payload(
        window=str(Window(rows, columns)),
        chunk_shape=chunk_shape,
        workers=workers,
        engine=scheduler if cluster else "threads",
        cogs=False,
    )
    execute(job)
    with xr.open_datatree(destination / "product.zarr", engine="zarr", chunks=None) as tree:
        for path in PATHS:
            expected = whole[path].values[slice(*rows), slice(*columns)]
            np.testing.assert_array_equal(tree[path].values, expected)
    shutil.rmtree(destination)

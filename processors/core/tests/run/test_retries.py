"""What fails for a reason that may pass is tried again; what else fails is told at once."""

import dataclasses
import errno
import os
import signal
import threading

import numpy as np
import pytest
import swath_practice
import xarray as xr
from distributed import LocalCluster
from swath.errors import ProductError, RunError
from swath.processing import Chain, Input, Output, Processor, Source, apply, step
from swath.product._chunks import ENCODING_KEY, lazy_array
from swath.run import execute
from swath.run._transient import transient
from swath_practice import PRACTICE

WINDOW = "rows 20:120, columns 0:100"
PATHS = ("/measurements/index", "/measurements/smooth", "/quality/steep")


@dataclasses.dataclass(frozen=True)
class Flaky(swath_practice.Files):
    """Files on a network that loses the first so many reads of each chunk."""

    failures: int = 0
    error: type[OSError] = ConnectionResetError
    seen: dict = dataclasses.field(default_factory=dict, compare=False)
    lock: object = dataclasses.field(default_factory=threading.Lock, compare=False)

    def __dask_tokenize__(self):
        return self.folder, self.failures

    def read(self, row, column):
        with self.lock:
            self.seen[row, column] = self.seen.get((row, column), 0) + 1
            if self.seen[row, column] <= self.failures:
                raise ProductError("the network is away") from self.error("connection lost")
        return super().read(row, column)


@pytest.fixture
def product(practice_product):
    return swath_practice.read(practice_product)


@pytest.fixture
def flaky(practice_product):
    """Return a function that opens the practice product on a network that loses reads."""

    def open_flaky(failures, error=ConnectionResetError):
        tree = swath_practice.read(practice_product)
        red = tree["/measurements/r10m/red"]
        files = red.encoding[ENCODING_KEY]
        source = Flaky(files.folder, files.shape, files.chunk_shape, files.dtype, (), failures, error)
        made = red.copy(data=lazy_array(source))
        made.encoding[ENCODING_KEY] = source
        tree["/measurements/r10m/red"] = made
        return tree, source

    return open_flaky


def assert_holds(destination, expected):
    with xr.open_datatree(destination / "product.zarr", engine="zarr", chunks=None) as tree:
        for path in PATHS:
            np.testing.assert_array_equal(tree[path].values, expected[path].values)


def test_reads_that_are_lost_are_made_again(payload, destination, product, flaky):
    tree, source = flaky(2)
    report = execute(payload(window=WINDOW, cogs=False, retries=2), product=tree)
    assert set(source.seen.values()) == {3}
    assert report.retries == 2 * len(source.seen)
    assert f"retries  {report.retries}" in str(report)
    assert_holds(destination, apply(PRACTICE, product, window=WINDOW))


def test_retries_are_bounded_and_the_message_tells_how_many(payload, destination, flaky):
    tree, source = flaky(9)
    with pytest.raises(ProductError, match=r"the network is away \(tried 2 times\)"):
        execute(payload(window=WINDOW, retries=1, workers=1), product=tree)
    assert set(source.seen.values()) == {2}
    assert not list(destination.parent.iterdir())


def test_what_will_not_pass_is_not_tried_again(payload, flaky):
    tree, source = flaky(1, FileNotFoundError)
    with pytest.raises(ProductError, match=r"the network is away$"):
        execute(payload(window=WINDOW, retries=5, workers=1), product=tree)
    assert set(source.seen.values()) == {1}


class AnsweredError(Exception):
    """As aiohttp tells what a server answered."""

    def __init__(self, status):
        self.status = status


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (TimeoutError(), True),
        (ConnectionRefusedError(), True),
        (OSError(errno.EIO, "Input/output error"), True),
        (OSError(errno.ENOSPC, "No space left on device"), False),
        (PermissionError(errno.EACCES, "no"), False),
        (AnsweredError(503), True),
        (AnsweredError(404), False),
        (ValueError("wrong"), False),
    ],
)
def test_only_what_may_pass_is_taken_for_it(error, passes):
    assert transient(error) is passes
    wrapped = ProductError("cannot read")
    wrapped.__cause__ = error
    assert transient(wrapped) is passes


def test_a_worker_that_is_killed_costs_time_and_nothing_else(payload, destination, product):
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster:
        killed = []

        def progress(what, done, _total):
            if what == "chunks" and done == 2 and not killed:
                killed.append(next(iter(cluster.workers.values())).pid)
                os.kill(killed[0], signal.SIGKILL)

        job = payload(engine=cluster.scheduler_address, cogs=False, parameters={"seconds": 0.1})
        report = execute(job, progress=progress)
    assert killed
    assert len({record.process for record in report.computed.records}) >= 2
    assert_holds(destination, apply(PRACTICE, product))


@step(inputs=[Input("red")], outputs=[Output("gone")])
def deadly(red):
    os.kill(os.getpid(), signal.SIGKILL)
    return red


def test_a_chunk_that_kills_every_worker_is_told(payload, destination):
    chain = Chain(
        grid="/measurements/r10m",
        sources={"red": Source("/measurements/r10m/red")},
        steps=[deadly],
        outputs={"gone": "/measurements/gone"},
    )
    job = payload(engine="distributed", workers=1, window="rows 0:9, columns 0:9")
    with pytest.raises(RunError, match=r"were all killed.*--chunk-shape"):
        execute(job, processor=Processor("deadly", "1", "Kills", lambda _: chain))
    assert not list(destination.parent.iterdir())

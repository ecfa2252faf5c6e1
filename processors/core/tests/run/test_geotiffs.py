"""The GeoTIFFs of a run: several at once, bounded, and given up together."""

import threading
import time

import numpy as np
import pytest
import rasterio
from swath.errors import WriteError
from swath.processing import bind
from swath.run._geotiffs import write_cogs
from swath_practice import PRACTICE, read

SHAPE = 172, 172


@pytest.fixture
def binding(practice_product):
    return bind(PRACTICE, read(practice_product))


class Slow:
    """Pixels that take their time, remember who reads at the same time, and fail when they are told to."""

    shape, chunks, dtype = SHAPE, (30, 172), np.dtype("float32")
    lock = threading.Lock()

    def __init__(self, log, value, failure=None):
        self.log, self.value, self.failure = log, value, failure
        self.attributes = {"long_name": f"value {value}"}

    def __getitem__(self, key):
        with self.lock:
            self.log.append((self.value, threading.current_thread().name))
        time.sleep(0.01)
        if self.failure is not None:
            raise self.failure
        return np.full((key[0].stop - key[0].start, key[1].stop - key[1].start), self.value, np.float32)


def silent(_done, _total):
    pass


@pytest.mark.parametrize("workers", [1, 3])
def test_as_many_at_once_as_there_are_workers(binding, tmp_path, workers):
    log, told = [], []
    pixels = {f"v{k}": Slow(log, k) for k in range(7)}
    files = write_cogs(binding, pixels, tmp_path, workers=workers, done=lambda *n: told.append(n))
    assert len({thread for _, thread in log}) == workers
    assert told == [(done, 7) for done in range(8)]
    assert [file.path for file in files] == [f"cog/v{k}.tif" for k in range(7)]
    assert files[3].title == "value 3"
    for k in range(7):
        with rasterio.open(tmp_path / f"cog/v{k}.tif") as image:
            assert (image.read(1) == k).all()


def test_gdals_cache_stays_bounded_when_the_first_file_is_done(binding, tmp_path):
    """The cache is one for all threads: the first one to end must not give it back its usual size."""
    from rasterio._env import get_gdal_config  # what tells the size has no public name

    class Watching(Slow):
        def __getitem__(self, key):
            sizes.append(get_gdal_config("GDAL_CACHEMAX"))
            return super().__getitem__(key)

    sizes, before = [], get_gdal_config("GDAL_CACHEMAX")
    pixels = {f"v{k}": Watching([], k) for k in range(6)}
    write_cogs(binding, pixels, tmp_path, workers=3, done=silent)
    assert set(sizes) == {64 * 2**20}
    assert get_gdal_config("GDAL_CACHEMAX") == before > 64 * 2**20


@pytest.mark.parametrize(
    ("failure", "raised"), [(OSError("no space"), WriteError), (KeyboardInterrupt(), KeyboardInterrupt)]
)
def test_the_first_failure_ends_the_others(binding, tmp_path, failure, raised):
    log = []
    pixels = {
        "slow": Slow(log, 0),
        "broken": Slow(log, 1, failure),
        **{f"v{k}": Slow(log, k) for k in (2, 3)},
    }
    with pytest.raises(raised):
        write_cogs(binding, pixels, tmp_path, workers=2, done=silent)
    reads = [value for value, _ in log]
    time.sleep(0.05)
    assert len(log) == len(reads)  # nobody reads any more
    assert reads.count(0) < 6  # given up before its last block
    assert not {2, 3} & set(reads)
    assert not list((tmp_path / "cog").iterdir())


def test_an_interruption_of_who_waits_ends_all(binding, tmp_path):
    def interrupted(done, _total):
        if done:
            raise KeyboardInterrupt

    log = []
    pixels = {"v0": Slow([], 0), **{f"v{k}": Slow(log, k) for k in range(1, 9)}}
    with pytest.raises(KeyboardInterrupt):
        write_cogs(binding, pixels, tmp_path, workers=2, done=interrupted)
    # One was complete, one more may have been as good as complete.
    assert len({path.name for path in (tmp_path / "cog").iterdir()}) <= 2
    assert not list((tmp_path / "cog").glob(".*"))
    assert len({value for value, _ in log}) <= 3

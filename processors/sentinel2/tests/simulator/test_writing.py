"""Writing is deterministic, and all or nothing."""

import hashlib
import subprocess
import sys

import pytest
from swath.errors import DestinationError, InputError
from swath_sentinel2.simulator import simulate

SMALL = {"size": 96, "codec_tiles": (64, 64, 64)}


def contents(product):
    files = sorted(path for path in product.rglob("*") if path.is_file())
    return {path.relative_to(product): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_parameters_give_the_same_bytes_whatever_the_number_of_threads(tmp_path):
    one = simulate(tmp_path / "one", **SMALL, workers=1)
    two = simulate(tmp_path / "two", **SMALL, workers=3)
    assert contents(one) == contents(two)


def test_tells_its_progress_to_the_end(tmp_path):
    told = []
    simulate(tmp_path, **SMALL, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_refuses_to_replace_a_product_unless_asked(tmp_path):
    product = simulate(tmp_path, **SMALL)
    before = contents(product)
    with pytest.raises(DestinationError, match="exists already"):
        simulate(tmp_path, **SMALL, cloud_cover=0.5)
    assert contents(product) == before
    assert simulate(tmp_path, **SMALL, cloud_cover=0.5, overwrite=True) == product
    assert contents(product) != before


@pytest.mark.parametrize("stop", [KeyboardInterrupt, RuntimeError])
def test_leaves_nothing_when_it_is_stopped(tmp_path, stop):
    def interrupt(share):
        if share > 0.3:
            raise stop

    with pytest.raises(stop):
        simulate(tmp_path, **SMALL, progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_keeps_the_old_product_when_it_is_stopped(tmp_path):
    product = simulate(tmp_path, **SMALL)
    before = contents(product)

    def interrupt(share):
        if share > 0.5:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        simulate(tmp_path, **SMALL, cloud_cover=0.6, overwrite=True, progress=interrupt)
    assert contents(product) == before
    assert list(tmp_path.iterdir()) == [product]


def test_says_so_when_the_disk_takes_no_more_and_leaves_nothing(tmp_path):
    """A limit on the size of files makes writes fail as a full disk does."""
    script = f"""
import resource, signal, sys
from pathlib import Path
from swath.errors import WriteError
from swath_sentinel2.simulator import simulate
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
try:
    simulate({str(tmp_path)!r}, size=390)
except WriteError as error:
    print(error)
    sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 7, done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def test_refuses_a_destination_that_cannot_be_one(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(DestinationError, match="Cannot make the folder"):
        simulate(tmp_path / "file" / "folder", **SMALL)
    with pytest.raises(DestinationError, match="names a product"):
        simulate(tmp_path / "X.SAFE", **SMALL)


def test_refuses_impossible_parameters_before_it_makes_a_folder(tmp_path):
    with pytest.raises(InputError, match="multiple of 6"):
        simulate(tmp_path / "new", size=97)
    assert not (tmp_path / "new").exists()

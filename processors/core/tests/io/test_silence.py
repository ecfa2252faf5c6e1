"""Warnings put off by one thread, while another is within rasterio."""

import time
import warnings
from concurrent.futures import ThreadPoolExecutor

from swath.io.silence import SILENCE, silenced


class OneWarning(UserWarning):
    """One that is put off."""


def draw() -> None:
    """Put a warning off without `silenced`, as rasterio does while it draws."""
    with SILENCE, warnings.catch_warnings():
        warnings.simplefilter("ignore", OneWarning)
        time.sleep(0.001)  # others come between
        warnings.warn("put off", OneWarning, stacklevel=1)


def check() -> None:
    with silenced(OneWarning):
        time.sleep(0.0005)
        warnings.warn("put off", OneWarning, stacklevel=1)


def test_no_thread_takes_the_filters_of_another_away():
    before = list(warnings.filters)
    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work) for _ in range(100) for work in (draw, check)]:
            done.result()  # a warning is an error in these tests
    assert warnings.filters == before


def test_other_kinds_are_not_put_off():
    with silenced(OneWarning), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", UserWarning)
        warnings.warn("told", UserWarning, stacklevel=1)
    assert [str(one.message) for one in told] == ["told"]

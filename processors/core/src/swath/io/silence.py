"""Silence: warnings that are put off for a while, by one thread at a time.

Python keeps the filters of warnings for all threads together, and leaving `warnings.catch_warnings` brings
back those of entering it: where two threads are within it at once, the first that leaves takes the filters
of the other with it. rasterio enters it by itself while it draws polygons.
"""

from __future__ import annotations

import threading
import warnings
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["SILENCE", "silenced"]

SILENCE = threading.RLock()
"""Held by whoever puts warnings off, or has rasterio do so."""


@contextmanager
def silenced(*categories: type[Warning]) -> Iterator[None]:
    """Put off warnings of some kinds."""
    with SILENCE, warnings.catch_warnings():
        for category in categories:
            warnings.simplefilter("ignore", category)
        yield

"""Progress of a run in a Jupyter notebook: a bar below the cell, which needs no widget library."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from lxml.html import tostring
from lxml.html.builder import E

__all__ = ["notebook_progress"]

_SECONDS = 0.2
"""Between two changes of the bar."""


@contextmanager
def notebook_progress() -> Iterator[Callable[[str, int, int], None] | None]:
    """Give what a run tells its progress to, shown below the cell that runs; None outside of a notebook.

    In the end it says whether the run is done or was stopped.
    """
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        yield None
        return
    show: Any = import_module("IPython.display")  # there in a notebook, and without types
    shown = show.display(show.HTML(_bar("opening …")), display_id=True)
    last = 0.0
    latest = (0, 1)

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last, latest
        latest = (done, total) if total else latest
        now = time.monotonic()
        if now - last >= _SECONDS or done == total:
            last = now
            shown.update(
                show.HTML(_bar(f"{what}: {done} of {total}", done, total) if total else _bar(f"{what} …"))
            )

    try:
        yield tell
    except BaseException:
        shown.update(show.HTML(_bar("stopped", *latest)))
        raise
    shown.update(show.HTML(_bar("done", 1, 1)))


def _bar(text: str, done: int = 0, total: int = 0) -> str:
    """Return a bar with a text beside it; it only moves where the total is not known."""
    amounts = {"value": str(done), "max": str(total)} if total else {}
    bar = E.progress(style="width: 20em; vertical-align: middle", **amounts)
    return str(tostring(E.div(bar, f" {text}", role="status"), encoding="unicode"))

"""Progress of a run in a Jupyter notebook: a bar below the cell, which needs no widget library."""

import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from lxml.html import tostring
from lxml.html.builder import E

__all__ = ["notebook_progress"]

_SECONDS = 0.2
"""Between two changes of the bar."""


def notebook_progress() -> Callable[[str, int, int], None] | None:
    """Return what a run tells its progress to, shown below the cell that runs; None outside of a notebook."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    show: Any = import_module("IPython.display")  # there in a notebook, and without types
    shown = show.display(show.HTML(_bar("opening", 0, 0)), display_id=True)
    last = 0.0

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= _SECONDS or done == total:
            last = now
            shown.update(show.HTML(_bar(what, done, total)))

    return tell


def _bar(what: str, done: int, total: int) -> str:
    amounts = {"value": str(done), "max": str(total)} if total else {}
    text = f" {what}: {done} of {total}" if total else f" {what} …"
    bar = E.progress(style="width: 20em; vertical-align: middle", **amounts)
    return str(tostring(E.div(bar, text, role="status"), encoding="unicode"))

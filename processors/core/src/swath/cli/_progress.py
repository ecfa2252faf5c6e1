"""Progress of a verb: a bar in a terminal, now and then a line elsewhere."""

# ruff: noqa: PLC0415 -- a verb imports what it works with only when it runs

from __future__ import annotations

import logging
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["progress"]

SECONDS_BETWEEN_LINES = 5.0
"""Where there is no terminal."""


@contextmanager
def progress(*, as_json: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Yield what a verb tells its progress to: what is being done, how much of it is done, and of how much.

    It goes to standard error, or with ``as_json`` to the log. Where the amounts are not known, both are 0.
    """
    if as_json or not sys.stderr.isatty():
        yield _lines(_log if as_json else _echo)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("opening", total=None)

        def tell(what: str, done: int, total: int) -> None:
            bar.update(task, description=what, completed=done, total=total or None)

        yield tell


def _echo(what: str, done: int, total: int) -> None:
    click.echo(f"{what}: {done} of {total}" if total else f"{what} …", err=True)


def _log(what: str, done: int, total: int) -> None:
    logging.getLogger("swath.run").info("progress", extra={"what": what, "done": done, "total": total})


def _lines(say: Callable[[str, int, int], None]) -> Callable[[str, int, int], None]:
    last = time.monotonic()

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            say(what, done, total)

    return tell

"""A pipeline as it goes: a live table in a terminal, plain lines elsewhere."""

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from swath_developer.pipeline._report import JobResult, Report

SHOWN_LINES = 60
"""Lines of a failed job's log that are shown; all of them are in the log file."""
STYLES = {
    "pending": "dim",
    "running": "cyan",
    "passed": "green",
    "failed": "bold red",
    "warning": "yellow",
    "not run": "dim",
}


class Display(Protocol):
    """Shows the jobs; entered before the first one starts, left after the last."""

    def __enter__(self) -> Self:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, also when interrupted."""

    def say(self, line: str) -> None:
        """Show a line of text."""

    def begin(self, results: Sequence[JobResult]) -> None:
        """Show the jobs that there are."""

    def changed(self, result: JobResult) -> None:
        """Show that a job has another state."""

    def tick(self, seconds: dict[str, float]) -> None:
        """Show for how long each job has been running."""


class PlainDisplay:
    """One line for each thing that happens.

    Parameters
    ----------
    stream
        Where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.flush()

    def say(self, line: str) -> None:
        """Show a line of text."""
        print(line, file=self._stream, flush=True)

    def begin(self, results: Sequence[JobResult]) -> None:
        """Name the jobs that will run."""
        self.say("jobs: " + ", ".join(result.job.name for result in results if result.state == "pending"))

    def changed(self, result: JobResult) -> None:
        """Tell the new state."""
        after = "" if result.state == "running" else f" {result.seconds:.1f} s"
        note = f" ({result.note})" if result.note else ""
        self.say(f"{result.state:8} {result.job.name}{after}{note}")

    def tick(self, seconds: dict[str, float]) -> None:
        """Do nothing: plain output tells what happens, not that time passes."""


class TableDisplay:
    """A table that stays in place, with what is said above it.

    Parameters
    ----------
    console
        The terminal.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._results: Sequence[JobResult] = ()
        self._seconds: dict[str, float] = {}
        self._live = Live(console=console, refresh_per_second=8, get_renderable=self._table, transient=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live.is_started:
            self._live.stop()

    def say(self, line: str) -> None:
        """Show a line above the table."""
        self._console.print(Text(line))

    def begin(self, results: Sequence[JobResult]) -> None:
        """Put up the table."""
        self._results = results
        self._live.start()

    def changed(self, result: JobResult) -> None:
        """Do nothing: the table shows the states by itself."""

    def tick(self, seconds: dict[str, float]) -> None:
        """Take the times for the table."""
        self._seconds = seconds

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for title in ("job", "stage", "state", "time", ""):
            table.add_column(title, justify="right" if title == "time" else "left")
        for result in self._results:
            seconds = self._seconds.get(result.job.name, result.seconds)
            table.add_row(
                result.job.name,
                result.job.stage,
                Text(result.state, style=STYLES[result.state]),
                f"{seconds:.1f} s" if seconds else "",
                Text(result.note, style="dim"),
            )
        return table


def display_for(stream: TextIO | None = None) -> Display:
    """Return the table for a terminal, plain lines for anything else."""
    stream = stream or sys.stdout
    return TableDisplay(Console(file=stream)) if stream.isatty() else PlainDisplay(stream)


def failed_log(result: JobResult) -> list[str]:
    """Return the end of a job's log, framed."""
    lines = [f"  | {line}" for line in result.log[-SHOWN_LINES:]]
    left = len(result.log) - len(lines)
    head = f"--- log of {result.job.name}" + (f", its last {len(lines)} lines" if left else "") + " ---"
    return [head, *lines, "---"]


def summary(report: Report) -> list[str]:
    """Return the lines that end a pipeline: what did not run, figures, where the artifacts are."""
    lines = [
        f"not run  {result.job.name}: {result.note}" for result in report.jobs if result.state == "not run"
    ]
    for result in report.jobs:
        if result.tests:
            counts = result.tests
            lines.append(
                f"tests    {result.job.name}: {counts.passed} passed, {counts.failed} failed, "
                f"{counts.skipped} skipped"
            )
        if result.coverage:
            lines.append(
                f"coverage {result.job.name}: {result.coverage.lines:.1f} % of lines, "
                f"{result.coverage.branches:.1f} % of branches"
            )
    failed = [result.job.name for result in report.jobs if result.state == "failed"]
    lines.append(f"logs and artifacts: {report.folder}")
    verdict = (
        "passed" if report.passed else f"failed: {', '.join(failed)}" if failed else "failed: no job ran"
    )
    lines.append(f"pipeline {verdict}, {report.seconds:.1f} s")
    return lines

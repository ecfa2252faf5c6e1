"""A drill as it goes: a bar in a terminal, a line for each test elsewhere."""

import sys
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from swath_developer.drills._result import Outcome

_SHOWN = 70
"""Letters of a test's name beside the bar."""


class Progress:
    """Shows the tests of a drill.

    Parameters
    ----------
    stream
        Where to.
    known
        Seconds that each test took in the last run, by which the time that is left is told.
    """

    def __init__(self, stream: TextIO | None = None, *, known: Mapping[str, float] | None = None) -> None:
        self._stream = stream or sys.stdout
        self._known = known or {}
        self._left: list[str] = []
        self._total = 0
        self._bar: Bar | None = None
        if self._stream.isatty():
            columns = (
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                TextColumn("{task.description}"),
            )
            self._bar = Bar(*columns, console=Console(file=self._stream))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar:
            self._bar.stop()

    def begin(self, tests: Sequence[str]) -> None:
        """Say how many tests there are."""
        self._left, self._total = list(tests), len(tests)
        self.say(f"{self._total} test{'s' if self._total != 1 else ''}{self._time_left()}")
        if self._bar:
            self._bar.start()
            self._bar.add_task("", total=self._total)

    def test_begins(self, test: str) -> None:
        """Name the test that runs."""
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=_short(test)[:_SHOWN])

    def test_ends(self, outcome: Outcome) -> None:
        """Tell how a test ended, and what is left."""
        if outcome.test in self._left:
            self._left.remove(outcome.test)
        done = self._total - len(self._left)
        count = "" if self._bar else f"{done:{len(str(self._total))}}/{self._total} "
        left = "" if not self._left else self._time_left()
        self.say(f"{count}{outcome.outcome} {_short(outcome.test)} {outcome.seconds:.1f} s{left}")
        if self._bar:
            self._bar.advance(self._bar.task_ids[0])

    def _time_left(self) -> str:
        """Return how long the tests that are left took the last time, if that is known of all of them."""
        if not self._left or any(test not in self._known for test in self._left):
            return ""
        seconds = sum(self._known[test] for test in self._left)
        return f"; about {seconds / 60:.0f} min left, by the last run" if seconds >= 60 else ""

    def say(self, line: str) -> None:
        """Tell something, above the bar where there is one."""
        if self._bar:
            self._bar.console.print(line, markup=False, highlight=False)
        else:
            print(line, file=self._stream, flush=True)


def _short(test: str) -> str:
    """Return the name of a test without its file, as a sentence."""
    return test.rpartition("::")[2].removeprefix("test_").replace("_", " ")

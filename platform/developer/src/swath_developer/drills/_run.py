"""Run a drill: pytest in a process of its own, watched while it runs, left to clear up when interrupted."""

import datetime as dt
import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from swath_developer.drills._catalogue import Drill
from swath_developer.drills._progress import Progress
from swath_developer.drills._result import Outcome, Result, commit_of
from swath_developer.errors import DeveloperError
from swath_developer.places import data_folder


def run(drill: Drill, *, checkout: Path, progress: Progress) -> tuple[Result, Path]:
    """Run the tests of a drill and return how they ended, and the file of all that pytest printed.

    Parameters
    ----------
    drill
        What is run.
    checkout
        Where.
    progress
        Is told each test.

    Raises
    ------
    DeveloperError
        pytest is not installed here.
    KeyboardInterrupt
        It was interrupted; what the tests had set up has been removed.
    """
    if importlib.util.find_spec("pytest") is None:
        raise DeveloperError("pytest is not installed here: run it as ./swath drill, in a clone of Swath.")
    log = data_folder() / "drills" / f"{drill.name}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    commit, began = commit_of(checkout), time.monotonic()
    date = dt.datetime.now(dt.UTC).date().isoformat()
    outcomes: list[Outcome] = []
    with progress, _started(drill.tests, checkout=checkout, log=log, say=progress.say) as (process, events):
        for line in events:
            event = json.loads(line)
            if event["event"] == "collected":
                progress.begin(event["tests"])
            elif event["event"] == "begins":
                progress.test_begins(event["test"])
            else:
                outcomes.append(Outcome(event["test"], event["outcome"], event["seconds"]))
                progress.test_ends(outcomes[-1])
        status = process.wait()
    result = Result(
        drill=drill.name,
        passed=status == 0 and bool(outcomes) and all(one.outcome == "passed" for one in outcomes),
        outcomes=tuple(outcomes),
        seconds=round(time.monotonic() - began, 1),
        date=date,
        commit=commit,
    )
    return result, log


@contextmanager
def _started(
    tests: Sequence[str], *, checkout: Path, log: Path, say: Callable[[str], None]
) -> Iterator[tuple["subprocess.Popen[bytes]", Iterator[str]]]:
    """Start pytest; give it and the lines of its events. When interrupted it is left to clear up."""
    reading, writing = os.pipe()
    command = [sys.executable, "-m", "pytest", "-p", "swath_developer.drills._reporter"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    with log.open("wb") as output, os.fdopen(reading, encoding="utf-8") as events:
        process = subprocess.Popen(  # noqa: S603 -- ours; the tests are those of the checkout's own file
            [*command, "--drill-events", str(writing), "-v", *tests],
            cwd=checkout,
            env={**os.environ, "PATH": path, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=[writing],
            start_new_session=True,  # an interruption is passed on below, once and in one way
        )
        os.close(writing)
        try:
            yield process, events
        except BaseException:
            say("stopped: the tests remove what they have set up, which may take a minute")
            _end(process)
            raise


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Have the tests stop, and wait for that: until then, another Ctrl-C changes nothing."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

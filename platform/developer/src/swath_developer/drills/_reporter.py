"""A plug-in of pytest that tells what happens while it happens, a line of JSON each, to who started it."""

import json
import os

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option that says where to."""
    parser.addoption("--drill-events", type=int, metavar="FD", help="file descriptor to write events to")


def pytest_configure(config: pytest.Config) -> None:
    """Tell events from now on."""
    descriptor = config.getoption("--drill-events")
    if descriptor is not None:
        config.pluginmanager.register(Reporter(descriptor), "swath-drill-events")


class Reporter:
    """Tells events.

    Parameters
    ----------
    descriptor
        Where to: the writing end of a pipe.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._outcome = "passed"
        self._seconds = 0.0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Tell the tests that will run."""
        self._tell(event="collected", tests=[item.nodeid for item in session.items])

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Tell that a test begins."""
        self._outcome, self._seconds = "passed", 0.0
        self._tell(event="begins", test=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take how its set-up, itself and its removal ended; what failed once has failed."""
        self._seconds += report.duration
        if report.failed or (report.skipped and self._outcome == "passed"):
            self._outcome = "failed" if report.failed else "skipped"

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """Tell that a test has ended."""
        self._tell(event="ends", test=nodeid, outcome=self._outcome, seconds=round(self._seconds, 1))

    def _tell(self, **event: object) -> None:
        os.write(self._descriptor, json.dumps(event).encode() + b"\n")

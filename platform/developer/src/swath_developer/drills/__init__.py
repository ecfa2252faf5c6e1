"""Drills: tests that take too long for `./swath test`, run by name, their last results kept as pages."""

from swath_developer.drills._catalogue import CATALOGUE, Drill, catalogue, find
from swath_developer.drills._page import PAGES, last_result, write_page
from swath_developer.drills._result import Outcome, Result, Word
from swath_developer.drills._run import run

__all__ = [
    "CATALOGUE",
    "PAGES",
    "Drill",
    "Outcome",
    "Result",
    "Word",
    "catalogue",
    "find",
    "last_result",
    "run",
    "write_page",
]

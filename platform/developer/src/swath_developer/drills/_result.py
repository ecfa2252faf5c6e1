"""How a drill ended: each of its tests, and of what it was the result."""

import os
import platform
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from swath_developer._process import git

Word = Literal["passed", "failed", "skipped"]
"""What may become of a test."""


def kind_of_machine() -> str:
    """Return processors, memory, system and Python of this machine."""
    processors = len(os.sched_getaffinity(0))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    try:
        system = platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:  # a system that does not describe itself
        system = platform.system()
    kernel = ".".join(platform.release().split(".")[:2])
    return (
        f"{processors} processor{'s' if processors > 1 else ''}, {memory:.0f} GiB, {system}, "
        f"kernel {kernel}, Python {platform.python_version()}"
    )


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one test ended."""

    test: str
    """Its name, as pytest has it."""
    outcome: Word
    """What became of it."""
    seconds: float
    """How long it took, with all that was set up for it and removed after it."""


@dataclass(frozen=True, slots=True)
class Result:
    """How a drill ended."""

    drill: str
    """Name of the drill."""
    passed: bool
    """Whether all its tests ran and passed; one that was skipped has not."""
    outcomes: tuple[Outcome, ...]
    """Its tests that ran, in their order."""
    seconds: float
    """How long the whole took."""
    date: str
    """Day of the run, as in 2026-11-26 (UTC)."""
    commit: str
    """Commit of the checkout; with a remark where files had been changed since."""
    machine: str = field(default_factory=kind_of_machine)
    """What kind of machine it ran on; neither names nor paths."""

    @property
    def word(self) -> Word:
        """What became of it as a whole."""
        return "passed" if self.passed else "failed"

    def count(self, outcome: Word) -> int:
        """Return how many tests ended in a way."""
        return sum(one.outcome == outcome for one in self.outcomes)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as what JSON is made of."""
        return asdict(self)


def commit_of(checkout: Path) -> str:
    """Return the commit of a checkout, and whether its files are others by now."""
    head = git(checkout, "rev-parse", "--short=12", "HEAD")
    if head.returncode:
        return "unknown"
    changed = git(checkout, "status", "--porcelain").stdout.strip()
    return head.stdout.strip() + (", with changes that were not committed" if changed else "")

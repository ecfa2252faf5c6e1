"""Who is waited for before a run can compute: that is said while one waits, not when it was in vain."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Answering"]

_SOON = 0.5
"""Seconds within which those that run answer: about these, nothing need be logged."""

_LOG = logging.getLogger("swath.run")


def _silent(_what: str, _done: int, _total: int) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Says whom a run waits for: to the progress bar at once, to the log as soon as it takes longer."""

    told: Callable[[str, int, int], None] = _silent
    """Where the progress of the run goes to."""
    event: Mapping[str, Any] = field(default_factory=dict)
    """What events of this run tell of it in the log."""

    @contextmanager
    def by(self, who: str, seconds: int | None) -> Iterator[None]:
        """Say during the block that ``who`` shall answer, in ``seconds`` at most (None: not known)."""
        self.told(f"waiting for {who}", 0, 0)
        # The thread that waits is in a library, which says nothing until it gives up.
        timer = threading.Timer(_SOON, self._log, (who, seconds))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _log(self, who: str, seconds: int | None) -> None:
        most = "as long as it takes there" if seconds is None else f"{seconds:g} s at most"
        _LOG.warning("waiting for %s, %s", who, most, extra=dict(self.event))

    def without_workers(self, who: str) -> None:
        """Say that a cluster has nobody who could compute, and that this may change."""
        _LOG.warning(
            "%s has no workers yet: the run waits until one joins it, or until you interrupt it", who,
            extra=dict(self.event),
        )  # fmt: skip

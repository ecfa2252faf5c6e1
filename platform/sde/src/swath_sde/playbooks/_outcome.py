"""What a playbook tells while it runs, and what that says of its end."""

from __future__ import annotations

import json
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from swath_sde.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

__all__ = ["DONE", "FAILED", "INTERRUPTED", "PENDING", "REFUSED", "Event", "Outcome"]

DONE, FAILED, REFUSED, PENDING, INTERRUPTED = 0, 1, 2, 3, 130
"""The settled exit statuses; REFUSED: bad input, PENDING: a check found something to do."""

_OF_ANSIBLE = 99
"""Exit status of ansible-playbook after Ctrl-C."""

Event = dict[str, Any]
"""A line of the callback ``swath.sde.progress``.

``event`` says which: start, task, progress, diff, result, end, or text for what Ansible itself has to say.
"""


class Outcome:
    """What the events of a run say of its end."""

    def __init__(self, on_event: Callable[[Event], None] | None) -> None:
        self.on_event = on_event
        self._last_words: list[str] = []

    def take(self, line: str) -> None:
        """Take a line of standard output."""
        event: Any = None
        with suppress(ValueError):
            event = json.loads(line)
        if not isinstance(event, dict) or "event" not in event:
            self.warn(line)
            return
        if self.on_event:
            self.on_event(event)

    def warn(self, line: str) -> None:
        """Take a line that is no event: what Ansible itself has to say."""
        if line.strip():
            self._last_words.append(line.rstrip())
            if self.on_event:
                self.on_event({"event": "text", "at": time.time(), "text": line.rstrip()})

    def status(self, returned: int, ended: Path, *, reads_only: bool) -> int:
        """Return the exit status.

        Parameters
        ----------
        returned
            That of ansible-playbook.
        ended
            Where the callback has written how the playbook ended, if it came to an end.
        reads_only
            Whether the run only looked.
        """
        found: dict[str, int] = {}
        with suppress(OSError):  # it came to none
            found = json.loads(ended.read_text(encoding="utf-8"))
        if returned in (_OF_ANSIBLE, INTERRUPTED, -signal.SIGINT, -signal.SIGTERM):
            return INTERRUPTED
        if status := found.get("exit_status"):
            return status
        if returned:
            if self.on_event and not found:
                said = "\n".join(self._last_words[-10:]) or "it said nothing"
                raise PlatformError(f"ansible-playbook ended with status {returned}: {said}")
            return FAILED
        return PENDING if reads_only and found.get("changed") else DONE

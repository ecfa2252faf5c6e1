"""The events of a playbook, shown to people or given to a program."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from typing import Any

__all__ = ["JsonLines", "View"]

_COLOURS = {"ok": "green", "changed": "yellow", "failed": "red", "ignored": "purple"}
_DIFFERENCES = {"+": "green", "-": "red"}
_WIDTH = 64


class JsonLines:
    """One JSON object a line."""

    def __init__(self, display: Any) -> None:
        self._display = display

    def take(self, event: dict[str, Any]) -> None:
        """Give an event."""
        self._display.display(json.dumps({"at": round(time.time(), 3), **event}))
        sys.stdout.flush()

    def tick(self, elapsed: float, left: float | None) -> None:
        """Do nothing: a program has its own clock."""


class View:
    """A line a task; in a terminal, the last one tells what is being done."""

    def __init__(self, display: Any) -> None:
        self._display = display
        self._live = sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
        self._role = self._told_role = ""
        self._doing = ""
        self._said = ""
        self._differs: list[str] = []
        self._shown = False

    def take(self, event: dict[str, Any]) -> None:
        """Show an event."""
        getattr(self, f"_{event['event']}")(event)

    def tick(self, elapsed: float, left: float | None) -> None:
        """Bring the last line up to date."""
        if not self._live or not self._doing:
            return
        said = f": {self._said}" if self._said else ""
        text = f"  … {self._doing}{said} ({_lasting(elapsed)}{_rest(left)})"
        columns = shutil.get_terminal_size().columns
        # Written past Ansible's own printing, but under its lock: no worker is forked in the midst of a line.
        with self._display._lock:  # noqa: SLF001 -- Ansible has no other way
            os.write(1, f"\r\x1b[2K{text[: columns - 1]}".encode())
            self._shown = True

    def _print(self, text: str, colour: str | None = None) -> None:
        with self._display._lock:  # noqa: SLF001 -- as above
            if self._shown:
                os.write(1, b"\r\x1b[2K")
                self._shown = False
            self._display.display(text, color=colour)
            sys.stdout.flush()

    def _start(self, event: dict[str, Any]) -> None:
        kind = "nothing is changed" if event["check"] else "what differs is changed"
        left = f"; about {_lasting(event['left'])} by earlier runs" if event["left"] else ""
        self._print(f"{event['playbook']}: {kind}{left}")

    def _task(self, event: dict[str, Any]) -> None:
        self._doing, self._said = event["task"], ""
        self._role = event["role"]

    def _below_its_role(self, text: str, colour: str | None = None) -> None:
        """Print a line, and before the first of a role that role: one of which all is skipped has none."""
        if self._role != self._told_role:
            self._told_role = self._role
            self._print(self._role)
        self._print(text, colour)

    def _progress(self, event: dict[str, Any]) -> None:
        if self._live:
            self._said = event["text"]
        elif event["text"] != self._said:  # in a log, everything once
            self._said = event["text"]
            self._below_its_role(f"           {event['of']}: {event['text']}")

    def _result(self, event: dict[str, Any]) -> None:
        self._doing = ""
        if event["state"] == "skipped":
            return
        state, elapsed = event["state"], _lasting(event["elapsed"])
        self._below_its_role(f"  {state:8} {event['task']:{_WIDTH}} {elapsed:>9}", _COLOURS[state])
        for line in event.get("message", "").splitlines():
            self._print(f"           {line}", _COLOURS[state])

        for line in self._differs:
            self._print(f"           {line}", _DIFFERENCES.get(line[0]))
        self._differs = []

    def _diff(self, event: dict[str, Any]) -> None:
        # Ansible tells the differences before the task that they belong to.
        lines = event["text"].splitlines()
        self._differs += [
            line for line in lines if line.strip() and not line.startswith(("---", "+++", "@@"))
        ]

    def _end(self, event: dict[str, Any]) -> None:
        changed = "would change" if event["check"] else "changed"
        failed = f", {event['failed']} failed" if event["failed"] else ""
        self._print(
            f"{event['changed']} {changed}, {event['ok']} as they should be{failed}; "
            f"{_lasting(event['seconds'])}"
        )


def _lasting(seconds: float) -> str:
    if seconds < 10:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _rest(left: float | None) -> str:
    return "" if left is None else f", about {_lasting(max(left, 1))} left"

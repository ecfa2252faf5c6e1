"""How long the rest of a playbook will take, from how long its tasks took before."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Estimate"]

Key = tuple[str, str]
"""Role and name of a task."""


class _Times(TypedDict, total=False):
    ok: float
    """Seconds that it took when there was nothing to do."""
    changed: float
    """Seconds that it took when it changed something."""


class Estimate:
    """The time that is left, told only where it is known.

    A task that changes something takes long, and one that finds nothing to do takes a moment, so both times
    of each task are kept. The rest is expected to change something as soon as one task of this run has.

    Parameters
    ----------
    file
        Where times are kept; ``None``: nowhere.
    playbook
        Name of the playbook and how it runs, whose times are looked at.
    """

    def __init__(self, file: Path | None = None, playbook: str = "") -> None:
        self._file, self._playbook = file, playbook
        self._known = self._read().get(playbook, {})
        self._seen: dict[str, _Times] = {}
        self._changed = False

    def done(self, task: Key, state: str, elapsed: float) -> None:
        """Take the time of a task that is done, in seconds."""
        self._changed = self._changed or state == "changed"
        if state in ("ok", "skipped"):
            self._seen[_named(task)] = {"ok": round(elapsed, 2)}
        elif state == "changed":
            self._seen[_named(task)] = {"changed": round(elapsed, 2)}

    def left(self, task: Key, elapsed: float) -> float | None:
        """Return the seconds that the rest will take, or ``None`` where no earlier run tells.

        Parameters
        ----------
        task
            The task that runs.
        elapsed
            Seconds that it has run for.
        """
        if not self._known:
            return None
        rest = 0.0
        changing = self._changed
        running = self._known.get(_named(task), {}) if _named(task) not in self._seen else {}
        if running:
            # Twice as long as nothing would take, and a second: it does something.
            changing = changing or ("changed" in running and elapsed > 2 * running.get("ok", 0.0) + 1)
            expected = _expected(running, changing=changing)
            if elapsed > expected:
                return None  # longer than ever: whoever said a number now would make it up
            rest += expected - elapsed
        for name, times in self._known.items():
            if name not in self._seen and name != _named(task):
                rest += _expected(times, changing=changing)
        return round(rest, 1)

    def keep(self) -> None:
        """Keep the times of this run for the next, with those of what this run did not do."""
        if self._file is None or not self._seen:
            return
        everything = self._read()
        known = everything.get(self._playbook, {})
        # In the order of this run; a task that is no more is forgotten.
        everything[self._playbook] = {
            name: {**known.get(name, {}), **times} for name, times in self._seen.items()
        }
        with suppress(OSError):  # of a full disk: an estimate is worth no failure
            self._file.parent.mkdir(parents=True, exist_ok=True)
            partial = self._file.with_suffix(".partial")
            partial.write_text(json.dumps(everything, indent=1), encoding="utf-8")
            partial.replace(self._file)

    def _read(self) -> dict[str, dict[str, _Times]]:
        if self._file is None:
            return {}
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # none yet, or a broken one, which the next run replaces
            return {}
        return found if isinstance(found, dict) else {}


def _named(task: Key) -> str:
    return " · ".join(part for part in task if part)


def _expected(times: _Times, *, changing: bool) -> float:
    first, second = ("changed", "ok") if changing else ("ok", "changed")
    return float(times.get(first, times.get(second, 0.0)))  # type: ignore[arg-type]

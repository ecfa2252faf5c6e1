"""What a module tells while it works and when it is done: progress, changes, differences."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible_collections.swath.sde.plugins.module_utils.interruption import RUN_FOLDER

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Progress", "difference"]


class Progress:
    """Take what the platform's functions tell on their way, and hand it to the callback of the playbook.

    Ansible has no way to say anything before a module ends: it goes through a file of the run's folder.
    """

    def __init__(self, subject: str) -> None:
        self._subject = subject
        self._last = ""
        folder = os.environ.get(RUN_FOLDER)
        self._file = Path(folder) / "progress" if folder and Path(folder).is_dir() else None

    def __call__(self, text: str) -> None:
        """Tell one thing, in a few words."""
        text = " ".join(text.split()).removeprefix(f"{self._subject}: ")
        if self._file is None or text in ("", self._last):
            return
        self._last = text
        line = json.dumps({"at": time.time(), "of": self._subject, "text": text}) + "\n"
        # One write of a line at the end of the file: modules that run at the same time do not mix theirs.
        with self._file.open("a", encoding="utf-8") as target:
            target.write(line)


def difference(changes: Iterable[Any]) -> dict[str, str]:
    """Return changes as Ansible's ``diff``: one line a value before, and one after.

    Parameters
    ----------
    changes
        Instances of `swath_sde.changes.Change`; a detail ``path: old → new`` becomes a line on each side.
    """
    before: list[str] = []
    after: list[str] = []
    for change in changes:
        title = f"{change.kind} {change.name}"
        old, new = [], []
        for detail in change.details:
            value_before, arrow, value_after = detail.partition(" → ")
            path, colon, value = value_before.partition(": ")
            old.append(f"  {path}: {value}" if arrow and colon else f"  {detail}")
            new.append(f"  {path}: {value_after}" if arrow and colon else f"  {detail}")
        if change.action in ("update", "delete"):
            before += [title, *old]
        if change.action == "create":
            after += [title, *(f"  {detail}" for detail in change.details)]
        elif change.action == "update":
            # A detail without an arrow says what is done, and stands on the side of what will be.
            before[len(before) - len(old) :] = [
                line for line, other in zip(old, new, strict=True) if line != other
            ]
            after += [title, *new]
    return {
        "before": "".join(f"{line}\n" for line in before),
        "after": "".join(f"{line}\n" for line in after),
        "before_header": "now",
        "after_header": "as swath.yaml has it",
    }

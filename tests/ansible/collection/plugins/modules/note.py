#!/usr/bin/python
"""A module for tests, of the same shape as those of the collection: one file on disk is what it changes."""

from __future__ import annotations

DOCUMENTATION = r"""
module: note
short_description: Write a text into a file, for tests
description:
  - Writes a text into a file.
options:
  file:
    description: Path of C(swath.yaml).
    type: path
    required: true
  path:
    description: File to write.
    type: path
    required: true
  text:
    description: What to write.
    type: str
    default: one
  seconds:
    description: Time that it takes.
    type: int
    default: 0
author:
  - the Swath maintainers
"""

import time
from pathlib import Path
from typing import Any

from ansible_collections.swath.sde.plugins.module_utils.work import Work, perform


def _choose(options: dict[str, Any]) -> Work:
    from swath_sde.changes import Action, Change
    from swath_sde.errors import PlatformError

    target, text = Path(options["path"]), options["text"]

    def plan(_installation: Any) -> list[Change]:
        if text == "broken":
            raise PlatformError("the text is 'broken'; give another")
        if text == "defect":
            raise RuntimeError("nobody thought of this")
        if not target.exists():
            return [Change("Note", target.name, Action.CREATE, (f"text: {text}",))]
        now = target.read_text()
        if now == text:
            return [Change("Note", target.name, Action.NONE)]
        return [Change("Note", target.name, Action.UPDATE, (f"text: {now} → {text}",))]

    def apply(installation: Any, progress: Any) -> list[Change]:
        changes = plan(installation)
        print("what a program prints does not get into the result")
        started = target.with_suffix(".started")
        started.touch()
        try:
            for second in range(options["seconds"]):
                progress(f"second {second + 1} of {options['seconds']}")
                time.sleep(1)
        except KeyboardInterrupt:
            time.sleep(0.5)  # clearing up takes a moment, too
            target.with_suffix(".cleared").touch()
            raise
        target.write_text(text)
        return changes

    return Work(plan=plan, apply=apply)


def main() -> None:
    """Run the module."""
    perform(
        "note",
        {
            "path": {"type": "path", "required": True},
            "text": {"type": "str", "default": "one"},
            "seconds": {"type": "int", "default": 0},
        },
        _choose,
    )


if __name__ == "__main__":
    main()

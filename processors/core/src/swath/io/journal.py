"""The journal of an unfinished product: which parts of it are done, and how their files can be verified.

It stands beside the partial directory, so that it is never part of a product: one line of JSON for the job,
then one for each part that is done. A line that a kill cut short is not there.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["Digests", "Journal", "file_digest", "journal_path"]

Digests = dict[str, "tuple[int, str] | None"]
"""Path of a file → its bytes and its SHA-256; None where there shall be no file."""

_VERSION = 1


def journal_path(partial: Path) -> Path:
    """Return where the journal of a partial directory stands."""
    return partial.with_name(f"{partial.name}.jsonl")


def file_digest(path: Path) -> tuple[int, str] | None:
    """Return a file's bytes and SHA-256, or None where there is none."""
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            return file.tell(), digest
    except FileNotFoundError:
        return None


class Journal:
    """The journal of one partial directory. One process writes it, from one thread.

    Parameters
    ----------
    partial
        The directory.
    job
        Hash of all that the product's content depends on; a journal of another job counts as empty.
    """

    def __init__(self, partial: Path, job: str) -> None:
        self.partial = partial
        self.job = job
        self._path = journal_path(partial)

    def matches(self) -> bool:
        """Tell whether there is a journal of this job."""
        lines = self._lines()
        return bool(lines) and lines[0] == {"version": _VERSION, "job": self.job}

    def begin(self) -> None:
        """Begin anew."""
        self._path.write_text(json.dumps({"version": _VERSION, "job": self.job}) + "\n", encoding="utf-8")

    def add(self, part: str, files: Mapping[str, tuple[int, str] | None]) -> None:
        """Note that a part is done, with all its files."""
        line = json.dumps({"part": part, "files": files})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")

    def verified(self, root: Path) -> list[str]:
        """Return the parts that are done and whose files are still what they were; begin anew with them.

        Empty where there is no journal of this job. The names of the files count from ``root``.
        """
        parts: dict[str, Digests] = {}
        if self.matches():
            for line in self._lines()[1:]:
                files = {name: tuple(told) if told else None for name, told in line["files"].items()}
                if all(file_digest(root / name) == told for name, told in files.items()):
                    parts[line["part"]] = files
        self.begin()
        for part, files in parts.items():
            self.add(part, files)
        return list(parts)

    def _lines(self) -> list[Any]:
        lines: list[Any] = []
        with suppress(OSError, ValueError):  # not there, or cut short: what was read until then holds
            for text in self._path.read_text(encoding="utf-8").split("\n")[:-1]:
                lines.append(json.loads(text))  # noqa: PERF401 -- lines before a broken one are kept
        return lines

"""Many small files at once: a product has thousands, and what they cost is the calls around each.

Paths are plain text here and files are written by one call each: :mod:`pathlib` and a task of a pool for each
file would take as long as the files themselves.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

__all__ = ["flush", "flush_tree", "make_folders", "write_files"]

_WRITERS = 2
"""Threads that write; more of them wait for one another."""

_FLUSHES = 16
"""Files that are brought to disk at once: each is a wait that the disk can share."""


def make_folders(directory: Path, folders: set[str]) -> None:
    """Make folders under a directory, and those above them; what exists stays."""
    root = f"{directory}/"
    for folder in sorted(folders):
        try:
            os.mkdir(root + folder)  # noqa: PTH102 -- see above
        except FileExistsError:
            continue
        except FileNotFoundError:
            os.makedirs(root + folder, exist_ok=True)  # noqa: PTH103


def write_files(directory: Path, files: Mapping[str, bytes]) -> None:
    """Write files by their names under a directory, whose folders exist.

    Raises
    ------
    OSError
        The first refusal of the system.
    """
    root = f"{directory}/"

    def write(names: Sequence[str]) -> None:
        for name in names:
            with open(root + name, "wb", buffering=0) as file:  # noqa: PTH123
                data = memoryview(files[name])
                while data:
                    data = data[file.write(data) :]

    _shared(write, list(files), _WRITERS)


def flush(path: str | os.PathLike[str]) -> None:
    """Bring one file or folder to disk.

    Raises
    ------
    OSError
        The system refuses.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def flush_tree(directory: Path) -> None:
    """Bring all files and folders under a directory to disk.

    Raises
    ------
    OSError
        The first refusal of the system.
    """
    paths = []
    for folder, _, names in os.walk(directory):
        paths += [f"{folder}/{name}" for name in names]
        paths.append(folder)

    def flush_each(part: Sequence[str]) -> None:
        for path in part:
            flush(path)

    _shared(flush_each, paths, _FLUSHES)


def _shared(work: Callable[[Sequence[str]], None], items: Sequence[str], threads: int) -> None:
    """Let some threads do a share of the work each."""
    with ThreadPoolExecutor(threads, thread_name_prefix="swath-files") as pool:
        for _ in pool.map(work, [items[start::threads] for start in range(threads)]):
            pass  # the first error is raised here

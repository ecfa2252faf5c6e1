"""Room on the disks of a cluster: where it ends, and what is to be done then."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["FLOOR", "INODES", "shortage"]

FLOOR = 1 << 30
"""Bytes: with less, the kubelet ends pods and starts none, so that etcd can write on."""
INODES = 2
"""Per cent of a file system's inodes: with less, the same."""


def shortage(folders: Iterable[Path]) -> str:
    """Return which disk is too full for the cluster to work, and what to do; empty where none is.

    Parameters
    ----------
    folders
        What may be on different disks; those that do not exist are left out.
    """
    seen: set[int] = set()
    for folder in folders:
        try:
            device, about = folder.stat().st_dev, os.statvfs(folder)
        except OSError:
            continue
        if device in seen:
            continue
        seen.add(device)
        free = about.f_bavail * about.f_frsize
        if free < FLOOR:
            return _told(folder, f"{free >> 20} MiB are free, {FLOOR >> 20} MiB are needed")
        if about.f_files and about.f_favail * 100 < about.f_files * INODES:
            return _told(folder, f"{about.f_favail} of {about.f_files} inodes are free")
    return ""


def _told(folder: Path, what: str) -> str:
    return (
        f"the disk of {folder} is full: {what}, so the cluster ends pods and starts none. Make room on that "
        "disk (`swath image prune` removes images that nothing needs), then call `swath apply`: it goes on, "
        "with all data there"
    )

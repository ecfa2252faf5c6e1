"""Volumes that have grown above the size that was asked for: nothing stops them, so it is told."""

from __future__ import annotations

import subprocess
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from kubernetes.utils.quantity import parse_quantity

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = ["oversized"]

_PATIENCE = 10.0
"""Seconds to look at one volume: one with so many files that it takes longer is left out."""


def oversized(volumes: Sequence[dict[str, Any]], folder: Path) -> list[str]:
    """Return which volumes hold more than was asked for, each with the claim that it belongs to.

    Parameters
    ----------
    volumes
        PersistentVolumes, as the API tells them.
    folder
        Where volumes are on this machine.
    """
    told = []
    for volume in volumes:
        spec = volume["spec"]
        local = (spec.get("local") or {}).get("path")
        if local is None:
            continue
        claim = spec.get("claimRef") or {}
        declared = int(parse_quantity(spec["capacity"]["storage"]))
        used = _used(folder / PurePosixPath(local).name)
        if used > declared:
            told.append(
                f"the volume {claim.get('namespace')}/{claim.get('name')} holds {used >> 20} MiB, "
                f"{declared >> 20} MiB were asked for: nothing stops it, see that the disk is large enough"
            )
    return told


def _used(folder: Path) -> int:
    """Return the bytes that a folder takes on its disk; 0 where that cannot be told in time."""
    try:
        done = subprocess.run(  # noqa: S603 -- no shell, no words of strangers
            ["du", "--summarize", "--block-size=1", "--one-file-system", str(folder)],  # noqa: S607 -- where PATH has it
            check=False,
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        return 0
    first = done.stdout.split()
    return int(first[0]) if first else 0

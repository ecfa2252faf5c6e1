"""The charts of this project, as Helm can install them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath_sde.errors import ReleaseError
from swath_sde.places import checkout

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["chart_of"]


def chart_of(component: str) -> Path:
    """Return the folder of a component's chart.

    Raises
    ------
    ReleaseError
        There is no such chart.
    """
    folder = checkout() / "charts" / component
    if not (folder / "Chart.yaml").is_file():
        raise ReleaseError(f"there is no chart for {component!r}: {folder} has no Chart.yaml")
    return folder

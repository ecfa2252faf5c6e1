"""The authority whose certificates browsers, pods and people see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath_sde.places import state_folder
from swath_sde.trust._authority import Authority

if TYPE_CHECKING:
    import datetime as dt

    from swath_sde.configuration import Installation

__all__ = ["installation_authority"]


def installation_authority(installation: Installation, *, now: dt.datetime | None = None) -> Authority:
    """Return the authority of an installation, made on the first call, in ``trust/`` of its state folder."""
    return Authority.at(
        state_folder(installation.name) / "trust",
        name=f"Swath {installation.name} ({installation.domain})",
        now=now,
    )

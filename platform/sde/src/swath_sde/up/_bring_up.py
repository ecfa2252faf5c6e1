"""From an empty machine to a working development environment, by the playbook that admins run, too."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click
from swath_developer.journey import REPOSITORY, travel
from swath_developer.places import data_folder

from swath_sde.changes import pending
from swath_sde.configuration import load_installation
from swath_sde.errors import ConfigurationError, PlatformError
from swath_sde.exclusive import exclusively
from swath_sde.playbooks import INTERRUPTED, REFUSED, run_playbook
from swath_sde.reconcile import plan_installation, status_of
from swath_sde.up._summary import summary
from swath_sde.welcome import welcome_with

if TYPE_CHECKING:
    from pathlib import Path

    from swath_sde.configuration import Installation

__all__ = ["bring_up"]


def bring_up(file: Path | None, *, tour: bool = True) -> None:
    """Bring an installation up; what is right already stays, and an interrupted call is simply made again.

    Parameters
    ----------
    file
        Description of the installation; None for ``swath.yaml`` of this folder, or else all defaults.
    tour
        Whether to take the tour afterwards, and to put its repository into the workspaces.

    Raises
    ------
    ConfigurationError
        Something stands in the way, in ``swath.yaml`` or on this machine; it was told.
    PlatformError
        A part cannot be made; those before it are kept.
    """
    installation = load_installation(file)
    began = time.monotonic()
    with exclusively(installation.name):
        if _right_already(installation):
            click.echo(f"{installation.name}: everything is as it should be")
        elif status := run_playbook("site", file):
            raise _failure(status)
        seconds = time.monotonic() - began
        if tour:
            travel(None, product=None, fresh=False)
            if installation.components.hub.enabled:
                welcome_with(installation, data_folder() / "tour" / REPOSITORY)
    click.echo(summary(installation, seconds))


def _failure(status: int) -> BaseException:
    """Return what a playbook's exit status says: as `apply` ends, so ends `up`."""
    if status == INTERRUPTED:
        return KeyboardInterrupt()
    if status == REFUSED:
        return ConfigurationError(
            "nothing can be installed like this; what stands in the way is told above. Once that is mended, "
            "the same command goes on"
        )
    return PlatformError(
        "the playbook has failed; what it said stands above. Once that is mended, the same command goes on "
        "where it stopped"
    )


def _right_already(installation: Installation) -> bool:
    """Tell whether there is nothing to do: quicker than to let the playbook find that out task by task."""
    try:
        found = status_of(installation) if not pending(plan_installation(installation)) else []
    except PlatformError:  # the playbook tells what is wrong, and mends it where it can
        return False
    return bool(found) and all(one.good for one in found)

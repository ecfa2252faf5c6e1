"""``swath up``: everything with one command."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from swath_sde.verbs._options import file_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["up"]


@click.command(short_help="Bring everything up: cluster, platform, and a tour.")
@file_option
@click.option("--no-tour", is_flag=True, help="Leave the tour of a processor's life out.")
def up(file: Path | None, no_tour: bool) -> None:
    """Bring everything up: a Kubernetes, the platform on it, and a processor's whole life as a tour.

    What is right already stays as it is, so a second call is quick, and one that was interrupted goes on.
    Ends with addresses, who can log in, and where the passwords are.

    \b
    Examples:
      ./swath up                      from a fresh clone, on this machine
      swath up -f site/swath.yaml     an installation of your own
      swath up --no-tour
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    from swath_sde.configuration import load_installation  # noqa: PLC0415 -- at the start of no other verb

    load_installation(file)  # a mistake in it is told before the seconds that the next import takes
    from swath_sde.up import bring_up  # noqa: PLC0415

    bring_up(file, tour=not no_tour)

"""The verb ``convert``."""

import click


@click.command()
def convert() -> None:
    """Not yet."""

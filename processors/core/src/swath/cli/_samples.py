"""The verb ``samples``."""

import click


@click.command()
def samples() -> None:
    """Not yet."""

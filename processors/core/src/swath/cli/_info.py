"""The verb ``info``."""

import click


@click.command()
def info() -> None:
    """Not yet."""

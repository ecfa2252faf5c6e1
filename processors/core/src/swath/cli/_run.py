"""The verb ``run``."""

import click


@click.command()
def run() -> None:
    """Not yet."""

"""Verbs."""
import click


@click.command()
def ci() -> None:
    """Not yet."""


@click.command()
def new() -> None:
    """Not yet."""


@click.command()
def tour() -> None:
    """Not yet."""

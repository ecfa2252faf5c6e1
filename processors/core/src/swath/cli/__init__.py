"""Verbs."""
import click


@click.command()
def convert() -> None:
    """Not yet."""


@click.command()
def info() -> None:
    """Not yet."""


@click.command()
def run() -> None:
    """Not yet."""


@click.command()
def samples() -> None:
    """Not yet."""

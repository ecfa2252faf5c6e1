"""The verb ``tour``."""

import click


@click.command()
def tour() -> None:
    """Take the developer's path on this machine, from a template to a product."""
    raise click.ClickException("The tour is not part of this version yet.")

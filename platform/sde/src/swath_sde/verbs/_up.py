"""The verbs of the platform."""

import click
from swath_developer.verbs import tour


@click.command()
@click.pass_context
def up(context: click.Context) -> None:
    """Bring everything up: set this machine up, then take the tour.

    The set-up is what ``./swath`` has done before this verb runs. What is right already stays as it is, so a
    second call is quick.

    \b
    Examples:
      ./swath up        from a fresh clone
      swath up          once more: shows what is there
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    # The platform's own stages (cluster, images, components, identity) will come before the tour.
    context.invoke(tour)

"""The verb ``tour``."""

from pathlib import Path

import click


@click.command(short_help="Show the whole life of a processor on this machine.")
@click.argument("directory", required=False, type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--input",
    "product",
    type=click.Path(path_type=Path, exists=True),
    help="Sentinel-2 level-1C product to work on; by default a real sample, else a simulated scene.",
)
@click.option("--fresh", is_flag=True, help="Do every part anew; what an earlier tour made is replaced.")
def tour(directory: Path | None = None, product: Path | None = None, *, fresh: bool = False) -> None:
    """Walk a processor's whole life on this machine, and show each part.

    It scaffolds a processor repository, runs that repository's GitLab pipeline, installs the processor, and
    runs it on a product: first on the whole, then on one window. What is right already is not done again; a
    repository that you have changed since is kept as you left it.

    DIRECTORY is where all this is made: by default `tour` in $SWATH_HOME, else in your data folder.

    \b
    Examples:
      swath tour                                  in the default place
      swath tour ~/tour --input S2A_MSIL1C_….SAFE on a product of your own
      swath tour --fresh                          all of it once more
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    from swath_developer.journey import travel  # noqa: PLC0415 -- the work, imported when it is wanted

    travel(directory, product=product, fresh=fresh)

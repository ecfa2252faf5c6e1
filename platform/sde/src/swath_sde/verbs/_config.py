"""``swath config``: the file that describes an installation."""

from __future__ import annotations

from pathlib import Path

import click

_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group(short_help="Write, check and describe swath.yaml.")
def config() -> None:
    """Write, check and describe swath.yaml, the file of an installation.

    \b
    Examples:
      swath config init                        the embedded cluster on this machine
      swath config init --profile cluster      your own cluster
      swath config validate
      swath config schema > swath.schema.json  for an editor
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace


@config.command()
@click.argument("file", type=_FILE, default="swath.yaml")
@click.option(
    "--profile",
    type=click.Choice(["embedded", "cluster", "airgap"]),
    default="embedded",
    show_default=True,
    help="What kind of installation the file describes.",
)
def init(file: Path, profile: str) -> None:
    """Write a first swath.yaml, with the choices that matter. What exists is never overwritten.

    \b
    Examples:
      swath config init
      swath config init site/swath.yaml --profile airgap
    """  # noqa: D301
    from swath_sde.configuration import PROFILES, starting_file  # noqa: PLC0415 -- at the start of no other verb
    from swath_sde.errors import ConfigurationError  # noqa: PLC0415
    from swath_sde.places import typed  # noqa: PLC0415

    try:
        with file.open("x", encoding="utf-8") as target:
            target.write(starting_file(profile))
    except FileExistsError:
        raise ConfigurationError(f"{file} exists already: remove it, or give another name") from None
    except FileNotFoundError:
        raise ConfigurationError(f"no folder {file.parent} to write {file.name} into: create it") from None
    click.echo(f"{file}: {PROFILES[profile]}")
    click.echo(f"Look it over, then: {typed('config', 'validate', file)}")


@config.command()
@click.argument("file", type=_FILE, required=False)
@click.option("-f", "--file", "named", type=_FILE, help="The same, as all other verbs take it.")
def validate(file: Path | None, named: Path | None) -> None:
    """Check a swath.yaml; all that is wrong is told at once.

    \b
    Examples:
      swath config validate
      swath config validate site/swath.yaml
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415

    if file is not None and named is not None:
        raise click.UsageError(f"one file at a time: {file}, or --file {named}")
    file = file or named or Path("swath.yaml")
    installation = load_installation(file)
    components = ", ".join(installation.components.enabled())
    click.echo(
        f"{file}: {installation.name} on {installation.domain} ({installation.where.kind}): {components}"
    )


@config.command()
def schema() -> None:
    """Print the JSON Schema of swath.yaml.

    \b
    Example:
      swath config schema > swath.schema.json
    """  # noqa: D301
    import json  # noqa: PLC0415

    from swath_sde.configuration import schema as describe  # noqa: PLC0415

    click.echo(json.dumps(describe(), indent=2))

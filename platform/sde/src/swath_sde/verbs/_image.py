"""``swath image``: the images of the platform's components."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swath_sde.changes import Change

_FILE = click.option(
    "--file",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The installation.  [default: swath.yaml]",
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON, for machines.")
_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
_NAMES = click.argument("names", nargs=-1, metavar="[IMAGE]...")


@click.group()
def image() -> None:
    """Build, list and clean up the images of the platform's components.

    \b
    Examples:
      swath image list
      swath image build                 all of them; what is there is kept
      swath image build hub --dry-run
      swath image sbom hub > hub.cdx.json
      swath image prune
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace


@image.command(name="list")
@_FILE
@_JSON
def list_(file: Path | None, as_json: bool) -> None:
    """Show what images there are, their tags, and which were built and pushed.

    \b
    Examples:
      swath image list
      swath image list --json
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415 -- at the start of no other verb
    from swath_sde.images import Records, catalogue  # noqa: PLC0415

    built = Records(load_installation(file).name).read()
    rows = []
    for name, each in catalogue().items():
        known = built.get(name)
        current = known if known and known.tag == each.tag else None
        rows.append(
            {
                "name": name,
                "title": each.title,
                "tag": each.tag,
                "built": current is not None,
                "size": current.size if current else None,
                "digest": current.digest if current else None,
                "reference": current.reference if current else None,
            }
        )
    if as_json:
        click.echo(json.dumps(rows, indent=2))
        return
    for row in rows:
        state = "pushed" if row["digest"] else "built" if row["built"] else "-"
        size = f"{int(str(row['size'])) / 1e6:.0f} MB" if row["size"] else ""
        click.echo(f"{row['name']:<14} {row['tag']}  {state:<7}{size:>8}  {row['title']}")


@image.command()
@_NAMES
@_FILE
@click.option("--again", is_flag=True, help="Build also what is there, for newer Debian packages.")
@click.option(
    "--archive",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also put docker archives into this folder.",
)
@_DRY_RUN
@_JSON
def build(  # noqa: PLR0917 -- click gives all of them by name
    names: tuple[str, ...], file: Path | None, again: bool, archive: Path | None, dry_run: bool, as_json: bool
) -> None:
    """Build images and all that they stand on. What has been built from the same files is kept.

    \b
    Examples:
      swath image build
      swath image build haproxy registry --archive /tmp/archives
      swath image build --dry-run
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415
    from swath_sde.images import Step, archive_images, build_images, plan_images  # noqa: PLC0415

    installation = load_installation(file)
    if dry_run:
        _show(plan_images(installation, names), as_json=as_json)
        return

    def tell(step: Step) -> None:
        if step.state == "kept":
            return
        left = f", about {_duration(step.left)} left" if step.left else ""
        click.echo(f"[{step.done}/{step.total}] {step.image} {step.state}{left}", err=as_json)

    built = build_images(installation, names, tell, again=again)
    if archive is not None:
        import shutil  # noqa: PLC0415

        archive.mkdir(parents=True, exist_ok=True)
        for name, made in archive_images(installation, names).items():
            shutil.copyfile(made, archive / f"{name}.tar")
    if as_json:
        click.echo(json.dumps([asdict(one) for one in built.values()], indent=2))
    else:
        click.echo(f"{len(built)} images are there.")


@image.command()
@_FILE
@_DRY_RUN
@_JSON
def prune(file: Path | None, dry_run: bool, as_json: bool) -> None:
    """Remove built images and downloads that nothing follows from any more.

    \b
    Examples:
      swath image prune --dry-run
      swath image prune
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415
    from swath_sde.images import prune_images  # noqa: PLC0415

    _show(prune_images(load_installation(file), dry_run=dry_run), as_json=as_json)


@image.command()
@click.argument("name", metavar="IMAGE")
@_FILE
def sbom(name: str, file: Path | None) -> None:
    """Print what is in an image: its bill of materials, as CycloneDX JSON.

    \b
    Examples:
      swath image sbom hub > hub.cdx.json
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415
    from swath_sde.errors import ConfigurationError  # noqa: PLC0415
    from swath_sde.images import Records, catalogue, selected  # noqa: PLC0415
    from swath_sde.places import typed  # noqa: PLC0415

    chosen = selected(catalogue(), [name])[-1]
    document = Records(load_installation(file).name).sbom(chosen)
    if not document.is_file():
        raise ConfigurationError(f"{name} was not built yet: {typed('image', 'build', name)}")
    click.echo(document.read_text(encoding="utf-8"))


def _show(changes: Sequence[Change], *, as_json: bool) -> None:
    from swath_sde.changes import as_json as plain  # noqa: PLC0415
    from swath_sde.changes import describe  # noqa: PLC0415

    click.echo(json.dumps(plain(changes), indent=2) if as_json else describe(changes))


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"

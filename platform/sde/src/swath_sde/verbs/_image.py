"""``swath image``: the images of the platform's components."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from swath_sde.verbs._options import as_json, file_option, json_option

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swath_sde.changes import Change
    from swath_sde.configuration import Installation

_DRY_RUN = click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
_NAMES = click.argument("names", nargs=-1, metavar="[IMAGE]...")


@click.group(short_help="Build, list and clean up the platform's images.")
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


@image.command(name="list", short_help="Show the images, and which of them are built.")
@file_option
@json_option
def list_(file: Path | None, machine: bool) -> None:
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
    if machine:
        as_json(rows)
        return
    for row in rows:
        state = "pushed" if row["digest"] else "built" if row["built"] else "-"
        size = f"{int(str(row['size'])) / 1e6:.0f} MB" if row["size"] else ""
        click.echo(f"{row['name']:<14} {row['tag']}  {state:<7}{size:>8}  {row['title']}")


@image.command()
@_NAMES
@file_option
@click.option("--again", is_flag=True, help="Build also what is there, for newer Debian packages.")
@click.option(
    "--archive",
    type=click.Path(path_type=Path, file_okay=False),
    help="Also put docker archives into this folder.",
)
@_DRY_RUN
@json_option
def build(  # noqa: PLR0917 -- click gives all of them by name
    names: tuple[str, ...], file: Path | None, again: bool, archive: Path | None, dry_run: bool, machine: bool
) -> None:
    """Build images and all that they stand on. What has been built from the same files is kept.

    Where swath.yaml says `images.place: cluster`, or `builder: kaniko` or `buildkit`, they are built as Jobs
    in the cluster, and are in the registry then.

    \b
    Examples:
      swath image build
      swath image build haproxy registry --archive /tmp/archives
      swath image build --dry-run
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415
    from swath_sde.images import Step, archive_images, build_images, plan_images  # noqa: PLC0415

    installation = load_installation(file)
    if installation.images.in_cluster:
        if again or archive is not None:
            raise click.UsageError(
                "--again and --archive are for builds on this machine; swath.yaml has them in the cluster "
                "(images.place)"
            )
        _build_in_cluster(installation, names, dry_run=dry_run, machine=machine)
        return
    if dry_run:
        _show(plan_images(installation, names), machine=machine)
        return

    def tell(step: Step) -> None:
        if step.state == "kept":
            return
        left = f", about {_duration(step.left)} left" if step.left else ""
        click.echo(f"[{step.done}/{step.total}] {step.image} {step.state}{left}", err=machine)

    built = build_images(installation, names, tell, again=again)
    if archive is not None:
        import shutil  # noqa: PLC0415

        archive.mkdir(parents=True, exist_ok=True)
        for name, made in archive_images(installation, names).items():
            shutil.copyfile(made, archive / f"{name}.tar")
    if machine:
        as_json([asdict(one) for one in built.values()])
    else:
        click.echo(f"{len(built)} images are there.")


@image.command(short_help="Remove built images and downloads that are not needed.")
@file_option
@click.option("--registry", is_flag=True, help="Also in the installation's registry, and give back its room.")
@_DRY_RUN
@json_option
def prune(file: Path | None, registry: bool, dry_run: bool, machine: bool) -> None:
    """Remove built images and downloads that nothing follows from any more.

    With --registry, tags that no current Dockerfile, no release and no pod names go from the registry, too,
    and its garbage collection runs at once, which otherwise comes by its schedule.

    \b
    Examples:
      swath image prune --dry-run
      swath image prune
      swath image prune --registry
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415

    installation = load_installation(file)
    if registry:
        from swath_sde.delivery import prune_with_registry  # noqa: PLC0415

        changes = prune_with_registry(
            installation, dry_run=dry_run, progress=lambda what: click.echo(what, err=True)
        )
    else:
        from swath_sde.images import prune_images  # noqa: PLC0415

        changes = prune_images(installation, dry_run=dry_run)
    _show(changes, machine=machine, done=not dry_run)


@image.command(short_help="Print what is in an image, as CycloneDX.")
@click.argument("name", metavar="IMAGE")
@file_option
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


def _build_in_cluster(
    installation: Installation, names: Sequence[str], *, dry_run: bool, machine: bool
) -> None:
    from swath_sde.delivery import build_named, plan_delivery  # noqa: PLC0415 -- at the start of no other verb
    from swath_sde.exclusive import exclusively  # noqa: PLC0415

    if dry_run:
        _show(plan_delivery(installation, names), machine=machine)
        return
    with exclusively(installation.name):
        built = build_named(installation, names, lambda what: click.echo(what, err=True))
    if machine:
        as_json([asdict(one) for one in built.values()])
    else:
        click.echo(f"{len(built)} images are in {installation.image_registry}.")


def _show(changes: Sequence[Change], *, machine: bool, done: bool = False) -> None:
    from swath_sde import changes as told  # noqa: PLC0415 -- at the start of no other verb

    if machine:
        as_json(told.as_json(changes))
    else:
        click.echo(told.describe(changes, done=done))


def _duration(seconds: float) -> str:
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"

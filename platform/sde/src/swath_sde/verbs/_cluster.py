"""``swath cluster``: the embedded cluster on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from swath_sde.cluster import EmbeddedCluster

_FILE = click.option(
    "--file",
    "-f",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The file of the installation; by default swath.yaml of this folder, where there is one.",
)


@click.group(short_help="Start, look at and remove the embedded cluster.")
def cluster() -> None:
    """Start, look at and remove the embedded cluster: a real Kubernetes of one node, on this machine.

    \b
    Examples:
      swath cluster up              build its programs (once), start it
      swath cluster status
      swath cluster down            stop it; its data stays
      swath cluster reset           stop it and remove its data
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace


@cluster.command(short_help="See to it that the cluster runs.")
@_FILE
def up(file: Path | None) -> None:
    """See to it that the cluster runs; what is right already stays as it is.

    Needs root. Whatever stands in the way is told before anything is changed (exit status 2).

    \b
    Examples:
      swath cluster up
      swath cluster up --file site/swath.yaml
    """  # noqa: D301
    found = _embedded(file)
    done = found.up(click.echo)
    if not done:
        click.echo(f"cluster {found.installation.name}: runs already, nothing to do")
    click.echo(f"export KUBECONFIG={found.kubeconfig}")


@cluster.command(short_help="Stop the cluster; its data stays.")
@_FILE
def down(file: Path | None) -> None:
    """Stop the cluster: no process, mount, device or cgroup of it is left. Its data stays.

    \b
    Example:
      swath cluster down
    """  # noqa: D301
    found = _embedded(file)
    ran = found.down(click.echo)
    click.echo(f"cluster {found.installation.name}: {'stopped; its data stays' if ran else 'does not run'}")


@cluster.command()
@_FILE
@click.option("--json", "as_json", is_flag=True, help="Write the status as JSON.")
@click.pass_context
def status(context: click.Context, *, file: Path | None, as_json: bool) -> None:
    """Tell how the cluster is. Exit status: 0 it is ready, 1 it is not.

    \b
    Examples:
      swath cluster status
      swath cluster status --json
    """  # noqa: D301
    import json  # noqa: PLC0415 -- at the start of no other verb

    about = _embedded(file).status()
    click.echo(json.dumps(about.to_dict(), indent=2) if as_json else about.text())
    context.exit(0 if about.state == "ready" else 1)


@cluster.command(short_help="Stop the cluster and remove its data.")
@_FILE
@click.option("--yes", is_flag=True, help="Do not ask.")
def reset(file: Path | None, *, yes: bool) -> None:
    """Stop the cluster and remove its data: volumes, images, objects, keys. This cannot be undone.

    \b
    Examples:
      swath cluster reset
      swath cluster reset --yes
    """  # noqa: D301
    found = _embedded(file)
    if not yes:
        click.confirm(
            f"Remove all data of the cluster {found.installation.name} in {found.state}?", abort=True
        )
    found.reset(click.echo)
    click.echo(f"cluster {found.installation.name}: removed")


def _embedded(file: Path | None) -> EmbeddedCluster:
    from swath_sde.cluster import EmbeddedCluster  # noqa: PLC0415 -- at the start of no other verb
    from swath_sde.configuration import load_installation  # noqa: PLC0415
    from swath_sde.errors import ConfigurationError  # noqa: PLC0415

    installation = load_installation(file)
    if installation.where.kind != "embedded":
        raise ConfigurationError(
            f"the installation {installation.name} is on a cluster of yours (where.kind: "
            f"{installation.where.kind}); `swath cluster` looks after embedded ones only"
        )
    return EmbeddedCluster(installation)

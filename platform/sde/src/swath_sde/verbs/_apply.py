"""``swath plan``, ``apply``, ``status`` and ``down``: the installation as a whole."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from swath_sde.verbs._options import as_json, file_option, json_option, only_option

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["apply", "down", "plan", "status"]

_CHANGES = 3
"""Settled exit status of a plan that found something to change."""


@click.command(short_help="Show what `apply` would change.")
@file_option
@only_option
@json_option
def plan(file: Path | None, only: tuple[str, ...], machine: bool) -> int:
    """Show what `apply` would change: one difference over cluster, images, releases and identity.

    Exit status 0: nothing to change; 3: there is something.

    \b
    Examples:
      swath plan
      swath plan -f site/swath.yaml --only keycloak --only realm
      swath plan --json
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    from swath_sde.configuration import load_installation  # noqa: PLC0415 -- at the start of no other verb

    installation = load_installation(file)
    # A mistake in the file is told before the seconds that it takes to import what works with a cluster.
    from swath_sde import changes  # noqa: PLC0415
    from swath_sde.reconcile import plan_installation  # noqa: PLC0415

    found = plan_installation(installation, only)
    if machine:
        as_json({"changes": changes.as_json(changes.pending(found))})
    else:
        click.echo(changes.describe(found))
    return _CHANGES if changes.pending(found) else 0


@click.command()
@file_option
@only_option
@json_option
def apply(file: Path | None, only: tuple[str, ...], machine: bool) -> None:
    """Make the installation what its description says. What is right already stays as it is.

    A call that was interrupted is simply made again. Objects that Swath did not create are never deleted.

    \b
    Examples:
      swath apply
      swath apply --only hub
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415

    installation = load_installation(file)
    from swath_sde import changes  # noqa: PLC0415
    from swath_sde.exclusive import exclusively  # noqa: PLC0415
    from swath_sde.reconcile import apply_installation, refuse_a_full_disk  # noqa: PLC0415

    refuse_a_full_disk(installation)  # on which not even the lock can be written
    with exclusively(installation.name):
        done = apply_installation(installation, only, progress=lambda what: click.echo(what, err=True))
    if machine:
        as_json({"changes": changes.as_json(done)})
    else:
        click.echo(changes.describe(done, done=True))


@click.command(short_help="Show how each component is.")
@file_option
@json_option
def status(file: Path | None, machine: bool) -> int:
    """Show how each component is: revision, pods that are ready, address.

    Exit status 0: all are ready; 1: something is not.

    \b
    Examples:
      swath status
      swath status --json
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415

    installation = load_installation(file)
    from swath_sde.reconcile import obstacle_of, remarks_of, status_of  # noqa: PLC0415

    found = status_of(installation)
    full = obstacle_of(installation)
    remarks = [*([full] if full else []), *remarks_of(installation)]
    good = all(one.good for one in found) and not full
    if machine:
        as_json({"ready": good, "components": [asdict(one) for one in found], "remarks": remarks})
        return 0 if good else 1
    for one in found:
        mark = "ready" if one.good else "NOT READY"
        address = installation.url(one.component) if one.component in _ADDRESSED else ""
        pods = f"{one.ready}/{one.wanted} pods"
        click.echo(f"{one.component:<12}{one.status:<12}{pods:<10}{mark:<11}{address}".rstrip())
    for remark in remarks:
        click.echo(f"note: {remark}")
    return 0 if good else 1


_ADDRESSED = {"keycloak", "hub", "registry"}
"""Components with an address of their own."""


@click.command()
@file_option
@click.option("--data", is_flag=True, help="Remove the data, too: volumes, users, passwords.")
@click.option("--yes", is_flag=True, help="Do not ask before data is removed.")
def down(file: Path | None, data: bool, yes: bool) -> None:
    """Stop the installation. Its data stays, and `up` or `apply` bring it back, unless --data is given.

    The embedded cluster stops and leaves no process, mount or network device; on a cluster of yours the
    releases are removed.

    \b
    Examples:
      swath down
      swath down --data --yes
    """  # noqa: D301
    from swath_sde.configuration import load_installation  # noqa: PLC0415

    installation = load_installation(file)
    from swath_sde import changes  # noqa: PLC0415
    from swath_sde.exclusive import exclusively  # noqa: PLC0415
    from swath_sde.reconcile import remove_installation  # noqa: PLC0415

    if data and not yes:
        click.confirm(f"Remove {installation.name} with all its data?", abort=True)
    with exclusively(installation.name):
        click.echo(changes.describe(remove_installation(installation, data=data), done=True))

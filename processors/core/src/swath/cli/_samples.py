"""The verb ``samples``: products to try things on, real ones that are here and simulated ones."""

# ruff: noqa: PLC0415 -- a verb imports what it works with only when it runs

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.metadata import EntryPoint
    from pathlib import Path

SIMULATORS = "swath.simulators"
"""Entry-point group of simulators: the name is what ``swath samples simulate`` takes, the object a function.

The function takes the folder to write into, ``overwrite``, ``workers`` and ``progress`` (called with the
share that is done), and whatever parameters it has by keyword; it returns the path of the product.
"""

DEFAULT_FOLDER = "../shared/samples"
"""Where real products are looked for unless SWATH_SAMPLES says otherwise."""

_ENDINGS = (".SAFE", ".SEN3", ".zarr", ".zarr.zip")
_DEPTH = 3


@click.group()
def samples() -> None:
    """Find products to try things on, or simulate one.

    \b
    Examples
      swath samples list
      swath samples simulate s2-l1c scenes
      swath samples simulate s2-l1c scenes --size 10980 --seed 7 --cloud-cover 0.4
    """  # noqa: D301 -- click wants the character, not the two


@samples.command("list", short_help="List real products that are here, and simulators.")
@click.option("--json", "as_json", is_flag=True, help="Print the list as JSON.")
def list_samples(*, as_json: bool) -> None:
    """List the real products in the samples' folder, and the simulators that are installed.

    The folder is that of the environment variable SWATH_SAMPLES, by default ../shared/samples.

    \b
    Examples
      swath samples list
      SWATH_SAMPLES=/data/samples swath samples list --json
    """  # noqa: D301 -- click wants the character, not the two
    import os
    from importlib.metadata import entry_points
    from pathlib import Path

    folder = Path(os.environ.get("SWATH_SAMPLES") or DEFAULT_FOLDER)
    products = sorted(_products(folder, _DEPTH)) if folder.is_dir() else []
    simulators = sorted(entry_points(group=SIMULATORS), key=lambda found: found.name)
    if as_json:
        content = {
            "folder": str(folder),
            "products": [str(product) for product in products],
            "simulators": [{"name": found.name, "summary": _summary(found)} for found in simulators],
        }
        click.echo(json.dumps(content, indent=2))
        return
    click.echo(f"Real products in {folder}:")
    for product in products:
        click.echo(f"  {product.relative_to(folder)}")
    if not products:
        click.echo("  none; set SWATH_SAMPLES to a folder that holds some")
    click.echo("Simulators (swath samples simulate NAME FOLDER):")
    for found in simulators:
        click.echo(f"  {found.name}  {_summary(found)}")
    if not simulators:
        click.echo("  none; they come with packages like swath-sentinel2")


@samples.command(short_help="Write a simulated product whose truth is known.")
@click.argument("simulator")
@click.argument("destination")
@click.option(
    "--size", type=int, metavar="PIXELS", help="Finest pixels along a side; 10980 is a whole S2 tile."
)
@click.option("--seed", type=int, help="Chooses landscape, clouds and noise.")
@click.option("--cloud-cover", type=float, metavar="SHARE", help="Share under opaque clouds, 0 to 0.95.")
@click.option("--cirrus-cover", type=float, metavar="SHARE", help="Share under cirrus, 0 to 0.95.")
@click.option("--empty-cover", type=float, metavar="SHARE", help="Share outside the swath, 0 to 0.9.")
@click.option("--tile", help="Tile of the military grid, for example T32TQM.")
@click.option("--workers", type=click.IntRange(min=1), help="Threads; one a CPU by default.")
@click.option("--overwrite", is_flag=True, help="Replace a product of the same name.")
@click.option("--json", "as_json", is_flag=True, help="Print the product's path as JSON.")
def simulate(
    simulator: str, destination: str, *, workers: int | None, overwrite: bool, as_json: bool, **given: Any
) -> None:
    """Write a product of SIMULATOR into the folder DESTINATION, and print its path.

    The product appears complete or not at all. What is left out has the simulator's own default.

    \b
    Examples
      swath samples simulate s2-l1c scenes
      swath samples simulate s2-l1c scenes --size 10980
      swath samples simulate s2-l1c scenes --size 2196 --seed 3 --cloud-cover 0 --overwrite --json

    \b
    Exit status: 0 done, 1 failed, 2 usage error or bad input, 130 interrupted. But for 0, nothing is
    left, and a product that existed is as it was.
    """  # noqa: D301 -- click wants the character, not the two
    import time

    from swath.cli._progress import progress

    write = _load(simulator)
    parameters = {name: value for name, value in given.items() if value is not None}
    _refuse_unknown(simulator, write, parameters)
    start = time.monotonic()
    with progress() as tell:
        product = write(
            destination,
            overwrite=overwrite,
            workers=workers,
            progress=lambda share: tell("simulating", round(share * 100), 100),
            **parameters,
        )
    if as_json:
        seconds = round(time.monotonic() - start, 1)
        content = {
            "product": str(product),
            "simulator": simulator,
            "parameters": parameters,
            "seconds": seconds,
        }
        click.echo(json.dumps(content, indent=2))
    else:
        click.echo(str(product))


def _products(folder: Path, depth: int) -> list[Path]:
    """Find products below a folder, without looking into them."""
    found: list[Path] = []
    for entry in sorted(folder.iterdir()):
        zipped = entry.suffix == ".zip" and entry.name[:2] in {"S1", "S2", "S3"}
        if entry.name.endswith(_ENDINGS) or zipped:
            found.append(entry)
        elif depth > 1 and entry.is_dir() and not entry.name.startswith("."):
            found += _products(entry, depth - 1)
    return found


def _summary(found: EntryPoint) -> str:
    """Give the first line of a simulator's documentation."""
    return (found.load().__doc__ or "").strip().partition("\n")[0]


def _load(name: str) -> Callable[..., Path]:
    from importlib.metadata import entry_points

    from swath.errors import InputError

    simulators = {found.name: found for found in entry_points(group=SIMULATORS)}
    if name not in simulators:
        known = ", ".join(sorted(simulators)) or "none; they come with packages like swath-sentinel2"
        message = f"There is no simulator {name!r}. Simulators here: {known}."
        raise InputError(message)
    function: Callable[..., Path] = simulators[name].load()
    return function


def _refuse_unknown(name: str, write: Callable[..., Path], parameters: dict[str, Any]) -> None:
    from inspect import signature

    from swath.errors import InputError

    unknown = sorted(set(parameters) - set(signature(write).parameters))
    if unknown:
        options = ", ".join("--" + parameter.replace("_", "-") for parameter in unknown)
        message = f"The simulator {name!r} has no {options}; leave it out."
        raise InputError(message)

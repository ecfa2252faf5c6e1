"""The verb ``run``."""

# ruff: noqa: PLC0415 -- a verb imports what it works with only when it runs

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from swath.run import Payload

PAYLOAD_ENDINGS = (".yaml", ".yml", ".json")


@click.command(short_help="Run a processor on a product, or on a window of it.")
@click.argument("target", required=False, metavar="PROCESSOR|PAYLOAD")
@click.argument("product", required=False, metavar="[INPUT]")
@click.argument("destination", required=False, metavar="[OUTPUT]")
@click.option(
    "-p", "--param", "parameters", multiple=True, metavar="NAME=VALUE", help="Set a parameter; repeatable."
)
@click.option("-w", "--window", help="Part of the output grid: rows and columns, or lon and lat.")
@click.option("--engine", help="threads, distributed, a scheduler's address, gateway or gateway+https://….")
@click.option("--workers", type=click.IntRange(min=1), help="Chunks in work at a time; one a CPU by default.")
@click.option("--chunk-shape", metavar="ROWSxCOLUMNS", help="Of an output chunk, as in 512x512.")
@click.option("--memory", metavar="AMOUNT", help="Memory that the run may take, as in 2GiB; 80 % by default.")
@click.option("--retries", type=click.IntRange(min=0), help="Further attempts where a failure may pass.")
@click.option("--resume/--no-resume", default=None, help="Go on from what a killed run left (the default).")
@click.option("--keep/--no-keep", default=None, help="Keep finished chunks of a run that fails.")
@click.option("--profile", is_flag=True, default=None, help="Record where the time goes, line by line.")
@click.option("--cogs/--no-cogs", default=None, help="Write each variable as a GeoTIFF, too (the default).")
@click.option("--overwrite/--no-overwrite", default=None, help="Replace an output that exists.")
@click.option(
    "--plan", "only_plan", is_flag=True, help="Show chunks and bytes that would be read; read and write none."
)
@click.option("--json", "as_json", is_flag=True, help="Print plan or report as JSON.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of payloads, or of the processor's.")
@click.option("--list", "list_all", is_flag=True, help="List the installed processors.")
def run(
    target: str | None,
    product: str | None,
    destination: str | None,
    *,
    parameters: tuple[str, ...],
    only_plan: bool,
    as_json: bool,
    schema: bool,
    list_all: bool,
    **overrides: Any,
) -> None:
    """Run a processor on a product.

    Give a processor's name, the product and the folder that shall appear; or a payload file (YAML or JSON)
    that says all this. Options win over the payload. The output appears complete or not at all.

    \b
    Examples
      swath run --list
      swath run s2-toa S2A_MSIL1C_….SAFE out --param resolution=20
      swath run s2-toa S2A_MSIL1C_….zip out --window "rows 0:512, columns 0:512"
      swath run s2-toa S2A_MSIL1C_….zip --window "lon 147.1:147.3, lat -28.2:-28.0" --plan
      swath run payload.yaml --engine distributed --workers 4 --overwrite
      swath run s2-toa S2A_MSIL1C_….zip out --memory 2GiB --chunk-shape 512x512
      swath run --schema s2-toa

    \b
    Exit status: 0 done, 1 failed, 2 usage error or bad input, 130 interrupted. But for 0, nothing is
    left, and an output that existed is as it was. A run that was killed, or that failed with --keep,
    is gone on with by the same command.
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    if list_all:
        _list(as_json=as_json)
        return
    if schema:
        from swath.processing import get_processor
        from swath.run import payload_schema

        click.echo(json.dumps(payload_schema(get_processor(target) if target else None), indent=2))
        return
    if target is None:
        raise click.UsageError("Name a processor (see `swath run --list`) or a payload file.")
    payload = _payload(target, product, destination, parameters, overrides)
    if only_plan:
        _plan(payload, as_json=as_json)
        return
    from swath.cli._progress import progress
    from swath.run import execute, logs, logs_json

    with progress(as_json=logs_json()) as tell, logs():
        report = execute(payload, progress=tell)
    click.echo(json.dumps(report.to_dict(), indent=2) if as_json else str(report))


def _plan(payload: Payload, *, as_json: bool) -> None:
    """Show the plan, and then refuse what would not fit into memory."""
    from swath.processing import plan_text
    from swath.run import fit_payload, plan_payload

    plan = plan_payload(payload)
    if as_json:
        click.echo(json.dumps(plan.to_dict(), indent=2))
        fit_payload(payload)
        return
    click.echo(plan_text(plan, payload.workers))
    fit = fit_payload(payload)
    if fit is not None and fit.note:
        click.echo(f"note    {fit.note}")


def _payload(
    target: str,
    product: str | None,
    destination: str | None,
    parameters: tuple[str, ...],
    overrides: dict[str, Any],
) -> Payload:
    """Put the payload together; the command line wins over the environment, and that over the file."""
    from_file = target.endswith(PAYLOAD_ENDINGS)
    if not from_file and product is None:
        named_as_processors_are = target.replace("-", "").isalnum()
        if not named_as_processors_are and os.path.exists(target):  # noqa: PTH110 -- pathlib takes longer to import
            raise click.UsageError(
                f"{target} is no processor, and no payload by its name: a payload file ends in "
                f"{', '.join(PAYLOAD_ENDINGS)}; a product follows a processor's name: "
                f"swath run PROCESSOR {target} OUTPUT"
            )
        raise click.UsageError(f"Name the product that it shall read: swath run {target} INPUT OUTPUT")
    from swath.processing import get_processor
    from swath.run import environment_fields, load_payload, make_payload, parse_parameters

    content: dict[str, Any] = load_payload(target) if from_file else {"processor": target}
    values = (
        parse_parameters(get_processor(str(content.get("processor"))), parameters) if parameters else None
    )
    inputs = {"product": product} if product else None
    overrides = environment_fields() | {name: value for name, value in overrides.items() if value is not None}
    return make_payload(content, inputs=inputs, destination=destination, parameters=values, **overrides)


def _list(*, as_json: bool) -> None:
    from swath.processing import get_processor, list_processors

    found = [get_processor(name) for name in list_processors()]
    if as_json:
        click.echo(
            json.dumps([{"name": p.name, "version": p.version, "title": p.title} for p in found], indent=2)
        )
        return
    for processor in found:
        click.echo(f"{processor.name} {processor.version}  {processor.title}")
    if not found:
        click.echo("no processor is installed", err=True)

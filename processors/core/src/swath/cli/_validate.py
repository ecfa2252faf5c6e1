"""The verb ``validate``."""

# ruff: noqa: PLC0415 -- a verb imports what it works with only when it runs

from __future__ import annotations

import sys

import click


@click.command(short_help="Hold a product against the model of its type.")
@click.argument("product", type=click.Path(path_type=str))
@click.option("--model", metavar="TYPE", help="Model, as S03OLCEFR; by default its own type's.")
@click.option("--strict", is_flag=True, help="Let notes count as findings: missing attributes, other types.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def validate(product: str, *, model: str | None, strict: bool, as_json: bool) -> None:
    """Hold a product against the model of its type, and say what is wrong where.

    The models are those of EOPF products (eopf 2.8.1). Reads metadata only. Ends with status 1 where
    something is
    wrong: a variable is missing, over other dimensions, or of another kind of type; flags contradict
    themselves;
    stored chunks are cut off.

    \b
    Examples:
      swath validate product.zarr
      swath validate S3A_OL_1_EFR____20200101T101517_….SEN3 --json
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    import json
    from dataclasses import asdict

    from swath.product import open_product, validate_product

    findings = validate_product(open_product(product), model)
    wrong = [finding for finding in findings if strict or finding.level == "error"]
    if as_json:
        told = {"product": product, "valid": not wrong, "findings": [asdict(finding) for finding in findings]}
        click.echo(json.dumps(told, indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.level}: {finding.path} {finding.told}")
        notes = len(findings) - sum(finding.level == "error" for finding in findings)
        click.echo(f"{product}: {len(findings) - notes} errors, {notes} notes", err=True)
    if wrong:
        sys.exit(1)

"""What the platform's verbs have in common: the file of the installation, and output for machines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["as_json", "file_option", "json_option", "only_option"]


def file_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--file``, the description of the installation."""
    return click.option(
        "-f",
        "--file",
        type=click.Path(path_type=Path, dir_okay=False),
        default=None,
        help="Description of the installation; by default swath.yaml here, or else all defaults.",
    )(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``, output for programs."""
    return click.option("--json", "machine", is_flag=True, help="Print JSON, for programs.")(function)


def only_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--only``, the choice of parts."""
    return click.option(
        "--only", multiple=True, metavar="PART", help="Only this part; may stand several times."
    )(function)


def as_json(value: Any) -> None:
    """Print a value as JSON."""
    click.echo(json.dumps(value, indent=2))

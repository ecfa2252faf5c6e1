"""The verb ``ls``."""

# ruff: noqa: PLC0415 -- a verb imports what it works with only when it runs

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from swath.cli._filters import filter_options

if TYPE_CHECKING:
    import xarray as xr


@click.command(short_help="List the groups and variables of a product.")
@click.argument("product", type=click.Path(path_type=str))
@filter_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def ls(product: str, *, as_json: bool, **chosen: Any) -> None:
    """List the groups and variables of a product: dimensions, types, chunks, sizes.

    Reads metadata only. The same filters as of 'convert' tell what they would leave.

    \b
    Examples:
      swath ls S3A_OL_1_EFR____20200101T101517_….SEN3
      swath ls product.zarr --include 'conditions/*'
      swath ls product.zarr --json | jq '.[].path'
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    import json

    from swath.cli._filters import filtered
    from swath.product import open_product

    tree = filtered(open_product(product), chosen)
    if as_json:
        click.echo(json.dumps([_told(*found) for found in variables(tree)], indent=2))
    else:
        _print(tree)


def variables(tree: xr.DataTree) -> list[tuple[str, xr.DataArray, bool]]:
    """Return path, array and whether it is a coordinate, of all variables in the order of the groups."""
    return [
        (f"{node.path}/{name}".replace("//", "/"), array, name in node.coords)
        for node in tree.subtree
        for name, array in [
            *sorted(node.to_dataset(inherit=False).coords.items()),
            *sorted(node.data_vars.items()),
        ]
    ]


def _told(path: str, array: xr.DataArray, coordinate: bool) -> dict[str, Any]:
    return {
        "path": path,
        "dimensions": dict(zip(map(str, array.dims), array.shape, strict=True)),
        "dtype": str(array.dtype),
        "stored_dtype": str(array.encoding.get("dtype", array.dtype)),
        "chunks": [max(lengths) for lengths in array.chunks] if array.chunks else None,
        "bytes": int(array.nbytes),
        "coordinate": coordinate,
    }


def _print(tree: xr.DataTree) -> None:
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    from swath.cli._info import readable

    console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
    shown = {"/": Tree(Text("/", style="bold"), guide_style="dim")}
    for node in tree.subtree:
        if node.path != "/":
            parent = shown[node.parent.path if node.parent is not None else "/"]
            shown[node.path] = parent.add(Text(f"{node.name}/", style="bold"))
    total = 0
    for path, array, coordinate in variables(tree):
        group, _, name = path.rpartition("/")
        told = _told(path, array, coordinate)
        sizes = ", ".join(f"{dim}: {length}" for dim, length in told["dimensions"].items()) or "one value"
        chunks = " x ".join(map(str, told["chunks"])) if told["chunks"] else "in memory"
        stored, dtype = told["stored_dtype"], told["dtype"]
        kind = dtype if stored == dtype else f"{dtype} (stored {stored})"
        line = Text(name, style="italic" if coordinate else "cyan")
        line.append(f"  ({sizes})  {kind}  {chunks}  {readable(told['bytes'])}", style="default")
        shown[group or "/"].add(line)
        total += told["bytes"]
    console.print(shown["/"])
    console.print(f"\n{len(variables(tree))} variables, {readable(total)} in memory when all is read")

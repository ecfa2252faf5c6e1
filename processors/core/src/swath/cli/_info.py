"""The verb ``info``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from swath.cli._filters import filter_options, filtered

if TYPE_CHECKING:
    import xarray as xr


@click.command()
@click.argument("product", type=click.Path(path_type=str))
@filter_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
def info(product: str, *, as_json: bool, **chosen: Any) -> None:
    """Tell what a product is and what is in it.

    Reads metadata and the headers of images only, whatever the product's size. PRODUCT is a Sentinel-1 or
    Sentinel-2 SAFE, a Sentinel-3 SEN3, auxiliary data, an EOPF Zarr, each a directory, its zip or tar; a
    netCDF file, a GeoTIFF or a folder of COGs; or the address (s3://, https://) of one.

    \b
    Examples:
      swath info S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513.zip
      swath info S3A_OL_1_EFR____20200101T101517_….SEN3
      swath info product.zarr --json | jq .cloud_cover
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    import json  # noqa: PLC0415 -- verbs import what they need when they run

    from swath.io.address import shown  # noqa: PLC0415
    from swath.product import open_product  # noqa: PLC0415

    tree = filtered(open_product(product), chosen)
    described = describe(tree, shown(product))
    if as_json:
        click.echo(json.dumps(described, indent=2))
    else:
        _print(described)


def describe(tree: xr.DataTree, location: str) -> dict[str, Any]:
    """Return what ``swath info --json`` prints: identity, and all variables with sizes in bytes."""
    discovery = tree.attrs.get("stac_discovery", {})
    properties = discovery.get("properties", {})
    variables = [
        {
            "path": f"{node.path}/{name}".replace("//", "/"),
            "dimensions": dict(zip(map(str, array.dims), array.shape, strict=True)),
            "chunks": [max(lengths) for lengths in array.chunks] if array.chunks else None,
            "dtype": str(array.dtype),
            "stored_dtype": str(array.encoding.get("dtype", array.dtype)),
            "bytes": int(array.nbytes),
        }
        for node in tree.subtree
        for name, array in sorted(node.data_vars.items())
    ]
    return {
        "location": location,
        "id": discovery.get("id"),
        "type": properties.get("product:type"),
        "platform": properties.get("platform"),
        "datetime": properties.get("datetime") or properties.get("start_datetime"),
        "baseline": properties.get("eopf:baseline") or properties.get("processing:version"),
        "relative_orbit": properties.get("sat:relative_orbit"),
        "crs": _crs(properties),
        "bbox": discovery.get("bbox"),
        "cloud_cover": properties.get("eo:cloud_cover"),
        "variables": variables,
    }


def _crs(properties: dict[str, Any]) -> str | None:
    code = properties.get("proj:code")
    epsg = properties.get("proj:epsg")
    return str(code) if code else f"EPSG:{epsg}" if epsg else None


def _print(described: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415 -- only for people
    from rich.table import Table  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    identity = Table.grid(padding=(0, 2))
    cloud = described["cloud_cover"]
    bounds = described["bbox"]
    rows: dict[str, Any] = {
        "product": described["id"],
        "type": described["type"],
        "platform": described["platform"],
        "time": described["datetime"],
        "baseline": described["baseline"],
        "CRS": described["crs"],
        "cloud cover": None if cloud is None else f"{cloud:.2f} %",
        "bounds": f"lon {bounds[0]:.4f}:{bounds[2]:.4f}, lat {bounds[1]:.4f}:{bounds[3]:.4f}"
        if bounds
        else None,
    }
    for name, value in rows.items():
        if value is not None:
            identity.add_row(f"[bold]{name}[/bold]", str(value))
    console.print(identity)
    console.print()
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("variable", overflow="fold")
    table.add_column("shape", justify="right")
    table.add_column("chunks", justify="right")
    table.add_column("type")
    table.add_column("size", justify="right")
    for variable in described["variables"]:
        stored, dtype = variable["stored_dtype"], variable["dtype"]
        table.add_row(
            variable["path"],
            _by(variable["dimensions"].values()),
            _by(variable["chunks"]) if variable["chunks"] else "in memory",
            dtype if stored == dtype else f"{dtype} (stored {stored})",
            readable(variable["bytes"]),
        )
    console.print(table)
    total = sum(variable["bytes"] for variable in described["variables"])
    console.print(f"\n{len(described['variables'])} variables, {readable(total)} in memory when all is read")


def _by(lengths: Any) -> str:
    return " x ".join(map(str, lengths)) or "-"


def readable(size: float) -> str:
    """Return a size in bytes as people read it, in powers of 1024."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"

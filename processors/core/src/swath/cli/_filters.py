"""Filters as options: the same for every verb that takes a product."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import xarray as xr

__all__ = ["filter_options", "filtered"]

_OPTIONS = (
    click.option(
        "--include", multiple=True, metavar="PATTERN",
        help="Only variables whose path fits, as 'measurements/*'; may be given several times.",
    ),
    click.option(
        "--resolution", multiple=True, type=click.IntRange(min=1), metavar="METRES",
        help="Of groups of a resolution, only these; may be given several times.",
    ),
    click.option(
        "--window", metavar="WINDOW",
        help="Only this part: rows and columns of the finest grid, or lon and lat.",
    ),
    click.option(
        "--polygon", metavar="GEOJSON",
        help="Only this part: file of a polygon in EPSG:4326; pixels outside of it are missing.",
    ),
    click.option(
        "--where", metavar="PATH:FLAGS",
        help="Only pixels where flags hold: 'quality/quality_flags: not (invalid or bright)'.",
    ),
    click.option("--time", metavar="START/STOP", help="Only rows that were taken then, in UTC."),
    click.option(
        "--band", multiple=True, metavar="BAND",
        help="Of variables of bands, only of this: b02, oa08, s7; may be given several times.",
    ),
    click.option(
        "--detector", multiple=True, type=click.IntRange(min=1), metavar="NUMBER",
        help="Only what this detector saw (Sentinel-2); may be given several times.",
    ),
    click.option(
        "--burst", multiple=True, metavar="BURST",
        help="Only this burst (Sentinel-1): its number in the image, from 0, or its identifier.",
    ),
    click.option("--polarisation", multiple=True, metavar="VV", help="Only images of it (Sentinel-1)."),
    click.option("--swath", multiple=True, metavar="IW1", help="Only images of this swath (Sentinel-1)."),
)  # fmt: skip


def filter_options(verb: Callable[..., Any]) -> Callable[..., Any]:
    """Give a verb the options of the filters."""
    for option in reversed(_OPTIONS):
        verb = option(verb)
    return verb


def filtered(tree: xr.DataTree, chosen: Mapping[str, Any]) -> xr.DataTree:
    """Return what the options ask for of a product."""
    if not any(chosen.values()):
        return tree
    from swath.product import Filters, select  # noqa: PLC0415 -- a verb imports what it needs when it runs

    return select(tree, Filters(**{name: value for name, value in chosen.items() if value}))

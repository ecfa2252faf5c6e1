"""The verb ``convert``."""

# ruff: noqa: PLC0415 -- a verb imports what it works with only when it runs

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from swath.cli._filters import filter_options, filtered

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import xarray as xr

    from swath.io.metering import Reading


@click.command(short_help="Convert a product to EOPF Zarr, netCDF, GeoTIFFs or a picture.")
@click.argument("source", type=click.Path(path_type=str))
@click.argument("destination", type=click.Path(path_type=str))
@click.option(
    "--to",
    "kind",
    type=click.Choice(["zarr", "netcdf", "cog", "picture"]),
    help="What to write; by default netCDF where DESTINATION ends with .nc, a picture where it ends with "
    ".png, and Zarr else. COG is a folder of GeoTIFFs, an image each.",
)
@click.option(
    "--zarr-format",
    type=click.Choice(["2", "3"]),
    default="2",
    show_default=True,
    help="2 as EOPF products have it and GDAL reads it, or 3.",
)
@click.option(
    "--shards/--no-shards",
    default=True,
    show_default=True,
    help="In format 3: small chunks, several in one file.",
)
@click.option(
    "--overviews", is_flag=True, help="In Zarr: images again at half the size, a quarter, …, told by GeoZarr."
)
@click.option(
    "--extras/--no-extras",
    default=True,
    show_default=True,
    help="In Zarr: say also what others than eopf look for: grid mappings of CF, GDAL's, proj fields.",
)
@click.option(
    "--show",
    multiple=True,
    metavar="PATH",
    help="In a picture: the image to show in grey; given three times, those for red, green and blue. By "
    "default what suits the type of the product.",
)
@click.option(
    "--item", type=click.Path(dir_okay=False), help="Write a STAC item of the new product to this file, too."
)
@click.option(
    "--collection",
    type=click.Path(dir_okay=False),
    help="Add that item to the STAC collection in this file, which is made where there is none.",
)
@click.option(
    "--overwrite", is_flag=True, help="Replace what is at DESTINATION, once the new product is complete."
)
@filter_options
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    help="Threads to work with; as many as there are CPUs by default.",
)
def convert(
    source: str, destination: str, *, kind: str | None, zarr_format: str, shards: bool, overviews: bool,
    extras: bool, show: tuple[str, ...], item: str | None, collection: str | None, overwrite: bool,
    workers: int | None, **chosen: Any,
) -> None:  # fmt: skip
    """Convert a product to EOPF Zarr, netCDF or cloud-optimised GeoTIFFs, losslessly; or to a picture.

    DESTINATION appears when it is complete, or not at all. All tiles of the images are looked for before
    anything is written. Memory is bounded by the chunks in flight, one or two a thread.

    \b
    Examples:
      swath convert S2A_MSIL1C_20171207T002051_N0206_R116_T55JEJ_20171207T032513.zip product.zarr
      swath convert PRODUCT.SAFE blue.zarr --include '*/r10m/b02' --zarr-format 3
      swath convert PRODUCT.SAFE part.zarr --window 'rows 0:1024, columns 2048:4096'
      swath convert PRODUCT.SAFE part.zarr --window 'lon 147.1:147.3, lat -28.2:-28.0'
      swath convert PRODUCT.SEN3 clear.nc --where 'quality/quality_flags: not (invalid or bright)'
      swath convert PRODUCT.SAFE images --to cog --band b02 --band b03 --band b04
      swath convert PRODUCT.SEN3 picture.png
      swath convert PRODUCT.SAFE product.zarr --overviews --item product.json --collection collection.json
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    import time

    import dask

    from swath.cli._info import readable
    from swath.cli._progress import progress
    from swath.io import commit, metering
    from swath.io.address import is_url
    from swath.product import (
        check_sources,
        locate,
        open_product,
        select_variables,
        write_cogs,
        write_netcdf,
        write_picture,
        write_product,
    )

    place = source if is_url(source) else locate(source)
    kind = kind or _kind(destination)
    _check_options(kind, overviews=overviews, extras=extras, show=show, item=item, collection=collection)
    for file in filter(None, (item, collection)):
        commit.check_folder(Path(file).absolute())
    if kind in ("netcdf", "picture"):
        commit.check_apart(Path(destination), place)
    else:
        commit.check_apart(commit.check_destination(destination, overwrite=overwrite), place)
    start = time.perf_counter()
    with metering.reading() as read, progress() as tell:
        tree = open_product(source)
        check_sources(select_variables(tree, chosen["include"]) if chosen["include"] else tree)
        tree = filtered(tree, chosen)
        with dask.config.set(num_workers=workers), _chunks_told(tree, tell, read):
            if kind == "netcdf":
                write_netcdf(tree, destination, overwrite=overwrite)
            elif kind == "picture":
                shown = write_picture(tree, destination, images=show, overwrite=overwrite)
                click.echo(f"shows {shown.what}", err=True)
            elif kind == "cog":
                _tell_left_out(write_cogs(tree, destination, overwrite=overwrite))
            else:
                write_product(
                    tree, destination, zarr_format=int(zarr_format), overwrite=overwrite, shards=shards,
                    overviews=overviews, extras=extras,
                )  # fmt: skip
        if item:
            _write_item(tree, destination, item, collection)
    counts = read.counts
    seconds = time.perf_counter() - start
    click.echo(
        f"wrote {destination}: {counts.chunks} chunks read, {readable(counts.bytes)}, in {seconds:.1f} s",
        err=True,
    )


def _check_options(
    kind: str,
    *,
    overviews: bool,
    extras: bool,
    show: tuple[str, ...],
    item: str | None,
    collection: str | None,
) -> None:
    """Refuse options that are for other formats."""
    from swath.errors import InputError

    if overviews and kind != "zarr":
        raise InputError("--overviews are for Zarr: COGs have overviews anyway, and netCDF has none")
    if not extras and kind != "zarr":
        raise InputError("--no-extras is for Zarr: other formats have no model of eopf to keep to")
    if show and kind != "picture":
        raise InputError("--show is for a picture: choose what goes into other formats by --include")
    if item and kind == "picture":
        raise InputError("--item is for products: a picture has none of its own")
    if collection and not item:
        raise InputError("--collection lists items: say by --item where that of this product goes")


def _kind(destination: str) -> str:
    """Return what to write by the ending of its name; a file of another kind would be a folder of Zarr."""
    from swath.errors import InputError

    ending = Path(destination).suffix.lower()
    if ending in _GEOTIFF:
        raise InputError(
            f"{destination} ends as a GeoTIFF does: COGs are written as a folder, an image each: name a "
            "folder, and pass --to cog"
        )
    if ending in _OTHER_FILES:
        raise InputError(
            f"{destination} ends as a file that is not written here: end it with .nc for netCDF, .png for "
            "a picture or .zarr for Zarr, or say by --to what it shall be"
        )
    return {".nc": "netcdf", ".png": "picture"}.get(ending, "zarr")


_GEOTIFF = {".tif", ".tiff"}
_OTHER_FILES = {".nc4", ".cdf", ".h5", ".hdf5", ".he5", ".zip", ".tar", ".gz", ".jp2", ".jpg"}


def _tell_left_out(paths: list[str]) -> None:
    if paths:
        told = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
        click.echo(f"left out, because they are on no map grid: {told}", err=True)


def _write_item(tree: xr.DataTree, destination: str, item: str, collection: str | None) -> None:
    """Write the STAC item of a product that is there, by itself or into a collection."""
    import os

    from swath.product.catalog import add_to_collection, product_item, write_item
    from swath.product.stac import ItemFile

    place = Path(item).absolute()
    where = Path(os.path.relpath(Path(destination).absolute(), place.parent)).as_posix()
    file = ItemFile(where, "All variables", ("data",), key="product")
    made = product_item(tree, [file], place.parent)
    if collection:
        add_to_collection(made, place, collection)
    else:
        write_item(made, place)


@contextmanager
def _chunks_told(tree: xr.DataTree, tell: Callable[[str, int, int], None], read: Reading) -> Iterator[None]:
    """Tell how many of a tree's chunks have been read, after each task of dask's."""
    from dask.callbacks import Callback

    arrays = [array.data for node in tree.subtree for array in node.data_vars.values() if array.chunks]
    total = sum(array.npartitions for array in arrays)

    def after(*_: Any) -> None:
        tell("chunks", min(read.counts.chunks, total), total)

    with Callback(posttask=after):  # type: ignore[no-untyped-call] # dask's
        yield

"""Products as folders of cloud-optimised GeoTIFFs, a file an image, with a STAC item over them."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import dask
import numpy as np
import xarray as xr
from dask.system import CPU_COUNT

from swath.errors import InputError
from swath.io.commit import new_product
from swath.product._encode import encoded
from swath.product._grid_mapping import image_grid
from swath.product._prepare import KEPT, plain, stored_chunks
from swath.product._write import check_sources, computing, on_a_cluster
from swath.product.geotiff import ATTRIBUTES, ITEM

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from swath.product.grid import Grid
    from swath.product.stac import ItemFile

__all__ = ["write_cogs"]

_TYPES = frozenset({"uint8", "int8", "uint16", "int16", "uint32", "int32", "float32", "float64"})
"""Types of pixels that are written."""

_NAME = re.compile(r"[\w.+-]+")


@dataclass(frozen=True, slots=True)
class _Pixels:
    """An image as it is stored, computed as it is sliced; see :class:`swath.io.cog.PixelSource`."""

    data: Any
    """Of two dimensions: a dask array, or a numpy one."""
    chunks: tuple[int, int]

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows and columns."""
        return tuple(self.data.shape)

    @property
    def dtype(self) -> Any:
        """Type of the stored values."""
        return self.data.dtype

    def __getitem__(self, key: Any) -> Any:
        part = self.data[key]
        if not hasattr(part, "compute"):
            return part
        # On a cluster parts may be kept that no other scheduler has.
        return part.compute() if on_a_cluster() else part.compute(scheduler="synchronous")


@dataclass(frozen=True, slots=True)
class _Image:
    """An image to be written."""

    path: str
    """Of the file in the folder."""
    variable: xr.Variable
    grid: Grid


def write_cogs(
    tree: xr.DataTree, destination: str | os.PathLike[str], *, overwrite: bool = False
) -> list[str]:
    """Write the images of a product as COGs; the folder appears when it is complete.

    Each image that is on a grid is a file of its own, in folders as the groups of the product:
    ``measurements/reflectance/r10m/b02.tif``. Integers stay integers, with scale, offset and the value that
    stands for no data; attributes are kept as JSON. Beside them are a STAC item, ``item.json``, and
    ``SHA256SUMS``.

    Parameters
    ----------
    tree
        A product.
    destination
        Folder that shall appear.
    overwrite
        Replace what exists under that name, once the new product is complete.

    Returns
    -------
    list of str
        Paths of the variables that a GeoTIFF has no form for, and that were left out: those that are not on a
        grid.

    Raises
    ------
    InputError
        No image is on a grid, an image is of a type that GeoTIFF has not, or a source file is found
        truncated.
    DestinationError
        The destination exists, or cannot be one.
    RunError
        A chunk could not be decoded or computed; nothing is left.
    WriteError
        The system refused to write; nothing is left.
    """
    from swath.io.cog import bounded_cache  # noqa: PLC0415 -- imports rasterio

    images, left_out = _images(tree)
    if not images:
        raise InputError(
            "no image of the product is on a map grid, which GeoTIFF needs: write Zarr or netCDF, or "
            "process it to "
            "a map first"
        )
    check_sources(tree)
    workers = dask.config.get("num_workers", None) or CPU_COUNT
    with new_product(destination, overwrite, checksums=True) as partial, computing(), bounded_cache():
        for image in images:
            (partial / image.path).parent.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(min(workers, len(images)), thread_name_prefix="swath-cog") as pool:
            futures = [pool.submit(_write, image, partial) for image in images]
            try:
                for future in futures:
                    future.result()
            finally:
                pool.shutdown(wait=True, cancel_futures=True)
        _write_item(tree, images, partial)
    return left_out


def _images(tree: xr.DataTree) -> tuple[list[_Image], list[str]]:
    images, left_out = [], []
    for node in tree.subtree:
        dataset = node.to_dataset()
        grid = image_grid(dataset)
        for name, array in dataset.data_vars.items():
            path = f"{node.path}/{name}".strip("/")
            if grid is None or array.dims != ("y", "x"):
                left_out.append(path)
                continue
            if not all(_NAME.fullmatch(step) for step in path.split("/")):
                raise InputError(f"{path!r} cannot be the name of a file: rename the variable, or write Zarr")
            variable = _stored(array.variable, path)
            if variable.dtype.name not in _TYPES:
                raise InputError(
                    f"{path} is of type {variable.dtype}, expected one of {', '.join(sorted(_TYPES))}: "
                    f"write Zarr, or "
                    "choose other variables"
                )
            images.append(_Image(f"{path}.tif", variable, grid))
    return images, left_out


def _stored(variable: xr.Variable, path: str) -> xr.Variable:
    """Return a variable as its encoding says that it is stored."""
    kept = {key: variable.encoding[key] for key in KEPT if key in variable.encoding}
    if variable.dtype.kind == "b":
        return xr.Variable(variable.dims, variable.data.astype(np.uint8), variable.attrs)
    bare = xr.Variable(variable.dims, variable.data, {}, kept)
    packed = encoded(bare, path)
    coding = {
        key: packed.attrs[key] for key in ("scale_factor", "add_offset", "_FillValue") if key in packed.attrs
    }
    chunks = stored_chunks(variable)
    return xr.Variable(variable.dims, packed.data, variable.attrs, {**coding, "chunks": chunks})


def _write(image: _Image, folder: Path) -> None:
    from swath.io.cog import write_cog  # noqa: PLC0415 -- imports rasterio

    variable, coding = image.variable, image.variable.encoding
    real = variable.dtype.kind == "f"
    quantity = real or "scale_factor" in coding
    fill = coding.get("_FillValue")
    rows, columns = coding.get("chunks", variable.shape)
    write_cog(
        _Pixels(variable.data, (int(rows), int(columns))),
        folder / image.path,
        transform=image.grid.transform,
        crs=image.grid.crs,
        nodata=np.nan if real and fill is None else None if fill is None else float(fill),
        scale=float(coding.get("scale_factor", 1.0)),
        offset=float(coding.get("add_offset", 0.0)),
        overviews="average" if quantity else "nearest",
        description=image.path.rpartition("/")[2].removesuffix(".tif"),
        units=str(variable.attrs.get("units", "")),
        tags={ATTRIBUTES: json.dumps(plain(variable.attrs))},
    )


def _write_item(tree: xr.DataTree, images: list[_Image], folder: Path) -> None:
    from swath.product.catalog import product_item  # noqa: PLC0415 -- imports pystac
    from swath.product.stac import ItemFile  # noqa: PLC0415

    files: list[ItemFile] = [
        ItemFile(
            image.path, str(image.variable.attrs.get("long_name", image.path)), ("data",),
            {image.path.rpartition("/")[2].removesuffix(".tif"): image.variable.attrs}, raster=True,
            key=image.path.removesuffix(".tif").replace("/", "-"), grid=image.grid,
        )
        for image in images
    ]  # fmt: skip
    item = product_item(tree, files, folder)
    told = item.to_dict(include_self_link=False, transform_hrefs=False)
    other = tree.attrs.get("other_metadata")
    if other is not None:
        told["properties"]["swath:other_metadata"] = other
    (folder / ITEM).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")

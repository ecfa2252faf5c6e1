"""What stands beside the Zarr store in an output product: the quick look and the STAC item."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
import zarr

from swath.errors import WriteError
from swath.processing import Binding, Quicklook
from swath.product.quicklook import write_quicklook
from swath.product.stac import ItemFile, item
from swath.product.zarr import RESULT_STORE

__all__ = ["Pixels", "open_pixels", "write_item", "write_picture"]

STORE, QUICKLOOK, REPORT, ITEM = RESULT_STORE, "quicklook.png", "report.json", "item.json"
PAGE = "report.html"
"""Names in an output product."""


class Pixels:
    """A variable of the written store, decoded as it is sliced; never all of it in memory."""

    def __init__(self, store: Path, path: str) -> None:
        self._array: Any = zarr.open_array(str(store), path=path.lstrip("/"), mode="r", zarr_format=2)
        self._attributes = dict(self._array.attrs)
        self._attributes.pop("_ARRAY_DIMENSIONS", None)
        if "_FillValue" not in self._attributes and self._array.fill_value is not None:
            self._attributes["_FillValue"] = self._array.fill_value
        self.attributes = self._decode(np.empty((0, 0), self._array.dtype)).attrs
        self.shape: tuple[int, ...] = self._array.shape
        self.chunks: tuple[int, ...] = self._array.chunks
        self.dtype: np.dtype[Any] = self._decode(np.empty((0, 0), self._array.dtype)).dtype

    def __getitem__(self, key: Any) -> Any:
        return self._decode(self._array[key]).values

    def _decode(self, stored: Any) -> xr.Variable:
        variable = xr.Variable(("y", "x"), stored, self._attributes)
        return xr.conventions.decode_cf_variable("pixels", variable)


def open_pixels(binding: Binding, folder: Path) -> dict[str, Pixels]:
    """Return each output of a written store, by its name in the chain."""
    return {name: Pixels(folder / STORE, path) for name, path in binding.chain.outputs.items()}


def write_picture(binding: Binding, pixels: Mapping[str, Pixels], folder: Path) -> ItemFile:
    """Write the quick look: what the chain says, else its first output."""
    shown = binding.chain.quicklook or Quicklook([next(iter(pixels))])
    write_quicklook(
        [pixels[name] for name in shown.bands],
        folder / QUICKLOOK,
        flags=pixels[shown.flags] if shown.flags else None,
        tints=shown.tints,
    )
    return ItemFile(QUICKLOOK, "Quick look", ("overview",))


def store_file(binding: Binding, pixels: Mapping[str, Pixels]) -> ItemFile:
    """Return the Zarr store as a file of the item."""
    paths = binding.chain.outputs
    variables = {paths[name].rpartition("/")[2]: source.attributes for name, source in pixels.items()}
    return ItemFile(STORE, "All variables", ("data",), variables, raster=True)


def write_item(
    binding: Binding,
    files: list[ItemFile],
    folder: Path,
    *,
    identifier: str,
    discovery: Mapping[str, Any],
    software: Mapping[str, str],
) -> None:
    """Write the STAC item over all files.

    Raises
    ------
    MetadataError
        If the source product tells no time.
    WriteError
        If it cannot be written.
    """
    made = item(
        identifier,
        grid=binding.grid.crop(binding.window),
        folder=folder,
        files=files,
        discovery=discovery,
        lineage=lineage(binding),
        software=software,
    )
    if not files:
        return  # only asked whether it can be made
    try:
        content = made.to_dict(include_self_link=False)
        (folder / ITEM).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise WriteError(f"{ITEM} could not be written: {error.strerror}. Is the disk full?") from error


def lineage(binding: Binding) -> str:
    """Say in words what was done."""
    settings = ", ".join(
        f"{key}={value}" for key, value in binding.parameters.model_dump(mode="json").items()
    )
    steps = " → ".join(dict.fromkeys(step.name for step in binding.chain.steps))
    return f"{binding.processor.name} {binding.processor.version} ({settings}) on {binding.window}: {steps}"

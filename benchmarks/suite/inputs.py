"""The products that the cases work on, made once and kept; each is the same for everybody."""

# ruff: noqa: PLC0415 -- the peer's environment has not all of it

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

sys.path.insert(0, str(Path(__file__).parents[1]))

from suite.job import BANDS, CHUNKS, CLASSES, GROUP

__all__ = ["in_memory", "make_safe", "make_tile", "small_arrays"]

PLACE = {"proj:epsg": 32632}
"""Attributes that tell where an image lies."""

_EDITION = 2
"""Counted up where what is made changes."""


def make_tile(folder: Path, size: int) -> Path:
    """Return the synthetic tile of a size, made where it is not there yet: 13 bands and classes, uint16.

    Numbers are counts as they are, without scale and offset, so that everybody gets 16 bits a pixel.
    """
    path = folder / f"tile-{_EDITION}-{size}.zarr"
    if path.is_dir():
        return path
    from swath.product import write_product

    steps = {"r10m": 1, "r20m": 2, "r60m": 6}
    groups: dict[str, xr.Dataset] = {"/": xr.Dataset(attrs={"stac_discovery": _discovery("tile")})}
    for resolution, bands in BANDS.items():
        length = -(-size // steps[resolution])
        coordinates = _coordinates(length, 10 * steps[resolution])
        groups[f"/{GROUP}/{resolution}"] = xr.Dataset(
            {band: (("y", "x"), _lazy(length, CHUNKS[resolution], hash_of(band)), PLACE) for band in bands},
            coordinates,
        )
    classes = _lazy(size, CHUNKS["r10m"], 99).map_blocks(_classes, dtype="uint8")
    head, _, name = CLASSES.rpartition("/")
    groups[f"/{head}"] = xr.Dataset({name: (("y", "x"), classes, PLACE)}, _coordinates(size, 10))
    shutil.rmtree(path, ignore_errors=True)
    write_product(xr.DataTree.from_dict(groups), path)
    return path


def hash_of(band: str) -> int:
    """Return a number that is the same in each process, other than that of ``hash``."""
    return int.from_bytes(band.encode(), "big") % 1000


def _coordinates(length: int, metres: int) -> dict[str, Any]:
    centres = (np.arange(length) + 0.5) * metres
    return {"y": ("y", 4_700_040 - centres, {"units": "m"}), "x": ("x", 699_960 + centres, {"units": "m"})}


def _lazy(length: int, chunk: int, seed: int) -> Any:
    import dask.array as da

    chunks = da.core.normalize_chunks((chunk, chunk), shape=(length, length), dtype=np.uint16)
    return da.map_blocks(_block, chunks=chunks, dtype=np.uint16, seed=seed)


def _block(seed: int, block_info: Any = None) -> npt.NDArray[np.uint16]:
    """Return counts of a landscape: slow waves, an edge here and there, and noise of five bits."""
    place = block_info[None]["array-location"]
    rows, columns = (np.arange(*span, dtype=np.float32) for span in place)
    random = np.random.default_rng([seed, *(int(start) for start, _ in place)])
    waves = np.sin(rows / 310 + seed)[:, None] * np.cos(columns / 270)[None, :]
    fields = ((rows // 60)[:, None] * 7 + (columns // 90)[None, :] * 13 + seed) % 11
    noise = random.integers(0, 32, size=waves.shape, dtype=np.uint16)
    return (1500 + 700 * waves + 60 * fields).astype(np.uint16) + noise


def _classes(block: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    return (3 + (block >> 6) % 3).astype(np.uint8)


def _discovery(name: str) -> dict[str, Any]:
    properties = {"datetime": "2026-06-01T10:00:00Z", "proj:epsg": 32632}
    return {"type": "Feature", "stac_version": "1.1.0", "id": name, "properties": properties}


def make_safe(folder: Path, size: int) -> Path:
    """Return the simulated level-1C product of a size, made where it is not there yet."""
    kept = folder / f"safe-{_EDITION}-{size}"
    if not kept.is_dir():
        from swath_sentinel2.simulator import simulate

        making = folder / f"{kept.name}.{os.getpid()}"
        making.mkdir(parents=True)
        try:
            simulate(making, size=size)
            making.rename(kept)
        finally:
            shutil.rmtree(making, ignore_errors=True)
    return next(kept.glob("*.SAFE"))


def in_memory(tile: Path) -> xr.DataTree:
    """Return the tile's bands in memory as lazy arrays of the tile's chunks, with what describes them."""
    import dask.array as da

    with xr.open_datatree(tile, engine="zarr", chunks=None) as tree:
        loaded = tree.load()
    groups = {}
    for node in loaded.subtree:
        dataset = node.to_dataset(inherit=False)
        for name, array in dataset.data_vars.items():
            chunk = CHUNKS[next(r for r in CHUNKS if r in node.path)]
            # Named by hand: hashing the bytes is no part of writing.
            lazy = da.from_array(array.values, chunks=chunk, name=f"{node.path}/{name}")
            dataset[name] = (array.dims, lazy, {"units": "1"})
        groups[node.path] = dataset.drop_encoding()
    return xr.DataTree.from_dict(groups)


def small_arrays(groups: int) -> xr.DataTree:
    """Return many small arrays: float32 that does not compress to nothing, ten a group."""
    random = np.random.default_rng(0)
    attributes = {"units": "m", "long_name": "a small array"}
    datasets = {
        f"/g{group:02}": xr.Dataset(
            {f"v{k}": (("y", "x"), random.random((20, 30), dtype=np.float32), attributes) for k in range(10)}
        )
        for group in range(groups)
    }
    root = xr.Dataset(attrs={"stac_discovery": _discovery("small")})
    return xr.DataTree.from_dict({"/": root, **datasets})


def main() -> None:
    kind, folder, size = sys.argv[1:]
    print({"tile": make_tile, "safe": make_safe}[kind](Path(folder), int(size)))


if __name__ == "__main__":
    main()

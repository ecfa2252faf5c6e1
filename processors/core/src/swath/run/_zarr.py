"""The Zarr store of an output product: laid out first, then written chunk by chunk from the graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from dask.array import zeros

from swath.errors import WriteError
from swath.io.journal import Digests, file_digest
from swath.processing import Binding, Chunk, tree_of
from swath.product import encoded, lay_out_store, prepare_dataset, write_arrays

__all__ = ["Target", "lay_out", "write_chunk"]


@dataclass(frozen=True, slots=True)
class Target:
    """A laid-out store; small, and it goes to every worker."""

    path: str
    """Of the store, which every worker must see under the same name."""
    name: str
    """Of the product, for messages."""
    origin: tuple[int, int]
    """First row and column of the window on the output grid."""
    variables: Mapping[str, str]
    """Name in the chain → path in the store."""
    encodings: Mapping[str, Mapping[str, Any]]
    """Name in the chain → how it is stored, in xarray's words."""


def lay_out(binding: Binding, attributes: Mapping[str, Any], path: Path, name: str) -> Target:
    """Write all of a product but its chunks: groups, coordinates, attributes, consolidated metadata.

    Chunks that an earlier run of the same job has written stay.
    """
    chain, rows_columns = binding.chain, binding.window.shape
    arrays = {
        output: zeros(rows_columns, chunks=binding.chunk_shape, dtype=chain.made[output].dtype)
        for output in chain.outputs
    }
    tree = tree_of(binding, arrays, attributes)
    if "stac_discovery" in tree.attrs:
        tree.attrs["stac_discovery"] = {**tree.attrs["stac_discovery"], "id": name}  # as the item has it
    datasets = {node.path: prepare_dataset(node.to_dataset(inherit=True)) for node in tree.subtree}
    path.mkdir(exist_ok=True)
    write_arrays([array for array in lay_out_store(datasets, path) if not array.lazy], path)
    return Target(
        path=str(path),
        name=name,
        origin=(binding.window.rows[0], binding.window.columns[0]),
        variables=dict(chain.outputs),
        encodings={output: dict(chain.made[output].encoding) for output in chain.outputs},
    )


def write_chunk(target: Target, chunk: Chunk, outputs: Mapping[str, npt.NDArray[Any]]) -> Digests:
    """Write all outputs of one chunk, and return the digests of its files by their paths in the store.

    Raises
    ------
    RunError
        If an output has missing values and is stored as integers that have none for them.
    WriteError
        If the system refuses to write.
    """
    region = tuple(
        slice(start - first, stop - first)
        for (start, stop), first in zip(chunk.extent, target.origin, strict=True)
    )
    if not Path(target.path).exists():
        raise WriteError(f"Cannot write {target.name}: its folder was taken away.")  # zarr would make it anew
    files: Digests = {}
    try:
        for name, data in outputs.items():
            path = target.variables[name]
            array = _array(target.path, path)
            array[region] = _encoded(data, target.encodings[name], path)
            file = f"{path.strip('/')}/{array.metadata.encode_chunk_key(chunk.position)}"
            files[file] = file_digest(Path(target.path, file))
    except OSError as error:
        raise WriteError(
            f"Cannot write {target.name}: {error.strerror or error}. Nothing was left there; free space or "
            "choose another destination."
        ) from error
    return files


def _encoded(data: npt.NDArray[Any], encoding: Mapping[str, Any], name: str) -> npt.NDArray[Any]:
    return np.asarray(encoded(xr.Variable(("y", "x"), data, encoding=dict(encoding)), name).values)


@lru_cache(maxsize=256)
def _array(store: str, path: str) -> Any:
    """Open an array once a process; a store's path is new in each run."""
    import zarr  # noqa: PLC0415 -- slow to import, and a plan does without it

    return zarr.open_array(store, path=path, mode="r+", zarr_format=2)

"""NetCDF: any file as a tree, and products as CF netCDF, whole or not at all.

What netCDF has no form for (attributes that are mappings, lists of texts or of one number, truth values) is
written as
JSON text, and named in the attribute ``swath_json``, so that it comes back as it was.
"""

from __future__ import annotations

import json
from collections import defaultdict
from typing import TYPE_CHECKING, Any

import dask
import dask.array as da
import numpy as np
import xarray as xr
from dask.array.core import slices_from_chunks

from swath.errors import InputError, MetadataError
from swath.io.commit import new_file
from swath.io.file import FileStore
from swath.io.netcdf import MAGICS, Sink, read_file
from swath.product._blocks import decoded, raw
from swath.product._encode import encoded
from swath.product._grid_mapping import with_grid_mapping, without_grid_mapping
from swath.product._prepare import KEPT, plain, stored_chunks
from swath.product._write import check_sources, computing, on_a_cluster

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    import h5netcdf  # type: ignore[import-untyped] # ships no types

    from swath.io.store import Store

__all__ = ["NETCDF", "NetcdfReader", "write_netcdf"]

_JSON = "swath_json"
"""Attribute that names the attributes that are JSON."""

_CONVENTIONS = "CF-1.11"

_AT_ONCE = 32
"""Blocks that a cluster is asked for at a time: so many are in memory here."""

_TYPED = ("flag_masks", "flag_values", "valid_min", "valid_max", "valid_range")
"""Attributes in the type of the stored values."""


class NetcdfReader:
    """Reads a netCDF file, of netCDF-4 or classic; see :class:`swath.product.Reader`."""

    looks_for = "a netCDF file (netCDF-4 or classic)"

    def can_read(self, store: Store) -> bool:
        """Tell whether the product is one file that starts as netCDF does."""
        names = store.names() if isinstance(store, FileStore) else []
        return len(names) == 1 and store.read_range(names[0], 0, 8).startswith(MAGICS)

    def open(self, store: Store) -> xr.DataTree:
        """Return the file's groups as a lazy tree. Reads headers, and the coordinates of dimensions."""
        (name,) = store.names()
        file = read_file(store, name)
        groups: dict[str, dict[str, xr.Variable]] = defaultdict(dict)
        for path, variable in file.variables.items():
            group, _, short = path.rpartition("/")
            groups[group][short] = raw(variable)
        own = dict(file.attributes)
        if own.get("Conventions") == _CONVENTIONS:
            del own["Conventions"]  # the writer's, not the product's
        attributes: dict[str, Mapping[str, Any]] = {"": own, **file.groups}
        datasets = {}
        for path in {**attributes, **groups}:
            try:
                datasets[f"/{path}"] = _dataset(groups.get(path, {}), attributes.get(path, {}))
            except ValueError as error:
                raise MetadataError(
                    f"{store.location}: group /{path} makes no sense ({error}); get it again"
                ) from error
        return xr.DataTree.from_dict(dict(sorted(datasets.items())))


NETCDF = NetcdfReader()


def _dataset(variables: Mapping[str, xr.Variable], attributes: Mapping[str, Any]) -> xr.Dataset:
    named = {str(n) for v in variables.values() for n in str(v.attrs.get("coordinates", "")).split()}
    found = {}
    whole = decoded(variables)
    for variable in whole.values():
        variable.attrs = _restored(variable.attrs)
    for name, variable in without_grid_mapping(whole).items():
        variable.attrs.pop("coordinates", None)
        variable.encoding.pop("coordinates", None)
        index = variable.dims == (name,)
        found[name] = variable.compute() if index else variable
        if index:
            named.add(name)
    values = {name: variable for name, variable in found.items() if name not in named}
    told = _restored(attributes)
    return xr.Dataset(values, {name: found[name] for name in named & found.keys()}, told)


def _restored(attributes: Mapping[str, Any]) -> dict[str, Any]:
    told = dict(attributes)
    names = told.pop(_JSON, "")
    for name in str(names).split("\n") if names else []:
        try:
            told[name] = json.loads(told[name])
        except (KeyError, TypeError, ValueError, RecursionError):
            continue  # another program changed it: it stays what it is
    return told


def write_netcdf(tree: xr.DataTree, destination: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a product as one netCDF-4 file by CF 1.11, chunk by chunk; it appears when it is complete.

    Numbers are packed as the variables' encodings say, deflated and shuffled, in the chunks of the lazy
    arrays.

    Parameters
    ----------
    tree
        A product.
    destination
        File that shall appear.
    overwrite
        Replace a netCDF file that exists under that name, once the new one is complete.

    Raises
    ------
    InputError
        A variable is of a type that netCDF has not (complex numbers), or a source file is found truncated.
    DestinationError
        The destination exists, or cannot be one.
    RunError
        A chunk could not be decoded or computed; nothing is left.
    WriteError
        The system refused to write; nothing is left.
    """
    try:
        import h5netcdf  # noqa: PLC0415 -- optional, and slow to import
    except ImportError:
        raise InputError("writing netCDF needs h5netcdf: install the extra swath[netcdf]") from None
    for node in tree.subtree:
        for name, variable in node.variables.items():
            if variable.dtype.kind == "c":
                raise InputError(
                    f"{node.path}/{name} has complex numbers, which netCDF has not: write Zarr, or choose "
                    f"other "
                    "variables"
                )
    check_sources(tree)
    with (
        new_file(destination, MAGICS, overwrite=overwrite) as partial,
        computing(),
        Sink(partial) as sink,
        h5netcdf.File(sink, "w") as file,
    ):
        _write(file, tree, sink)


def _write(file: h5netcdf.File, tree: xr.DataTree, sink: Sink) -> None:
    lazy: list[tuple[Any, Any]] = []
    for node in tree.subtree:
        dataset = with_grid_mapping(node.to_dataset(inherit=True))
        group = file if node.path == "/" else file.create_group(node.path)
        variables, attributes = xr.conventions.encode_dataset_coordinates(dataset)
        if node.path == "/":
            attributes = {"Conventions": _CONVENTIONS, **attributes}
        group.attrs.update(_kept(plain(attributes)))
        group.dimensions = {str(dim): int(length) for dim, length in dataset.sizes.items()}
        for name, variable in variables.items():
            data, target = _create(group, str(name), variable)
            if isinstance(data, da.Array):
                lazy.append((data, target))
            else:
                target[...] = data
    if lazy:
        sources, targets = zip(*lazy, strict=True)
        places: list[Any] = [_Target(target, sink) for target in targets]
        if on_a_cluster():
            for source, place in zip(sources, places, strict=True):
                _gather(source, place)
        else:
            da.store(list(sources), places, lock=True)


def _gather(source: da.Array, target: _Target) -> None:
    """Have blocks computed wherever the user's scheduler does that, and write them to the file, here."""
    blocks = source.to_delayed().ravel()  # type: ignore[no-untyped-call] # dask's
    regions = slices_from_chunks(source.chunks)  # type: ignore[no-untyped-call] # dask's
    pairs = list(zip(blocks, regions, strict=True))
    for start in range(0, len(pairs), _AT_ONCE):
        batch = pairs[start : start + _AT_ONCE]
        values = dask.compute(*(block for block, _ in batch))  # type: ignore[no-untyped-call,attr-defined] # dask's
        for value, (_, region) in zip(values, batch, strict=True):
            target[region] = value


class _Target:
    """A variable of a file as dask stores into it."""

    def __init__(self, variable: Any, sink: Sink) -> None:
        self._variable, self._sink = variable, sink
        self.shape, self.dtype = variable.shape, variable.dtype

    def __setitem__(self, key: Any, value: Any) -> None:
        self._variable[key] = value
        self._sink.check()


def _create(group: Any, name: str, variable: xr.Variable) -> tuple[Any, Any]:
    """Create one variable and return what to write into it."""
    import h5py  # type: ignore[import-untyped]  # noqa: PLC0415 -- ships no types

    chunks = stored_chunks(variable)
    kept = {key: variable.encoding[key] for key in KEPT if key in variable.encoding}
    if variable.dtype.kind in "UOT":
        kept.pop("dtype", None)
    stored = encoded(xr.Variable(variable.dims, variable.data, variable.attrs, kept), name)
    attributes = dict(stored.attrs)
    fill = attributes.pop("_FillValue", None)
    data = stored.data
    if data.dtype.kind in "UOTS":
        data = np.asarray(data)
        text = np.array([str(value) for value in data.ravel()], dtype=object).reshape(data.shape)
        made = group.create_variable(name, tuple(map(str, stored.dims)), h5py.string_dtype())
        made.attrs.update(_kept(plain(attributes)))
        return text, made
    packed: dict[str, Any] = {}
    if stored.shape and stored.size:
        packed = {"chunks": chunks, "compression": "gzip", "compression_opts": 4, "shuffle": True}
    made = group.create_variable(
        name,
        tuple(map(str, stored.dims)),
        data.dtype,
        fillvalue=None if fill is None else data.dtype.type(fill),
        **packed,
    )
    typed = {key: _typed(key, value, data.dtype) for key, value in attributes.items()}
    made.attrs.update(_kept(plain_arrays(typed)))
    if isinstance(data, da.Array):
        data = data.rechunk(chunks)  # type: ignore[no-untyped-call] # dask's
    return data, made


def _typed(key: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """Return what CF 1.11 (sections 2.5.1 and 3.5) wants in the type of the stored values in that type."""
    if key in _TYPED and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        numbers = np.asarray(value)
        if numbers.dtype.kind in "iu" and limits.min <= numbers.min() and numbers.max() <= limits.max:
            return numbers.astype(dtype)
    return value


def plain_arrays(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as JSON has them, but arrays of numbers as they are."""
    arrays = {
        key: value for key, value in attributes.items() if isinstance(value, np.ndarray) and value.size > 1
    }
    return {**plain(attributes), **arrays}


def _kept(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes in the forms that netCDF has; the others as JSON, and their names."""
    told: dict[str, Any] = {}
    coded = []
    for key, value in attributes.items():
        if isinstance(value, np.ndarray) or (
            isinstance(value, str | int | float) and not isinstance(value, bool)
        ):
            told[key] = value
        elif _numbers(value):
            told[key] = np.asarray(value)
        else:
            told[key] = json.dumps(value)
            coded.append(key)
    if coded:
        told[_JSON] = "\n".join(coded)
    return told


def _numbers(value: Any) -> bool:
    """Tell whether a list is one of numbers of one type, of which there are at least two."""
    if not isinstance(value, list) or len(value) < 2:
        return False
    return (
        any(all(type(item) is kind for item in value) for kind in (int, float))
        and np.asarray(value).dtype.kind in "if"
    )

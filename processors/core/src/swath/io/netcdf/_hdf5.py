"""NetCDF-4 files (HDF5): their headers by h5py, their chunks straight from their bytes.

A chunk of HDF5 is a range of bytes, deflated and shuffled: it is read by one request, without the lock that
the
HDF5 library holds around all of its calls, and what it costs is known before.

Sources: HDF5 File Format Specification 3.0 (filters 1 deflate, 2 shuffle, 3 fletcher32); NetCDF-4 File Format
(dimension scales and the attributes that netCDF keeps for itself).
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from swath.errors import InputError, MetadataError, ProductError
from swath.io.netcdf._variable import (
    CONTIGUOUS_BLOCK,
    DEFLATE,
    FLETCHER,
    SHUFFLE,
    Block,
    File,
    Variable,
    refuse_too_many,
)

if TYPE_CHECKING:
    import h5py  # type: ignore[import-untyped] # ships no types

    from swath.io.store import Store

__all__ = ["FRONT", "read_hdf5"]

_PAGE, FRONT = 1 << 16, 1 << 18
"""Bytes that are read at once for the headers: on this machine, and where each request takes long."""

_MAX_IN_MEMORY = 1 << 26
"""Bytes of a variable in a form that only the HDF5 library reads: those are read when the file is opened."""

_INTERNAL = frozenset({
    "CLASS", "NAME", "DIMENSION_LIST", "REFERENCE_LIST", "_NCProperties", "_Netcdf4Coordinates",
    "_Netcdf4Dimid", "_nc3_strict", "DIMENSION_LABELS",
})  # fmt: skip
"""Attributes of HDF5 and netCDF-4 themselves."""

_NO_VARIABLE = b"This is a netCDF dimension but not a netCDF variable"


def read_hdf5(store: Store, name: str) -> File:
    """Read the headers of a netCDF-4 file, and where its chunks lie.

    Raises
    ------
    ProductError
        The file is truncated, or no HDF5.
    MetadataError
        It has what no product has: more chunks than there can be, or a variable in a form that is not read.
    """
    try:
        import h5py  # noqa: PLC0415 -- optional, and slow to import
    except ImportError:
        raise InputError(
            f"{store.location}: reading netCDF needs h5py: install the extra swath[netcdf]"
        ) from None
    try:
        with h5py.File(_View(store, name), "r") as opened:
            found = File(_attributes(opened), {}, {})
            _walk(store, name, opened, "", found)
            return found
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, OverflowError, MemoryError) as error:
        raise ProductError(
            f"{store.location}: {name} is corrupt or truncated (HDF5: {error}); get the product again"
        ) from error


def _walk(store: Store, file: str, group: h5py.Group, path: str, found: File) -> None:
    """Add the variables and groups of a group, and of those in it, to what was found."""
    import h5py  # noqa: PLC0415 -- see above

    for name in group:
        place = f"{path}/{name}".lstrip("/")
        # A link to another file is none of a product's.
        if isinstance(group.get(name, getlink=True), h5py.ExternalLink):
            raise MetadataError(f"{store.location}: {file}: {place} is a link to another file; get it again")
        item = group.get(name)
        if isinstance(item, h5py.Group):
            found.groups[place] = _attributes(item)
            _walk(store, file, item, place, found)
        elif isinstance(item, h5py.Dataset) and not _only_dimension(item):
            found.variables[place] = _variable(store, file, place, item)


def _only_dimension(dataset: h5py.Dataset) -> bool:
    name = dataset.attrs.get("NAME", b"")
    text = name if isinstance(name, bytes) else str(name).encode()
    return text.startswith(_NO_VARIABLE)


def _attributes(item: h5py.Group | h5py.Dataset) -> dict[str, Any]:
    return {key: _plain(item.attrs[key]) for key in item.attrs if key not in _INTERNAL}


def _plain(value: Any) -> Any:
    """Return an attribute as netCDF has it: text as text, one number as a number, more as an array."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "SO":
            texts = [_plain(item) for item in value.ravel().tolist()]
            return texts[0] if len(texts) == 1 else texts
        return value.ravel()[0] if value.size == 1 else value
    return value if isinstance(value, str | np.generic | int | float) else str(value)


def _dimensions(dataset: h5py.Dataset, own: str) -> tuple[str, ...]:
    """Return the names of the dimensions, as the dimension scales tell them; a scale may have no name."""
    names = []
    for axis, scales in enumerate(dataset.dims):
        found = (scales[0].name or "").rpartition("/")[2] if len(scales) else ""
        if not found:
            found = own if dataset.is_scale and axis == 0 else f"{own}_dimension_{axis}"
        names.append(found)
    if len(set(names)) < len(names):
        names = [
            f"{n}{names[:axis].count(n) + 1}" if n in names[:axis] else n for axis, n in enumerate(names)
        ]
    return tuple(names)


def _variable(store: Store, file: str, name: str, dataset: h5py.Dataset) -> Variable:
    import h5py  # noqa: PLC0415 -- see above

    shape = tuple(int(n) for n in dataset.shape or ())
    known: dict[str, Any] = {
        "store": store, "file": file, "name": name, "whole": shape,
        "dimensions": _dimensions(dataset, name.rpartition("/")[2]), "attributes": _attributes(dataset),
    }  # fmt: skip
    plain = dataset.dtype.kind in "iufb" and dataset.shape is not None
    filters = _filters(dataset) if plain else None
    if filters is None or not math.prod(shape) or not shape:
        return _in_memory(known, dataset)
    kind = np.dtype(dataset.dtype.str)
    native = kind.newbyteorder("=")
    # A file may leave it undefined what is in chunks that were never written.
    defined = dataset.id.get_create_plist().fill_value_defined() != h5py.h5d.FILL_VALUE_UNDEFINED
    fill = np.asarray(dataset.fillvalue if defined else 0).astype(native)[()]
    if dataset.chunks is None:
        return _contiguous(known, dataset, kind, fill)
    blocks = tuple(int(n) for n in dataset.chunks)
    number = math.prod(math.ceil(n / size) for n, size in zip(shape, blocks, strict=True))
    refuse_too_many(f"{store.location}: {file}", name, number)
    index: dict[tuple[int, ...], Block] = {}

    def found(info: Any) -> None:
        place = tuple(at // size for at, size in zip(info.chunk_offset, blocks, strict=True))
        index[place] = Block(int(info.byte_offset), int(info.size), int(info.filter_mask))

    dataset.id.chunk_iter(found)
    return Variable(
        **known, dtype=native, blocks=blocks, stored=kind, filters=filters, index=index, fill=fill
    )


def _filters(dataset: h5py.Dataset) -> tuple[int, ...] | None:
    """Return the numbers of the filters, or None where one of them is not known here."""
    if dataset.is_virtual or dataset.external:
        return None
    plist = dataset.id.get_create_plist()
    numbers = tuple(plist.get_filter(k)[0] for k in range(plist.get_nfilters()))
    return numbers if set(numbers) <= {DEFLATE, SHUFFLE, FLETCHER} else None


def _contiguous(known: dict[str, Any], dataset: h5py.Dataset, kind: np.dtype[Any], fill: Any) -> Variable:
    """Cut a variable without chunks into blocks of whole rows of its first dimension."""
    shape: tuple[int, ...] = known["whole"]
    row = math.prod(shape[1:]) * kind.itemsize
    rows = min(shape[0], max(1, CONTIGUOUS_BLOCK // max(row, 1)))
    start = dataset.id.get_offset()
    if start is None and dataset.id.get_storage_size():
        return _in_memory(known, dataset)  # small enough to lie in the header
    number = math.ceil(shape[0] / rows)
    refuse_too_many(f"{known['store'].location}: {known['file']}", known["name"], number)
    index = {}
    for k in range(number if start is not None else 0):
        length = min(rows, shape[0] - k * rows) * row
        index[k, *(0 for _ in shape[1:])] = Block(int(start) + k * rows * row, length, 0)
    blocks = (rows, *shape[1:])
    return Variable(
        **known, dtype=kind.newbyteorder("="), blocks=blocks, stored=kind, index=index, fill=fill, cut=True
    )


def _in_memory(known: dict[str, Any], dataset: h5py.Dataset) -> Variable:
    """Read what only the HDF5 library reads: text, scalars, rare filters; all of it small in products."""
    if dataset.shape is not None and dataset.nbytes > _MAX_IN_MEMORY:
        raise MetadataError(
            f"{known['store'].location}: {known['file']}: {known['name']} has {dataset.nbytes} bytes in a "
            f"form that "
            f"is not read in parts (type {dataset.dtype}); expected numbers, deflated at most"
        )
    values = np.asarray(dataset.asstr()[()] if dataset.dtype.kind == "O" else dataset[()])
    if values.dtype.kind == "S":
        values = np.char.decode(values, "utf-8", "replace")
    elif values.dtype.kind == "O":
        values = np.array(values.tolist(), dtype=str).reshape(values.shape)
    native = values.dtype.newbyteorder("=")
    values = values.astype(native)
    known["dimensions"] = known["dimensions"][: values.ndim]
    shape = known["whole"] = values.shape
    return Variable(
        **known, dtype=native, blocks=tuple(max(n, 1) for n in shape), stored=native, values=values
    )


class _View(io.RawIOBase):
    """A file of a store as h5py reads it, page by page."""

    def __init__(self, store: Store, name: str) -> None:
        super().__init__()
        self._store, self._name = store, name
        self._size = store.size(name)
        self._at = 0
        self._page_size = FRONT if store.remote else _PAGE
        self._pages: dict[int, bytes] = {}

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = start + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer).cast("B")
        data = self._range(self._at, min(self._at + len(view), self._size))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)

    def _range(self, start: int, stop: int) -> bytes:
        if start >= stop:
            return b""
        page = self._page_size
        first, last = start // page, (stop - 1) // page
        parts = b"".join(self._page(number) for number in range(first, last + 1))
        return parts[start - first * page : stop - first * page]

    def _page(self, number: int) -> bytes:
        if number not in self._pages:
            start = number * self._page_size
            self._pages[number] = self._store.read_range(self._name, start, start + self._page_size)
        return self._pages[number]

"""NetCDF's classic formats (CDF-1, CDF-2, CDF-5): a header, then variables row after row.

Source: The NetCDF Classic Format Specification, in the NetCDF User's Guide, appendix B; CDF-5 of PnetCDF.
"""

from __future__ import annotations

import math
import struct
from typing import TYPE_CHECKING, Any

import numpy as np

from swath.errors import ProductError
from swath.io.netcdf._variable import CONTIGUOUS_BLOCK, Block, File, Variable, refuse_too_many

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["read_classic"]

_TYPES = {
    1: ">i1", 2: "S1", 3: ">i2", 4: ">i4", 5: ">f4", 6: ">f8",
    7: ">u1", 8: ">u2", 9: ">u4", 10: ">i8", 11: ">u8",
}  # fmt: skip
_DIMENSIONS, _VARIABLES, _ATTRIBUTES = 10, 11, 12

_FILLS = {
    "i1": -127,
    "i2": -32767,
    "i4": -(2**31) + 1,
    "f4": 9.969209968386869e36,
    "f8": 9.969209968386869e36,
}
"""Values of what was never written, by type."""

_MAX_HEADER = 16 << 20
"""Bytes; headers of products have some ten thousand."""

_STREAMING = (1 << 32) - 1
"""Number of records that says: as many as the file has room for."""


class _Header:
    """The header, read field by field; big-endian, padded to four bytes."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 4
        version = data[3]
        self._count = 8 if version == 5 else 4
        self._offset = 4 if version == 1 else 8

    def _take(self, length: int) -> bytes:
        if length < 0 or self._at + length > len(self._data):
            raise ValueError(f"the header ends within byte {self._at}")
        piece = self._data[self._at : self._at + length]
        self._at += length
        return piece

    def number(self) -> int:
        """Return a length or a count."""
        return int.from_bytes(self._take(self._count), "big")

    def tag(self) -> int:
        return int.from_bytes(self._take(4), "big")

    def offset(self) -> int:
        return int.from_bytes(self._take(self._offset), "big")

    def name(self) -> str:
        length = self.number()
        text = self._take(length).decode("utf-8")
        self._take(-length % 4)
        return text

    def list(self, tag: int) -> int:
        """Return how many items a list has; an absent one has none."""
        found, number = self.tag(), self.number()
        if found not in (0, tag) or (found == 0 and number):
            raise ValueError(f"a list has the tag {found}, expected {tag}")
        if number > len(self._data):
            raise ValueError(f"a list of {number} items in a header of {len(self._data)} bytes")
        return number

    def attributes(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for _ in range(self.list(_ATTRIBUTES)):
            name = self.name()
            kind = np.dtype(_TYPES[self.tag()])
            length = self.number() * kind.itemsize
            data = self._take(length)
            self._take(-length % 4)
            if kind.kind == "S":
                found[name] = data.rstrip(b"\0").decode("utf-8", "replace")
            else:
                values = np.frombuffer(data, kind).astype(kind.newbyteorder("="))
                found[name] = values[0] if values.size == 1 else values
        return found


def read_classic(store: Store, name: str) -> File:
    """Read the header of a classic netCDF file; see :func:`swath.io.netcdf.read_file`."""
    size = store.size(name)
    length = min(size, 1 << 16)
    while True:
        try:
            return _parse(store, name, store.read_range(name, 0, length))
        except (ValueError, KeyError, struct.error, UnicodeDecodeError, OverflowError) as error:
            if length < min(size, _MAX_HEADER):
                length = min(size, _MAX_HEADER, length * 16)
                continue
            raise ProductError(
                f"{store.location}: {name} is corrupt or truncated (netCDF header: {error}); get it again"
            ) from error


def _parse(store: Store, file: str, data: bytes) -> File:
    header = _Header(data)
    records = header.number()
    dimensions = [(header.name(), header.number()) for _ in range(header.list(_DIMENSIONS))]
    attributes = header.attributes()
    read = [_variable(header, dimensions) for _ in range(header.list(_VARIABLES))]
    sizes = [math.prod(v["shape"][1:]) * v["kind"].itemsize for v in read if v["record"]]
    # Records are padded to four bytes, but not those of a single variable.
    record = sizes[0] if len(sizes) == 1 else sum(n + -n % 4 for n in sizes)
    if records == _STREAMING:
        first = min((v["begin"] for v in read if v["record"]), default=0)
        records = (store.size(file) - first) // record if record else 0
    variables = {v["name"]: _placed(store, file, v, records, record) for v in read}
    return File(attributes, variables, {})


def _variable(header: _Header, dimensions: list[tuple[str, int]]) -> dict[str, Any]:
    name = header.name()
    numbers = [header.number() for _ in range(header.number())]
    if any(number >= len(dimensions) for number in numbers):
        raise ValueError(f"{name} has a dimension that there is not")
    attributes = header.attributes()
    kind = np.dtype(_TYPES[header.tag()])
    header.number()  # its size, which follows from the rest and overflows for large ones
    shape = tuple(dimensions[number][1] for number in numbers)
    return {
        "name": name, "dimensions": tuple(dimensions[number][0] for number in numbers), "shape": shape,
        "attributes": attributes, "kind": kind, "begin": header.offset(),
        "record": bool(shape) and shape[0] == 0,
    }  # fmt: skip


def _placed(store: Store, file: str, told: dict[str, Any], records: int, record: int) -> Variable:
    """Return a variable with where its blocks lie: of rows, or a record each."""
    kind: np.dtype[Any] = told["kind"]
    shape = (records, *told["shape"][1:]) if told["record"] else told["shape"]
    known = {
        "store": store, "file": file, "name": told["name"], "dimensions": told["dimensions"], "whole": shape,
        "attributes": told["attributes"],
    }  # fmt: skip
    native = kind.newbyteorder("=")
    if not shape or not math.prod(shape) or kind.kind == "S":
        length = math.prod(shape) * kind.itemsize
        values = np.frombuffer(store.read_range(file, told["begin"], told["begin"] + length), kind).reshape(
            shape
        )
        values = values.astype(native)
        return Variable(
            **known, dtype=native, blocks=tuple(max(n, 1) for n in shape), stored=native, values=values
        )
    row = math.prod(shape[1:]) * kind.itemsize
    rows = 1 if told["record"] else min(shape[0], max(1, CONTIGUOUS_BLOCK // row))
    stride = record if told["record"] else row * rows
    number = math.ceil(shape[0] / rows)
    refuse_too_many(f"{store.location}: {file}", told["name"], number)
    zeros = (0,) * (len(shape) - 1)
    index = {
        (k, *zeros): Block(told["begin"] + k * stride, min(rows, shape[0] - k * rows) * row, 0)
        for k in range(number)
    }
    fill = _FILLS.get(kind.str[1:], 0)
    blocks = (rows, *shape[1:])
    return Variable(**known, dtype=native, blocks=blocks, stored=kind, index=index, fill=fill, cut=True)

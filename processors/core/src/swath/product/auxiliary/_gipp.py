"""Ground image processing parameters (GIPP) of Sentinel-2: numbers over whatever a file lists.

There are some forty types of these files, each with a schema of its own. None is spelt out here: an element
that is repeated within its parent is a dimension, and a value below it is an array.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.product._fields import Fields
from swath.product.auxiliary._header import header_attributes, paired_file

if TYPE_CHECKING:
    from lxml import etree

    from swath.io.store import Store

__all__ = ["GIPP", "GippReader"]

_MAX_VALUES = 20_000_000
"""More values than any such file has, after filling up what is ragged."""


class GippReader:
    """Reads a GIPP file, a directory of ``.HDR`` and ``.DBL``; see :class:`swath.product.Reader`."""

    looks_for = "Sentinel-2 processing parameters (S2?_OPER_GIP_…, .HDR and .DBL)"

    def can_read(self, store: Store) -> bool:
        """Tell whether there is one pair of such files."""
        return paired_file(store, "_GIP_") is not None

    def open(self, store: Store) -> xr.DataTree:
        """Return the parameters: ``/parameters`` has single values as attributes, lists as variables."""
        stem = paired_file(store, "_GIP_") or ""
        header = Fields.read(store, f"{stem}.HDR")
        root = Fields.read(store, f"{stem}.DBL")
        return xr.DataTree.from_dict(
            {"/": xr.Dataset(attrs=header_attributes(header)), "/parameters": _parameters(root.get("DATA"))}
        )


GIPP = GippReader()


@dataclass
class _Leaf:
    """A value at each of the places where its path occurs."""

    values: dict[tuple[int, ...], str] = field(default_factory=dict)
    """Text by the index in each repeated element above it."""
    dimensions: tuple[str, ...] = ()
    units: str = ""


def _parameters(data: Fields) -> xr.Dataset:
    leaves: dict[tuple[str, ...], _Leaf] = defaultdict(_Leaf)
    _gather(data.element, (), (), (), leaves)
    attributes: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    lengths: dict[str, int] = {}
    for path, name in _names(leaves).items():
        leaf = leaves[path]
        if not leaf.dimensions:
            attributes[name] = _scalar(leaf.values[()])
            if leaf.units:
                attributes[f"{name}_units"] = leaf.units
            continue
        shape = tuple(max(index[k] for index in leaf.values) + 1 for k in range(len(leaf.dimensions)))
        if np.prod(shape, dtype=np.float64) > _MAX_VALUES:
            raise data.error(f"{'/'.join(path)} has {shape} places, expected at most {_MAX_VALUES} in all")
        # Two lists of elements of one name may differ in length: the second one's dimension tells its own.
        dimensions = tuple(
            word if lengths.setdefault(word, n) == n else f"{word}_{n}"
            for word, n in zip(leaf.dimensions, shape, strict=True)
        )
        variables[name] = (
            dimensions,
            _array(leaf.values, shape),
            {"units": leaf.units} if leaf.units else {},
        )
    return xr.Dataset(variables, attrs=attributes)


def _gather(
    element: etree._Element,
    path: tuple[str, ...],
    dimensions: tuple[str, ...],
    index: tuple[int, ...],
    leaves: dict[tuple[str, ...], _Leaf],
) -> None:
    children = [child for child in element if isinstance(child.tag, str)]
    counts: dict[str, int] = defaultdict(int)
    for child in children:
        counts[_word(child)] += 1
    seen: dict[str, int] = defaultdict(int)
    for child in children:
        word = _word(child)
        repeated = counts[word] > 1
        below = (*path, word)
        over = (*dimensions, word) if repeated else dimensions
        place = (*index, seen[word]) if repeated else index
        seen[word] += 1
        for key, value in child.attrib.items():
            if str(key) not in ("unit", "units"):
                _put(leaves[(*below, str(key).lower())], over, place, str(value))
        if any(isinstance(grandchild.tag, str) for grandchild in child):
            _gather(child, below, over, place, leaves)
        else:
            leaf = leaves[below]
            leaf.units = str(child.get("unit", child.get("units", leaf.units)))
            _put(leaf, over, place, (child.text or "").strip())


def _put(leaf: _Leaf, dimensions: tuple[str, ...], index: tuple[int, ...], text: str) -> None:
    if len(dimensions) > len(leaf.dimensions):
        # Once alone and once repeated: what was alone is the first of each list.
        more = len(dimensions) - len(leaf.dimensions)
        leaf.values = {(*old, *(0,) * more): value for old, value in leaf.values.items()}
        leaf.dimensions = dimensions
    leaf.values[(*index, *(0,) * (len(leaf.dimensions) - len(index)))] = text


def _names(leaves: dict[tuple[str, ...], _Leaf]) -> dict[tuple[str, ...], str]:
    """Return the shortest name of each path that no other path ends with as well."""
    names = {}
    for path in leaves:
        for length in range(1, len(path) + 1):
            end = path[-length:]
            if sum(other[-length:] == end for other in leaves) == 1:
                break
        names[path] = "_".join(end)
    return names


def _array(values: dict[tuple[int, ...], str], shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Return numbers where all are numbers (NaN where a list is shorter), or else texts."""
    try:
        numbers = {place: float(text) for place, text in values.items()}
    except ValueError:
        texts = np.full(shape, "", object)
        for place, text in values.items():
            texts[place] = text
        return texts.astype(str)
    grid = np.full(shape, np.nan)
    for place, number in numbers.items():
        grid[place] = number
    return grid


def _scalar(text: str) -> bool | int | float | str:
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        # Identifiers keep their leading zeros; JSON has neither NaN nor infinity, Zarr no larger integers.
        return value if abs(value) < 1 << 63 and not re.fullmatch(r"0\d+", text) else text
    return text


def _word(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2].lower()

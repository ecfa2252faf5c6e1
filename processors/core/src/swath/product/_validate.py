"""A product held against its model: what is missing, what is different, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from swath.errors import InputError, ProductError
from swath.product._chunks import chunk_source
from swath.product._models import Model, load_model, model_names

if TYPE_CHECKING:
    import xarray as xr

__all__ = ["Finding", "validate_product"]

_KINDS = {"b": "number", "i": "number", "u": "number", "f": "number", "c": "complex number", "M": "time",
          "m": "duration"}  # fmt: skip
"""Kinds of types. Whole and real numbers are one: masking decodes whole numbers to real ones."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    level: Literal["error", "note"]
    """Whether the product is wrong, or has more or less than the model says, which products do."""
    path: str
    """Where: path of a variable or group, or an attribute's behind ``@``."""
    told: str
    """What there is, and what is expected."""


def validate_product(product: xr.DataTree, model: str | None = None) -> list[Finding]:
    """Hold a product against the model of its type. Reads metadata only.

    Parameters
    ----------
    product
        A product.
    model
        Name of the model; by default that of ``product:type`` in the product's STAC attributes.

    Returns
    -------
    list of Finding
        Errors first: variables that are missing, over other dimensions, or of another kind of type; flags
        that
        contradict themselves; stored chunks that are cut off. Then notes: attributes that are missing,
        variables
        that the model does not know, types that differ within their kind.

    Raises
    ------
    InputError
        There is no such model, or the product does not tell its type.
    """
    told = product.attrs.get("stac_discovery", {})
    kind = told.get("properties", {}).get("product:type") if isinstance(told, Mapping) else None
    name = model or kind
    if not isinstance(name, str):
        raise InputError(
            "the product does not tell its type (product:type in stac_discovery); name a model, one of "
            + ", ".join(model_names())
        )
    wanted = load_model(name)
    findings: list[Finding] = []
    for node in product.children.values() if wanted.container else [product]:
        findings += _structure(node, wanted)
    findings += _attributes(product.attrs, wanted)
    findings += _contents(product)
    return sorted(findings, key=lambda finding: (finding.level != "error", finding.path))


def _structure(root: xr.DataTree, model: Model) -> Iterator[Finding]:
    prefix = root.path.rstrip("/")
    found = {
        f"{node.path}/{name}".replace("//", "/").removeprefix(prefix): array
        for node in root.subtree
        for name, array in node.data_vars.items()
    }
    for path, wanted in model.variables.items():
        array = found.get(path)
        where = f"{prefix}{path}"
        if array is None:
            near = get_close_matches(path, [other for other in found if other not in model.variables], 1, 0.9)
            hint = f"; is it {near[0]}?" if near else ""
            yield Finding("error", where, f"is missing{hint}")
            continue
        dimensions = tuple(map(str, array.dims))
        if dimensions != wanted.dimensions:
            over, expected_over = (", ".join(names) for names in (dimensions, wanted.dimensions))
            yield Finding("error", where, f"is over ({over}), expected ({expected_over})")
        expected = np.dtype(wanted.dtype)
        if _kind(array.dtype) != _kind(expected):
            yield Finding("error", where, f"is of type {array.dtype}, expected {wanted.dtype}")
        elif array.dtype != expected and expected.kind not in "SUOM":
            yield Finding("note", where, f"is of type {array.dtype}, the model has {wanted.dtype}")
    for path in found.keys() - model.variables.keys():
        yield Finding("note", f"{prefix}{path}", "is not in the model")


def _kind(dtype: np.dtype[Any]) -> str:
    return _KINDS.get(dtype.kind, "text")


def _attributes(attributes: Mapping[Any, Any], model: Model) -> Iterator[Finding]:
    for path in model.attributes:
        value: Any = attributes
        for step in path.split("/"):
            value = value.get(step) if isinstance(value, Mapping) else None
        if value is None:
            yield Finding("note", f"@{path}", "is missing")
    discovery = attributes.get("stac_discovery")
    if isinstance(discovery, Mapping):
        box = discovery.get("bbox")
        if isinstance(box, list) and (len(box) != 4 or not -90 <= box[1] <= box[3] <= 90):
            yield Finding(
                "error", "@stac_discovery/bbox", f"is {box}, expected west, south, east, north in degrees"
            )


def _contents(product: xr.DataTree) -> Iterator[Finding]:
    for node in product.subtree:
        for name, array in node.data_vars.items():
            path = f"{node.path}/{name}".replace("//", "/")
            yield from _flags(path, array)
            source = chunk_source(array)
            if source is None:
                continue
            rows, columns = (-(-n // size) for n, size in zip(source.shape, source.chunk_shape, strict=True))
            try:
                for row in range(rows):
                    for column in range(columns):
                        source.chunk_bytes(row, column)
            except ProductError as error:
                yield Finding("error", path, str(error))


def _flags(path: str, array: xr.DataArray) -> Iterator[Finding]:
    """CF conventions 1.11, section 3.5: as many meanings as masks or values, and masks within the type."""
    meanings = array.attrs.get("flag_meanings")
    if meanings is None:
        return
    names = meanings.split() if isinstance(meanings, str) else list(meanings)
    for key in ("flag_masks", "flag_values"):
        if key not in array.attrs:
            continue
        values = np.atleast_1d(np.asarray(array.attrs[key]))
        if len(values) != len(names):
            yield Finding("error", path, f"has {len(values)} {key} for {len(names)} flag_meanings")
        elif array.dtype.kind in "iu" and int(values.max()) >> 8 * array.dtype.itemsize:
            yield Finding("error", path, f"has {key} that do not fit its type {array.dtype}")

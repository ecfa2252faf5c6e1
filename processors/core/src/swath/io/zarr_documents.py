"""Zarr's metadata as documents: written straight from what is known, and read all at once.

Sources: Zarr storage specification version 2; Zarr core specification version 3 with the codecs ``bytes``,
``blosc``, ``vlen-utf8`` and ``sharding_indexed``; consolidated metadata as zarr-python writes it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

from swath.errors import MetadataError
from swath.io.small_files import make_folders, write_files

if TYPE_CHECKING:
    from pathlib import Path

    from swath.io.store import Store

__all__ = ["ROOTS", "ArrayLayout", "Documents", "array_document", "group_document", "read_documents",
           "write_documents"]  # fmt: skip

ROOTS = (".zmetadata", "zarr.json", ".zgroup")
"""Files by which the root of a Zarr group is known."""

_DATA_TYPES = {"b1": "bool", "c8": "complex64", "c16": "complex128"}
"""Names in format 3 of types whose name is not numpy's."""

_MAX_BYTES = 1 << 28
"""Largest document that is read; those of level 0 with its 900 groups have some ten megabytes."""

_MAX_DEPTH = 64
"""Groups in one another; products have five."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ArrayLayout:
    """How an array is stored."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    """What is compressed as one piece."""
    dtype: np.dtype[Any]
    """Type of the stored values; ``object`` and ``StringDType`` are text of variable length (format 3)."""
    dimensions: tuple[str, ...]
    shards: tuple[int, ...] | None = None
    """What is one file (format 3), where it holds several chunks; a multiple of ``chunks``."""
    fill_value: Any = None
    """Value of what is not stored; None leaves it to the format: none in 2, zero or NaN in 3."""
    attributes: Mapping[str, Any] = field(default_factory=dict)
    """As JSON has them."""

    @property
    def text(self) -> bool:
        """Whether values are text, which is not packed by Blosc."""
        return self.dtype.kind in "UOT"


@dataclass(frozen=True)
class Documents:
    """All metadata of a product."""

    zarr_format: int
    groups: Mapping[str, Mapping[str, Any]]
    """Path (``""`` is the root) → attributes; a group comes before those in it."""
    arrays: Mapping[str, Document]
    """Path → the array's document, in format 2 with the attributes as ``attributes``."""


def array_document(layout: ArrayLayout, zarr_format: int) -> Document:
    """Return the document of an array; in format 2 the attributes are its member ``attributes``."""
    return _array_2(layout) if zarr_format == 2 else _array_3(layout)


def group_document(attributes: Mapping[str, Any], zarr_format: int) -> Document:
    """Return the document of a group; in format 2 the attributes are its member ``attributes``."""
    kind = {} if zarr_format == 2 else {"node_type": "group"}
    return {"zarr_format": zarr_format, **kind, "attributes": dict(attributes)}


def _array_2(layout: ArrayLayout) -> Document:
    blosc = {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 2, "blocksize": 0}
    return {
        "zarr_format": 2,
        "shape": list(layout.shape),
        "chunks": list(layout.chunks),
        "dtype": layout.dtype.str,
        "fill_value": _fill(layout.fill_value, layout.dtype),
        "order": "C",
        "filters": None,
        "dimension_separator": ".",
        "compressor": None if layout.text else blosc,
        "attributes": {**layout.attributes, "_ARRAY_DIMENSIONS": list(layout.dimensions)},
    }


def _array_3(layout: ArrayLayout) -> Document:
    kind = layout.dtype
    codecs: list[Document]
    if layout.text:
        data_type, codecs = "string", [{"name": "vlen-utf8"}]
        fill: Any = "" if layout.fill_value is None else str(layout.fill_value)
    else:
        data_type = _DATA_TYPES.get(kind.str[1:], kind.name)
        order = {} if kind.itemsize == 1 else {"configuration": {"endian": "little"}}
        blosc = {
            "typesize": kind.itemsize, "cname": "zstd", "clevel": 3, "shuffle": "bitshuffle", "blocksize": 0,
        }  # fmt: skip
        codecs = [{"name": "bytes", **order}, {"name": "blosc", "configuration": blosc}]
        fill = _fill(_default_fill(kind) if layout.fill_value is None else layout.fill_value, kind)
    if layout.shards is not None:
        sharding = {
            "chunk_shape": list(layout.chunks),
            "codecs": codecs,
            "index_codecs": [
                {"name": "bytes", "configuration": {"endian": "little"}},
                {"name": "crc32c"},
            ],
            "index_location": "end",
        }
        codecs = [{"name": "sharding_indexed", "configuration": sharding}]
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(layout.shape),
        "data_type": data_type,
        "chunk_grid": {
            "name": "regular",
            "configuration": {"chunk_shape": list(layout.shards or layout.chunks)},
        },
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": codecs,
        "attributes": dict(layout.attributes),
        "dimension_names": list(layout.dimensions),
        "storage_transformers": [],
    }


def _default_fill(dtype: np.dtype[Any]) -> Any:
    return math.nan if dtype.kind == "f" else np.zeros((), dtype)[()]


def _fill(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return a fill value as both formats have it."""
    if value is None:
        return None
    number = np.asarray(value).astype(dtype)[()] if dtype.kind not in "UOT" else value
    if dtype.kind == "c":
        return [_real(float(number.real)), _real(float(number.imag))]
    if dtype.kind == "f":
        return _real(float(number))
    return number.item() if isinstance(number, np.generic) else number


def _real(value: float) -> Any:
    if math.isnan(value):
        return "NaN"
    return value if math.isfinite(value) else "Infinity" if value > 0 else "-Infinity"


def write_documents(directory: Path, documents: Documents) -> None:
    """Write all documents, and all of them once more at the root, so that opening is one read."""
    files = _files_2(documents) if documents.zarr_format == 2 else _files_3(documents)
    make_folders(directory, {name.rpartition("/")[0] for name in files} - {""})
    write_files(directory, files)


def _files_2(documents: Documents) -> dict[str, bytes]:
    group = _json({"zarr_format": 2})
    files: dict[str, bytes] = {}
    for path, attributes in documents.groups.items():
        files[_in(path, ".zgroup")] = group
        files[_in(path, ".zattrs")] = _json(attributes)
    for path, document in documents.arrays.items():
        files[f"{path}/.zarray"] = _json({key: document[key] for key in document if key != "attributes"})
        files[f"{path}/.zattrs"] = _json(document["attributes"])
    files[".zmetadata"] = b'{"zarr_consolidated_format": 1, "metadata": %b}' % _joined(files)
    return files


def _files_3(documents: Documents) -> dict[str, bytes]:
    nodes = {path: group_document(attributes, 3) for path, attributes in documents.groups.items()}
    nodes.update(documents.arrays)
    root = _json(nodes.pop(""))
    texts = {path: _json(node) for path, node in nodes.items()}
    inline = b'{"kind": "inline", "must_understand": false, "metadata": %b}' % _joined(texts)
    files = {_in(path, "zarr.json"): text for path, text in texts.items()}
    files["zarr.json"] = b'%b, "consolidated_metadata": %b}' % (root.removesuffix(b"}"), inline)
    return files


def _joined(texts: Mapping[str, bytes]) -> bytes:
    """Return documents that are JSON already as one object: each is put into words once.

    What is in a group stands together: zarr-python 3.1 loses a group whose members others come between.
    """
    seen: dict[str, int] = {}
    places = {}
    for name in texts:
        parts = name.split("/")
        above = ["/".join(parts[: k + 1]) for k in range(len(parts))]
        places[name] = [seen.setdefault(path, len(seen)) for path in above]
    ordered = sorted(texts, key=places.__getitem__)
    return b"{%b}" % b", ".join(b"%b: %b" % (_json(name), texts[name]) for name in ordered)


def _in(path: str, name: str) -> str:
    return f"{path}/{name}" if path else name


_ENCODER = json.JSONEncoder(ensure_ascii=False)
"""Made once: ``json.dumps`` makes one for each document."""


def _json(document: Any) -> bytes:
    return _ENCODER.encode(document).encode()


def read_documents(store: Store) -> Documents:
    """Read all metadata of a Zarr group: one read where it is consolidated, or else each document.

    Raises
    ------
    MetadataError
        A document is no JSON or not what it should be.
    """
    try:
        return _read_2(store) if store.exists(".zmetadata") or store.exists(".zgroup") else _read_3(store)
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise MetadataError(
            f"{store.location}: its Zarr metadata cannot be read ({type(error).__name__}: {error}); "
            "get it again"
        ) from error


def _read_2(store: Store) -> Documents:
    if store.exists(".zmetadata"):
        entries = _mapping(_parse(store, ".zmetadata")["metadata"])
        if not any(name.endswith("/.zarray") for name in entries):
            entries = {**entries, **_members_2(store, entries)}
    else:
        entries = _each_2(store, store.names())
    groups: dict[str, Mapping[str, Any]] = {}
    arrays: dict[str, Document] = {}
    for name in entries:
        path, _, kind = name.rpartition("/")
        attributes = _mapping(entries.get(_in(path, ".zattrs"), {}))
        if kind == ".zgroup":
            groups[path] = attributes
        elif kind == ".zarray":
            arrays[path] = {**_mapping(entries[name]), "attributes": attributes}
    return _whole(2, groups, arrays)


def _each_2(store: Store, names: Iterable[str]) -> dict[str, Any]:
    """Read those of some files that are documents of groups and arrays."""
    kinds = (".zgroup", ".zarray", ".zattrs")
    return {name: _parse(store, name) for name in names if PurePosixPath(name).name in kinds}


def _members_2(store: Store, entries: Mapping[str, Any]) -> dict[str, Any]:
    """Read the products in one whose own consolidated metadata tell nothing of them.

    That is how eopf 2.8.1 writes products of several images (Sentinel-1 SLC): each of them is consolidated by
    itself, and the assets of the root name them.
    """
    discovery = entries.get(".zattrs", {}).get("stac_discovery", {})
    hrefs = [asset.get("href", "") for asset in discovery.get("assets", {}).values()]
    folders = [href.strip("/") for href in hrefs if href and ":" not in href and ".." not in href]
    wanted = [(f"{folder}/.zmetadata", 0, None) for folder in folders]
    store.warm(wanted)
    told = [name for name, *_ in wanted if store.exists(name)]
    names: list[str] = []
    if not (store.remote and told):  # a list of all files may take long there
        names = store.names()
        told = [name for name in names if name.count("/") == 1 and name.endswith("/.zmetadata")]
    found: dict[str, Any] = {}
    for name in told:
        folder = name.rpartition("/")[0]
        inside = _mapping(_parse(store, name)["metadata"])
        found |= {f"{folder}/{path}": document for path, document in inside.items()}
    whole = {name.partition("/")[0] for name in told}
    return found | _each_2(store, (name for name in names if name.partition("/")[0] not in whole))


def _read_3(store: Store) -> Documents:
    root = _parse(store, "zarr.json")
    inline = root.get("consolidated_metadata")
    if inline:
        nodes = {"": root, **_mapping(inline["metadata"])}
    else:
        names = [name for name in store.names() if PurePosixPath(name).name == "zarr.json"]
        nodes = {name.rpartition("/")[0]: _parse(store, name) for name in names}
    groups: dict[str, Mapping[str, Any]] = {}
    arrays: dict[str, Document] = {}
    for path, node in nodes.items():
        if _mapping(node)["node_type"] == "group":
            groups[path] = _mapping(node.get("attributes", {}))
        else:
            arrays[path] = {**node, "attributes": _mapping(node.get("attributes", {}))}
    return _whole(3, groups, arrays)


def _whole(zarr_format: int, groups: dict[str, Mapping[str, Any]], arrays: dict[str, Document]) -> Documents:
    """Add the groups that are only implied, and put each before those in it."""
    for path in [*groups, *arrays]:
        if path.count("/") > _MAX_DEPTH:
            raise ValueError(f"{path.count('/')} groups in one another, expected at most {_MAX_DEPTH}")
        for parent in PurePosixPath(path).parents:
            name = "" if str(parent) == "." else str(parent)
            if name not in groups:
                groups[name] = {}
    groups.setdefault("", {})
    ordered = sorted(groups, key=lambda path: (path.count("/") + bool(path), path))
    return Documents(zarr_format, {path: groups[path] for path in ordered}, dict(sorted(arrays.items())))


def _parse(store: Store, name: str) -> Document:
    return dict(_mapping(json.loads(store.read_document(name, _MAX_BYTES))))


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise TypeError(f"expected a JSON object, got {type(value).__name__}")
    return value

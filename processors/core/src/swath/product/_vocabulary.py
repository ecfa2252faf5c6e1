"""Products that say nothing but what products of eopf say: no grid mappings of CF, no attributes of GDAL.

Products are written for many programs at once: GDAL looks for ``_CRS``, CF readers for ``grid_mapping``,
others for ``proj:epsg``. ``eopf validate`` calls each of those an anomaly. Of what is left out here,
the place of images comes back when the product is opened, from its root's ``proj:code`` and its coordinates.
"""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from swath.errors import MetadataError
from swath.product._grid_mapping import GRID_MAPPING
from swath.product._models import load_model, model_names
from swath.product._prepare import plain
from swath.product.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    import xarray as xr

__all__ = ["VOCABULARY", "placed", "short_names", "without_extras"]

VOCABULARY = frozenset({
    "long_name", "short_name", "dtype", "units", "standard_name",
    "flag_masks", "flag_values", "flag_meanings",
    "valid_min", "valid_max", "fill_value", "coordinates", "dimensions",
})  # fmt: skip
"""Attributes of variables that eopf 3.0.0 knows (``StacProductStructureConventionMixin`` in its module
``eopf.product.structure_convention_protocol``); how variables are packed is told by their encodings."""

_TIMELINESS = {"product:timeliness_category": "NRT", "product:timeliness": "PT3H"}
"""What eopf says of each product of Sentinel-2, whose SAFE does not tell it: a constant of its mappings."""

_ITEM = frozenset({"type", "stac_version", "stac_extensions", "id", "geometry", "bbox", "links"})
"""Members that each STAC item has."""

_BESIDES = {
    "S03SLSRBT": frozenset({"model", "parameter"}), "S03SLSLST": frozenset({"model", "parameter"}),
    "S03OLCLFR": frozenset({"flag_descriptions"}), "S03OLCLRR": frozenset({"flag_descriptions"}),
}  # fmt: skip
"""Type of the product → attributes of variables that its own model names besides."""

_SOFTWARE = ("stac_discovery", "properties", "processing:software")
"""Members are the names of programs, which no model of Sentinel-3 can name; products of eopf have them."""

_LINEAGE = "systematic"
"""What eopf says of how each product of Sentinel-3 was made: a constant of its mappings."""

_UNKNOWN = {"S02MSIL2A": {"scl": {"flag_values", "flag_meanings"}, "aot": {"units"}}}
"""Type of the product → attributes of variables that the models of eopf 3.0.0 have not."""


@lru_cache(maxsize=8)
def short_names(product_type: str) -> dict[str, str]:
    """Return the short names of variables of a type of products, by path, where that ends otherwise."""
    text = (files("swath.product") / "short_names.txt").read_text(encoding="utf-8")
    lines = [line.split() for line in text.splitlines() if line.startswith(f"{product_type} ")]
    return {path: name for _, path, name in lines}


def without_extras(datasets: Mapping[str, xr.Dataset]) -> dict[str, xr.Dataset]:
    """Return prepared datasets without what eopf does not know, and with the STAC assets that it expects.

    Parameters
    ----------
    datasets
        Path of a group → its dataset, as ``prepare_dataset`` returns it.
    """
    kind = str(_product_type(datasets))
    numbers: dict[str, Any] = {}
    if kind.startswith("S03SLS"):
        from swath.product.sentinel3 import scalars  # noqa: PLC0415 -- only for products of SLSTR

        datasets, numbers = scalars(datasets)
    found = {path: _known(dataset, kind) for path, dataset in datasets.items()}
    if numbers:
        root = found["/"].attrs
        found["/"].attrs = {**root, "other_metadata": {**root.get("other_metadata", {}), **numbers}}
    for path, dataset in found.items():
        discovery = dataset.attrs.get("stac_discovery")
        if isinstance(discovery, dict):
            below = {other: found[other] for other in found if _below(other, path)}
            assets = _name(below, path, discovery)
            told = _modelled({**dataset.attrs, "stac_discovery": discovery}, discovery)
            told["stac_discovery"]["assets"] = assets
            _complete(told["stac_discovery"])
            dataset.attrs = told
    return found


def _product_type(datasets: Mapping[str, xr.Dataset]) -> Any:
    told = datasets["/"].attrs.get("stac_discovery") if "/" in datasets else None
    properties = told.get("properties") if isinstance(told, dict) else None
    return properties.get("product:type", "") if isinstance(properties, dict) else ""


def _modelled(attributes: Mapping[str, Any], discovery: Mapping[str, Any]) -> dict[str, Any]:
    """Return a root's attributes without those that the model of its type does not name."""
    kind = str(discovery.get("properties", {}).get("product:type", ""))
    known = [tuple(path.split("/")) for path in load_model(kind).attributes] if kind in model_names() else []
    if known and kind.startswith("S03"):
        known.append(_SOFTWARE)
    found: dict[str, Any] = plain(attributes)
    return _kept(found, (), known) if known else found


def _complete(discovery: dict[str, Any]) -> None:
    """Say what eopf says of its products besides: the reference system in WKT 2, timeliness, lineage."""
    properties = discovery.get("properties", {})
    if str(properties.get("product:type", "")).startswith("S02MSIL"):
        for key, value in _TIMELINESS.items():
            properties.setdefault(key, value)
    if str(properties.get("product:type", "")).startswith("S03"):
        properties.setdefault("processing:lineage", _LINEAGE)
    if "proj:code" in properties:
        from rasterio.crs import CRS  # noqa: PLC0415 -- slow to import

        properties["proj:wkt2"] = CRS.from_string(str(properties["proj:code"])).to_wkt(version="WKT2_2019")


def _kept(told: dict[str, Any], above: tuple[str, ...], known: list[tuple[str, ...]]) -> dict[str, Any]:
    kept = {}
    for key, value in told.items():
        path = (*above, key)
        member = above == ("stac_discovery",) and key in _ITEM
        if member or any(path[: len(other)] == other for other in known):
            kept[key] = value
        elif any(other[: len(path)] == path for other in known):
            kept[key] = _kept(value, path, known) if isinstance(value, dict) else value
    return kept


def _below(path: str, root: str) -> bool:
    return path == root or path.startswith(root.rstrip("/") + "/")


def _known(dataset: xr.Dataset, kind: str) -> xr.Dataset:
    kept = dataset.drop_vars(GRID_MAPPING, errors="ignore")
    known = VOCABULARY | _BESIDES.get(kind, frozenset())
    for array in kept.data_vars.values():
        array.attrs = {key: value for key, value in array.attrs.items() if key in known}
    return kept


def _name(datasets: Mapping[str, xr.Dataset], root: str, discovery: Mapping[str, Any]) -> dict[str, Any]:
    """Give variables the short names that eopf gives them, and return the asset of each."""
    kind = str(discovery.get("properties", {}).get("product:type", ""))
    known, unknown = short_names(kind), _UNKNOWN.get(kind, {})
    assets = dict(discovery.get("assets", {}))
    for path, dataset in datasets.items():
        group = path.removeprefix(root.rstrip("/")).rstrip("/")
        for name, array in dataset.data_vars.items():
            place = f"{group}/{name}"
            short = known.get(place, str(name))
            kept = {key: told for key, told in array.attrs.items() if key not in unknown.get(str(name), ())}
            array.attrs = {**kept, "short_name": short}
            assets[short] = {"href": place.strip("/"), "title": str(array.attrs.get("long_name", name))}
    return assets


def placed(tree: xr.DataTree) -> xr.DataTree:
    """Return a product whose images say where they lie, where the root alone says their reference system."""
    told = tree.attrs.get("stac_discovery")
    properties = told.get("properties") if isinstance(told, dict) else None
    code = str((properties or {}).get("proj:code", "")) if isinstance(properties, dict) else ""
    if not code.startswith("EPSG:") or not code[5:].isdecimal():
        return tree
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=True)
        if not all(axis in dataset.coords and dataset[axis].dims == (axis,) for axis in ("y", "x")):
            continue
        for name, array in dataset.data_vars.items():
            if array.dims == ("y", "x") and not {"proj:epsg", "proj:code"} & set(array.attrs):
                _place(node, str(name), int(code[5:]))
    return tree


def _place(node: xr.DataTree, name: str, epsg: int) -> None:
    array = node[name]
    try:
        grid = Grid.of(array.assign_attrs({"proj:epsg": epsg}))
    except (MetadataError, ValueError):  # no regular grid, or one pixel: it is no image of this system
        return
    node.dataset[name].attrs.update(grid.attributes())

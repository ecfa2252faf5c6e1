"""Choosing by what an instrument has: bands, detectors, bursts and polarisations of radar images, times."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from swath.errors import InputError
from swath.product._encode import without_packing
from swath.product._swath import cut_rows_and_columns, image_of
from swath.product.window import Window

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

__all__ = ["in_time", "of_bands", "of_detectors", "of_images", "where"]

_BAND = re.compile(r"(b\d\d|b8a|oa\d\d|s\d|f\d)(?=_|$)", re.IGNORECASE)
"""Start of the names of variables that are of a band: ``b02``, ``oa08_radiance``, ``s7_bt_in``."""

_DETECTOR = re.compile(r"d(\d\d)")
"""Name of a group of one detector (Sentinel-2 below level 1C)."""

_FOOTPRINTS = "conditions/mask/detector_footprint"
"""Group of masks that tell which detector saw a pixel."""


def of_bands(tree: xr.DataTree, wanted: Collection[str]) -> xr.DataTree:
    """Return a product without the variables of other bands, and with only these along dimensions of bands.

    Raises
    ------
    InputError
        The product has none of a band that is wanted.
    """
    asked = [band.lower() for band in wanted]
    there = {band for node in tree.subtree for name in node.data_vars if (band := _band(str(name)))}
    axes = {str(value).lower() for node in tree.subtree for value in _along(node, "band").tolist()}
    missing = [band for band in asked if band not in there | axes]
    if missing:
        raise InputError(
            f"no band {', '.join(missing)}; there are {', '.join(sorted(there | axes)) or 'none'}"
        )
    datasets = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        others = [name for name in dataset.data_vars if (_band(str(name)) or asked[0]) not in asked]
        dataset = dataset.drop_vars(others)
        if len(_along(node, "band")):
            kept = [
                k for k, value in enumerate(dataset["band"].values.tolist()) if str(value).lower() in asked
            ]
            dataset = dataset.isel(band=kept)
        datasets[node.path] = dataset
    return xr.DataTree.from_dict(datasets)


def _band(name: str) -> str:
    found = _BAND.match(name)
    return found[1].lower() if found else ""


def _along(node: xr.DataTree, dimension: str) -> npt.NDArray[Any]:
    return (
        np.asarray(node[dimension].values)
        if dimension in node.dims and dimension in node.coords
        else np.empty(0)
    )


def of_detectors(tree: xr.DataTree, wanted: Collection[int]) -> xr.DataTree:
    """Return a product of some detectors alone.

    Groups of other detectors are left out, as are others along dimensions of detectors. On a map, pixels that
    another detector saw are missing in the band's real numbers; for that, its mask of footprints is read with
    it.

    Raises
    ------
    InputError
        The product tells of no such detector.
    """
    there = {int(match[1]) for node in tree.subtree if (match := _DETECTOR.fullmatch(str(node.name)))}
    there |= {int(value) for node in tree.subtree for value in _along(node, "detector").tolist()}
    missing = [number for number in wanted if number not in there]
    if missing:
        told = ", ".join(map(str, sorted(there))) or "none"
        raise InputError(f"no detector {', '.join(map(str, missing))}; there are {told}")
    datasets = {}
    for node in tree.subtree:
        steps = [_DETECTOR.fullmatch(step) for step in node.path.split("/")]
        if not all(int(match[1]) in wanted for match in steps if match):
            continue
        dataset = node.to_dataset(inherit=False)
        if len(_along(node, "detector")):
            dataset = dataset.isel(detector=np.flatnonzero(np.isin(dataset["detector"].values, list(wanted))))
        datasets[node.path] = _seen_by(tree, node.path, dataset, wanted)
    return xr.DataTree.from_dict(datasets)


def _seen_by(tree: xr.DataTree, path: str, dataset: xr.Dataset, wanted: Collection[int]) -> xr.Dataset:
    for name, array in dataset.data_vars.items():
        group = f"{_FOOTPRINTS}/{path.rpartition('/')[2]}"
        if array.dtype.kind != "f" or not _has(tree, group, str(name)):
            continue
        footprint = tree[group][str(name)]
        if footprint.dims == array.dims and footprint.shape == array.shape:
            dataset[name] = where(array, footprint.isin(list(wanted)))
    return dataset


def _has(tree: xr.DataTree, group: str, name: str) -> bool:
    try:
        return name in tree[group].data_vars
    except KeyError:
        return False


def where(array: xr.DataArray, mask: xr.DataArray) -> xr.DataArray:
    """Return a variable of real numbers, missing where a mask over its rows and columns is false."""
    data = mask.data
    if array.chunks is not None and hasattr(data, "rechunk"):
        data = data.rechunk(array.chunks[-2:])
    found = array.where(xr.DataArray(data, dims=array.dims[-2:]))
    found.encoding = without_packing(array)
    return found.assign_attrs(array.attrs)


def of_images(
    tree: xr.DataTree, *, burst: Sequence[str], polarisation: Sequence[str], swath: Sequence[str]
) -> xr.DataTree:
    """Return a product of radar with the chosen images and bursts alone; what is empty asks for all.

    Raises
    ------
    InputError
        There is no such image, or no image of radar at all.
    """
    from swath.product.sentinel1 import select  # noqa: PLC0415 -- only for products of Sentinel-1

    images = [node.attrs.get("stac_discovery", {}).get("properties", {}) for node in tree.children.values()]
    if not images or not all({"sar:polarizations", "sar:beam_ids"} <= set(told) for told in images):
        raise InputError(
            "bursts, swaths and polarisations are of images of Sentinel-1, which this product has not"
        )
    numbers: list[int | str] = [int(text) if text.isdecimal() and len(text) < 4 else text for text in burst]
    names = {"polarisation": [p.upper() for p in polarisation], "swath": [s.upper() for s in swath]}
    return select(
        tree,
        burst=numbers or None,
        polarisation=names["polarisation"] or None,
        swath=names["swath"] or None,
    )


def in_time(tree: xr.DataTree, text: str) -> xr.DataTree:
    """Return the rows of images that were taken within ``START/STOP`` (UTC; one of them may be empty).

    The stop is excluded.

    Raises
    ------
    InputError
        No row was taken then, or the rows have no times.
    """
    start, slash, stop = text.partition("/")
    if not slash or not (start or stop):
        raise InputError(f"time {text!r}: write START/STOP in UTC, as 2020-01-01T10:15/2020-01-01T10:16")
    low, high = (_instant(part) for part in (start, stop))
    image = image_of(tree)
    stamps = next((n["time_stamp"] for n in tree.subtree if "time_stamp" in n.variables), None)
    if image is not None and stamps is not None and stamps.dims == ("rows",):
        first, last = _rows(text, stamps.values, low, high)
        return cut_rows_and_columns(tree, image, Window((first, last), (0, image.shape[1])))
    return _in_times_of_images(tree, text, low, high)


def _in_times_of_images(
    tree: xr.DataTree, text: str, low: np.datetime64 | None, high: np.datetime64 | None
) -> xr.DataTree:
    """Cut images whose rows have a coordinate of times, and what else is on those rows; tables stay whole."""
    axes: dict[str, tuple[str, npt.NDArray[Any]]] = {}
    for node in tree.subtree:
        if "measurements" not in node.path.split("/"):
            continue
        for name, coordinate in node.to_dataset().coords.items():
            if coordinate.dims == (name,) and coordinate.dtype.kind == "M":
                axes[node.path.rpartition("/measurements")[0]] = (str(name), np.asarray(coordinate.values))
    if not axes:
        raise InputError("no rows with times to choose by time: give rows and columns as a window")
    every = np.concatenate([times for _, times in axes.values()])
    _rows(text, every, low, high)  # tells if there are none at all
    datasets = {}
    for node in tree.subtree:
        dataset = node.to_dataset(inherit=False)
        top = next((top for top in axes if f"{node.path}/".startswith(f"{top}/")), None)
        if top is not None:
            dimension, times = axes[top]
            inside = _inside(times, low, high)
            if not inside.any():
                continue  # another image's time
            if dimension in dataset.coords and np.array_equal(dataset[dimension].values, times):
                dataset = dataset.isel({dimension: inside})
        datasets[node.path] = dataset
    return xr.DataTree.from_dict(datasets)


def _inside(
    times: npt.NDArray[Any], low: np.datetime64 | None, high: np.datetime64 | None
) -> npt.NDArray[np.bool_]:
    found: npt.NDArray[np.bool_] = ~np.isnat(times)
    if low is not None:
        found = found & (times >= low)
    return found & (times < high) if high is not None else found


def _rows(
    text: str, times: npt.NDArray[Any], low: np.datetime64 | None, high: np.datetime64 | None
) -> tuple[int, int]:
    inside = np.flatnonzero(_inside(times, low, high))
    if not len(inside):
        raise InputError(f"time {text!r}: no rows were taken then; there are {times.min()}/{times.max()}")
    return int(inside[0]), int(inside[-1]) + 1


def _instant(text: str) -> np.datetime64 | None:
    if not text:
        return None
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise InputError(f"{text!r} is no time; write it as 2020-01-01T10:15:30") from None
    naive = time.astimezone(UTC).replace(tzinfo=None) if time.tzinfo else time
    return np.datetime64(naive, "ns")

"""SEN3 products with every file that eopf's mappings name, after a real manifest: the numbers are made.

No sample has all files of a Sentinel-3 product, and eopf converts none that lacks one. The names of files,
variables and dimensions, the types and the attributes are those of its mappings.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5netcdf
import h5py
import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

ROWS, COLUMNS = 60, 129
"""Of the images of OLCI and SYN; SLSTR has twice as many rows at 500 m."""

LENGTHS = {
    "rows": ROWS, "columns": COLUMNS, "tie_rows": ROWS, "tie_columns": 3, "removed_pixels": 5,
    "bands": 21, "bands2": 21, "pressure_level": 25, "tie_pressure_levels": 25, "wind_vector": 2,
    "wind_vectors": 2, "orphan_pixels": 4, "olci_tp": 180, "slstr_nadir_tp": 90, "slstr_oblique_tp": 70,
    "t_series": 3, "p_atmos": 25, "integrators": 2, "views": 2, "visible_detectors": 4, "swir_detectors": 6,
    "t_single": 1, "z_atmos": 1, "z_wind": 1,
}  # fmt: skip
GRID = re.compile(r"_(?P<grid>[abcfit])(?P<view>[nox])\.nc$")
LEGACY = {"scale_factor": 0.01, "add_offset": 2.5, "valid_min": 0, "valid_max": 120, "units": "K"}
"""Attributes that a mapping takes from the file."""


@dataclass
class Made:
    """A variable to write."""

    dimensions: tuple[str, ...]
    dtype: np.dtype[Any]
    attributes: dict[str, Any] = field(default_factory=dict)


def make_sen3(mapping: Path, manifest: str, folder: Path) -> Path:
    """Write a product after a mapping of eopf; `folder` names its kind."""
    folder.mkdir(parents=True)
    text = re.sub(r"(rows>)\d+(</)", rf"\g<1>{ROWS}\2", manifest)
    text = re.sub(r"(columns>)\d+(</)", rf"\g<1>{COLUMNS}\2", text)
    (folder / "xfdumanifest.xml").write_text(text)
    told = json.loads(mapping.read_text())
    files: dict[str, dict[str, Made]] = defaultdict(dict)
    dimensions: dict[str, set[str]] = defaultdict(set)
    for entry in told["data_mapping"]:
        file, _, name = (entry.get("source_path") or "").partition(":")
        if entry["accessor_id"] == "netcdf-dimension":
            dimensions[file].add(name)
        elif entry["accessor_id"] == "netcdf":
            made = variable(entry["transform"])
            if len(made.attributes) >= len(files[file].get(name, made).attributes):  # some are named twice
                files[file][name] = made
    for file, name in re.findall(
        r"(\w+[.]nc):(\w+)", json.dumps([told["stac_discovery"], told["other_metadata"]])
    ):
        if not name.startswith("dim_"):
            kind = np.dtype(object) if name == "calibration_time" else np.dtype("<i4")
            files[file].setdefault(name, Made((), kind))
    random = np.random.default_rng(1)
    for file in sorted(set(files) | set(dimensions)):
        write(folder / file, files[file], dimensions[file], random)
    return folder


def variable(transform: dict[str, Any]) -> Made:
    """Return a variable as an entry of a mapping has it."""
    told = transform.get("dimensions") or []
    dimensions = tuple(told["safe"] if isinstance(told, dict) else told)
    if "expand_dims" in transform:  # the mapping gives the file's own dimensions as those to come back to
        dimensions = tuple(transform["expand_dims"]["dimensions"])
    attributes = {"dtype": "<i2", **(transform.get("attributes") or transform.get("mask_and_scale") or {})}
    text = attributes.pop("dtype")
    stamp = text.startswith("<M8")
    dtype = np.dtype("<i8" if stamp else text)
    attributes.pop("coordinates", None)
    fill = attributes.pop("fill_value", None)
    for key, value in attributes.items():
        if isinstance(value, str) and value.startswith("from_legacy_attr:"):
            attributes[key] = (
                LEGACY[key] if key in ("scale_factor", "add_offset", "units") else dtype.type(LEGACY[key])
            )
        elif key in ("flag_masks", "flag_values") and not isinstance(value, str):
            attributes[key] = np.array(value, dtype)
    if fill is not None:
        attributes["_FillValue"] = fill
    if stamp:
        attributes["units"] = "microseconds since 2000-01-01 00:00:00"
    return Made(dimensions, dtype, attributes)


def write(path: Path, variables: dict[str, Made], alone: set[str], random: np.random.Generator) -> None:
    """Write a netCDF-4 file."""
    lengths = lengths_of(path)
    used = {name for made in variables.values() for name in made.dimensions} | alone
    for name in used & set(variables):
        variables[name].dimensions = (name,)
    with h5netcdf.File(path, "w") as file:
        file.attrs["start_time"] = "2021-10-21T07:38:27.254946Z"
        file.dimensions = {name: lengths[name] for name in sorted(used)}
        for name, made in variables.items():
            told = dict(made.attributes)
            if made.dtype.kind == "O":
                file.create_variable(name, made.dimensions, h5py.string_dtype())[...] = "20210930T200000"
                continue
            data = numbers(made, lengths, random)
            packed = {"chunks": tuple(min(n, 40) for n in data.shape), "compression": "gzip", "shuffle": True}
            stored = file.create_variable(
                name, made.dimensions, made.dtype, data=data, fillvalue=told.pop("_FillValue", None),
                **(packed if data.ndim else {}),
            )  # fmt: skip
            stored.attrs.update(told)


def lengths_of(path: Path) -> dict[str, int]:
    """Return the length of each dimension in a file."""
    found = defaultdict(lambda: 7, LENGTHS)
    found["detectors"] = 50
    if path.parent.name[4:6] == "SL":
        match = GRID.search(path.name)
        grid, view = (match["grid"], match["view"]) if match else ("i", "n")
        fine = grid in "abc"
        across = (150 if fine else 75) // (2 if view == "o" else 1)
        found |= {"rows": 2 * ROWS if fine else ROWS, "columns": 9 if grid == "t" else across, "detectors": 4}
    return found


def numbers(made: Made, lengths: dict[str, int], random: np.random.Generator) -> Any:
    """Return made numbers: times that go on, counts below 100, real numbers around nought."""
    shape = tuple(lengths[dimension] for dimension in made.dimensions)
    if made.dtype == np.dtype("<i8") and shape:
        return (688_030_725_254_946 + 44_001 * np.arange(np.prod(shape))).reshape(shape)
    if made.dtype.kind == "f":
        return random.normal(size=shape).astype(made.dtype)
    return np.asarray(random.integers(1, 100, shape)).astype(made.dtype)

"""Orbit files: restituted and precise orbits (``AUX_RESORB``, ``AUX_POEORB``), predicted and resampled ones.

Source: Earth Observation Mission CFI Software, Orbit Files (PE-TN-ESA-GS-0001 for the header).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
import xarray as xr

from swath.errors import MetadataError, ProductError
from swath.io.metering import Counts, count
from swath.io.xml import MAX_BYTES, parse
from swath.product._fields import Fields
from swath.product._table import Table, moment

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["ORBIT", "OrbitReader", "read_orbit"]


def read_orbit(location: str | os.PathLike[str]) -> xr.Dataset:
    """Read an orbit file (``.EOF``).

    Parameters
    ----------
    location
        Path or URL of the file; :func:`swath.open_product` makes a product of it, and takes a zip or a
        directory with one such file in it, too.

    Returns
    -------
    Dataset
        ``position`` (m) and ``velocity`` (m/s) by ``azimuth_time`` (UTC) and ``axis``, in the frame that the
        attribute ``reference_frame`` tells; ``absolute_orbit`` and ``quality``. Names are those of the orbits
        in SLC and GRD products.

    Raises
    ------
    ProductError
        There is no such file, or it cannot be read.
    MetadataError
        It is no orbit file, or malformed.
    """
    text = os.fspath(location)
    try:
        filesystem, path = fsspec.core.url_to_fs(text)
        size = int(filesystem.size(path) or 0)
        if size > MAX_BYTES:
            raise MetadataError(f"{text} has {size} bytes, expected at most {MAX_BYTES}: it is no orbit file")
        data: bytes = filesystem.cat_file(path)
    except (OSError, ImportError, ValueError) as error:
        raise ProductError(f"cannot read {text} ({error}): give the path of an orbit file (.EOF)") from None
    count(Counts(bytes=len(data), requests=1))
    return _dataset(Fields(parse(data, text), text))


class OrbitReader:
    """Reads an orbit file, or a directory or zip with one in it; see :class:`swath.product.Reader`."""

    looks_for = "an orbit file (one *.EOF)"

    def can_read(self, store: Store) -> bool:
        """Tell whether there is an orbit file and nothing else."""
        names = store.names()
        return len(names) == 1 and names[0].upper().endswith(".EOF")

    def open(self, store: Store) -> xr.DataTree:
        """Return the orbit as the root and only node of a tree."""
        (name,) = store.names()
        orbit = _dataset(Fields.read(store, name))
        told = orbit.attrs
        discovery: dict[str, Any] = {
            "type": "Feature",
            "stac_version": "1.1.0",
            "stac_extensions": [],
            "id": told["file_name"],
            "geometry": None,
            "properties": {
                "datetime": None,
                "start_datetime": f"{told['validity_start']}Z",
                "end_datetime": f"{told['validity_stop']}Z",
                "platform": told["mission"].lower().replace("sentinel1", "sentinel-1"),
                "product:type": told["file_type"],
            },
            "links": [],
            "assets": {},
        }
        return xr.DataTree(orbit.assign_attrs(stac_discovery=discovery))


ORBIT = OrbitReader()


def _dataset(root: Fields) -> xr.Dataset:
    space = "{*}" if "}" in str(root.element.tag) else ""

    def path(*parts: str) -> str:
        return "/".join(f"{space}{part}" for part in parts)

    table = Table.of(root, path("Data_Block", "List_of_OSVs", "OSV"))
    if not len(table):
        raise root.error("there is no List_of_OSVs with orbit state vectors: it is no orbit file")
    axes = [[table.numbers(path(f"{kind}{axis}")) for axis in "XYZ"] for kind in ("", "V")]
    frame = root.find("Variable_Header/Ref_Frame") or root.find("Fixed_Header/Ref_Frame")
    header = root.get("Fixed_Header")
    times = table.moments(path("UTC"))
    if (np.diff(times) <= np.timedelta64(0, "ns")).any():
        raise root.error("the times of the state vectors do not increase")
    return xr.Dataset(
        {
            "position": (("azimuth_time", "axis"), np.stack(axes[0], -1), {"units": "m"}),
            "velocity": (("azimuth_time", "axis"), np.stack(axes[1], -1), {"units": "m/s"}),
            "absolute_orbit": ("azimuth_time", table.numbers(path("Absolute_Orbit"), np.int32)),
            "quality": ("azimuth_time", np.array(table.texts(path("Quality")))),
        },
        coords={"azimuth_time": times, "axis": list("xyz")},
        attrs={
            "file_name": header.text("File_Name"),
            "file_type": header.text("File_Type"),
            "mission": header.text("Mission"),
            "validity_start": str(
                moment(header.text("Validity_Start"), header, "Validity_Start").astype("M8[s]")
            ),
            "validity_stop": str(
                moment(header.text("Validity_Stop"), header, "Validity_Stop").astype("M8[s]")
            ),
            "reference_frame": frame.text() if frame else "",
        },
    )

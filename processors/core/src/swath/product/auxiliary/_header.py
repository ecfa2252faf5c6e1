"""Headers of auxiliary files: what a file is, and for which time it holds.

Source: Earth Observation Ground Segment File Format Standard (PE-TN-ESA-GS-0001), header of two-file
products.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath.product._table import moment

if TYPE_CHECKING:
    import numpy as np

    from swath.io.store import Store
    from swath.product._fields import Fields

__all__ = ["header_attributes", "paired_file", "validity"]


def paired_file(store: Store, kind: str) -> str | None:
    """Return the name, without ending, of the one pair of ``.HDR`` and ``.DBL`` files of a kind."""
    names = store.names()
    stems = {name[:-4] for name in names if name.upper().endswith(".HDR") and kind in name}
    found = [stem for stem in stems if f"{stem}.DBL" in names or f"{stem}.dbl" in names]
    return found[0] if len(found) == 1 and "/" not in found[0] else None


def validity(header: Fields) -> tuple[np.datetime64, np.datetime64]:
    """Return the times between which the file holds, UTC."""
    start, stop = (
        moment(header.text(f"Fixed_Header/Validity_Period/{name}"), header, name)
        for name in ("Validity_Start", "Validity_Stop")
    )
    if stop < start:
        raise header.error(f"the validity ends ({stop}) before it starts ({start})")
    return start, stop


def header_attributes(header: Fields) -> dict[str, Any]:
    """Return ``stac_discovery`` and ``other_metadata`` of what a header describes."""
    start, stop = (f"{time.astype('M8[s]')}Z" for time in validity(header))
    made = moment(header.text("Fixed_Header/Source/Creation_Date"), header, "Creation_Date")
    mission = header.text("Fixed_Header/Mission").lower()
    discovery: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": [],
        "id": header.text("Fixed_Header/File_Name"),
        "geometry": None,
        "properties": {
            "datetime": None,
            "start_datetime": start,
            "end_datetime": stop,
            "created": f"{made.astype('M8[s]')}Z",
            "platform": mission,
            "constellation": "sentinel-2",
            "product:type": header.text("Fixed_Header/File_Type"),
            "processing:version": header.text("Fixed_Header/File_Version"),
        },
        "links": [],
        "assets": {},
    }
    description = header.text("Fixed_Header/File_Description")
    return {
        "stac_discovery": discovery,
        "other_metadata": {"eopf_category": "auxiliary", "description": description},
    }

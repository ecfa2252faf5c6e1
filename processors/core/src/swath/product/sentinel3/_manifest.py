"""What the manifest of a SEN3 product says (``xfdumanifest.xml``).

Source: S3IPF PDS 002, Product Data Format Specification, Product Structures; manifests of the samples.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from swath.errors import MetadataError, ProductError
from swath.io.store import safe_name
from swath.product._fields import Fields
from swath.product.sentinel3._description import description

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["MANIFEST", "Band", "Manifest", "read_manifest"]

MANIFEST = "xfdumanifest.xml"

_NAME = re.compile(
    r"S3(?P<letter>[A-Z_])_(?P<kind>[A-Z]{2}_\d_[A-Z0-9_]{6})_(?P<start>\d{8}T\d{6})_(?P<stop>\d{8}T\d{6})_\d{8}T\d{6}_.*"
)
"""Name of a product; S3IPF PDS 002, section 4."""

_HREF = re.compile(r"(?:\./)?(?P<name>[^/].*)")


@dataclass(frozen=True, slots=True)
class Band:
    """A spectral band of OLCI, in nanometres."""

    name: str
    """In lower case, ``oa01``."""
    central: float
    width: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """What the manifest says of the product; times are UTC."""

    identifier: str
    """Name of the product, without ``.SEN3``."""
    kind: str
    """Type of the product without the underscores at its end, ``OL_1_EFR``."""
    letter: str
    """Of the platform, ``A``; ``_`` where several platforms contributed."""
    designator: str
    """International designator of the platform, ``2016-011A``, or empty."""
    start: datetime
    stop: datetime
    created: datetime
    timeliness: str
    """NR, NT or ST."""
    baseline: str
    """Baseline collection, ``002``."""
    absolute_orbit: int | None
    relative_orbit: int | None
    cycle: int | None
    orbit_state: str | None
    """``ascending`` or ``descending``."""
    facility: str
    software: dict[str, str]
    """Name → version of what made this product (not what it was made from)."""
    footprint: tuple[tuple[float, float], ...]
    """Longitude and latitude, degrees; empty where it is not told."""
    bands: tuple[Band, ...]
    shape: tuple[int, int] | None
    """Rows and columns of the image, where they are told."""
    files: dict[str, int]
    """Name of each file → its size in bytes."""
    acquisition: str = ""
    """Mode of the instrument, ``EO`` for observing the Earth, or empty."""
    described: dict[str, Any] = field(default_factory=dict)
    """What else it says, as ``other_metadata`` has it."""

    @property
    def level(self) -> str:
        """``L1`` or ``L2``."""
        return f"L{self.kind[3]}"

    @property
    def product_type(self) -> str:
        """Type of the EOPF product, ``S03OLCEFR``."""
        instrument = {"OL": "OLC", "SL": "SLS", "SY": "SYN"}.get(self.kind[:2], self.kind[:2])
        name = "SDR" if self.kind == "SY_2_SYN" else self.kind[5:]
        return f"S03{instrument}{name}"


def read_manifest(store: Store) -> Manifest:
    """Read the manifest.

    Raises
    ------
    MetadataError
        It is malformed, or lacks what every product has.
    """
    root = Fields.read(store, MANIFEST)
    general = root.get("generalProductInformation")
    name = general.text("productName").removesuffix(".SEN3")
    found = _NAME.fullmatch(name)
    if found is None:
        raise general.error(f"productName is {name!r}, expected a name like S3A_OL_1_EFR____20200101T…")
    orbit = root.find("orbitReference")
    direction = orbit.find("orbitNumber") if orbit else None
    state = str(direction.element.get("groundTrackDirection", "")).lower() if direction else ""
    facility, software = _processing(root)
    return Manifest(
        identifier=name,
        kind=found["kind"].rstrip("_"),
        letter=found["letter"],
        designator=_optional(root, "platform/nssdcIdentifier"),
        start=root.time("acquisitionPeriod/startTime"),
        stop=root.time("acquisitionPeriod/stopTime"),
        created=_compact_time(general, "creationTime"),
        timeliness=_optional(general, "timeliness"),
        baseline=_optional(general, "baselineCollection"),
        absolute_orbit=_number(orbit, "orbitNumber"),
        relative_orbit=_number(orbit, "relativeOrbitNumber"),
        cycle=_number(orbit, "cycleNumber"),
        orbit_state=state if state in ("ascending", "descending") else None,
        facility=facility,
        software=software,
        footprint=_footprint(root),
        bands=tuple(_band(band) for band in root.all("bandDescriptions/band")),
        shape=_pair(root, "imageSize/rows", "imageSize/columns"),
        files=_files(store, root),
        acquisition=_mode(root),
        described=description(root),
    )


def _mode(root: Fields) -> str:
    mode = root.find("platform/instrument/mode")
    return "" if mode is None else str(mode.element.get("identifier", ""))


def _optional(fields: Fields, path: str) -> str:
    found = fields.find(path)
    return "" if found is None else (found.element.text or "").strip()


def _number(fields: Fields | None, path: str) -> int | None:
    if fields is None or fields.find(path) is None:
        return None
    return fields.whole(path, low=0, high=10**9)


def _pair(root: Fields, rows: str, columns: str) -> tuple[int, int] | None:
    if root.find(rows) is None or root.find(columns) is None:
        return None
    return root.whole(rows, low=1, high=10**6), root.whole(columns, low=1, high=10**6)


def _compact_time(fields: Fields, path: str) -> datetime:
    text = fields.text(path)
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        raise fields.error(f"{path} is {text!r}, expected a time like 20200102T141102") from None


def _processing(root: Fields) -> tuple[str, dict[str, str]]:
    processing = root.find("processing")
    if processing is None:
        return "", {}
    facility = processing.element.find("{*}facility")
    if facility is None:
        return "", {}
    software = {
        str(found.get("name", "")): str(found.get("version", "")) for found in facility.findall("{*}software")
    }
    return str(facility.get("name", "")), software


def _footprint(root: Fields) -> tuple[tuple[float, float], ...]:
    """Return the outline; the list goes latitude, longitude."""
    found = root.find("footPrint/posList")
    if found is None:
        return ()
    try:
        numbers = [float(text) for text in (found.element.text or "").split()]
    except ValueError:
        raise found.error("posList is no list of numbers") from None
    pairs = tuple(zip(numbers[1::2], numbers[::2], strict=False))
    if len(numbers) % 2 or len(pairs) < 3 or not all(abs(x) <= 360 and abs(y) <= 90 for x, y in pairs):
        raise found.error("posList is no outline of latitudes and longitudes")
    return pairs


def _band(fields: Fields) -> Band:
    return Band(
        name=str(fields.element.get("name", "")).lower(),
        central=fields.number("centralWavelength", low=1, high=1e6),
        width=fields.number("bandwidth", low=0, high=1e6),
    )


def _files(store: Store, root: Fields) -> dict[str, int]:
    files = {}
    for stream in root.all("dataObjectSection/dataObject/byteStream"):
        href = stream.get("fileLocation").element.get("href", "")
        name = _HREF.fullmatch(str(href))
        try:
            place = safe_name(name["name"] if name else "")
        except ProductError as error:
            raise MetadataError(f"{store.location}: {MANIFEST}: {error}") from None
        files[place] = stream.attribute("size", high=1 << 40)
    return files

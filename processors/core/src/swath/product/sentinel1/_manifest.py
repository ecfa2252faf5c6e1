"""What ``manifest.safe`` tells of a Sentinel-1 product: its identity, its orbit, and its files."""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from swath.io.store import safe_name
from swath.io.xml import MAX_BYTES, parse
from swath.product._fields import Fields

if TYPE_CHECKING:
    from datetime import datetime

    from swath.io.store import Store

__all__ = ["MANIFEST", "DataObject", "Manifest", "read_kind", "read_manifest"]

MANIFEST = "manifest.safe"

_VERSION = re.compile(r"esa/safe/sentinel-1[.]\d/sentinel-1/([a-z0-9/-]+)")


@dataclass(frozen=True, slots=True)
class DataObject:
    """A file that the manifest names."""

    kind: str
    """Identifier of its schema, ``s1Level1MeasurementSchema``."""
    name: str
    """Name of the file in the product."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Identity, orbit and files of a SAR product of level 0 or 1."""

    level: int
    start: datetime
    stop: datetime
    created: datetime
    unit: str
    """Letter of the satellite, ``B``."""
    designator: str
    """International designator of the satellite, ``2016-025A``."""
    mode: str
    """``IW``, ``EW``, ``WV``, or a strip map beam (``S1`` to ``S6``)."""
    product_type: str
    """``SLC``, ``GRD`` or ``RAW``."""
    polarisations: tuple[str, ...]
    """``VV``, ``VH``, in the order of the manifest."""
    absolute_orbit: int
    relative_orbit: int
    cycle: int
    orbit_state: str
    """``descending`` or ``ascending``."""
    ascending_node: datetime | None
    datatake: int
    timeliness: str
    """``Fast-24h``; empty where it is not told."""
    facility: str
    software: dict[str, str]
    """Version of each processor."""
    footprint: list[tuple[float, float]]
    """Longitude and latitude of a closed polygon, degrees."""
    objects: tuple[DataObject, ...]
    product_class: str
    """``S`` (standard), ``A`` (annotation), ``N`` (noise), ``C`` (calibration)."""
    checksum: int
    """CRC-16-CCITT of the manifest, with which the product's name ends."""

    def identifier(self, resolution: str = "") -> str:
        """Return the name of the product without ``.SAFE``, whatever its folder is called.

        ``resolution`` is the letter that ground range products have (``F``, ``H``, ``M``).
        """
        return (
            f"S1{self.unit}_{self.mode}_{self.product_type + resolution:_<4}_{self.level}{self.product_class}"
            f"{_dual(self.polarisations)}_"
            f"{self.start:%Y%m%dT%H%M%S}_{self.stop:%Y%m%dT%H%M%S}_{self.absolute_orbit:06d}_{self.datatake:06X}_{self.unique}"
        )

    @property
    def unique(self) -> str:
        """Four hexadecimal digits at the end of the product's name."""
        return f"{self.checksum:04X}"

    @property
    def platform(self) -> str:
        """Name of the satellite in STAC, ``sentinel-1b``."""
        return f"sentinel-1{self.unit.lower()}"

    @property
    def mode_family(self) -> str:
        """Mode with all strip map beams called ``SM``."""
        return "SM" if re.fullmatch(r"S\d", self.mode) else self.mode

    def files(self, kind: str) -> list[str]:
        """Return the names of the files of a schema."""
        return [found.name for found in self.objects if found.kind == kind]


def read_kind(store: Store) -> str:
    """Return what the manifest says the product is, ``sar/level-1/slc/standard/iwdp``, or nothing."""
    root = parse(store.read_document(MANIFEST, MAX_BYTES), f"{store.location}: {MANIFEST}")
    found = _VERSION.fullmatch(str(root.get("version", "")))
    return found[1] if found else ""


def read_manifest(store: Store) -> Manifest:
    """Read the manifest.

    Raises
    ------
    MetadataError
        Malformed, incomplete, or with values that make no sense.
    ProductError
        It names files that lead out of the product.
    """
    data = store.read_document(MANIFEST, MAX_BYTES)
    file = f"{store.location}: {MANIFEST}"
    root = Fields(parse(data, file), file)
    info = root.get("standAloneProductInformation")
    platform = root.get("platform")
    orbit = root.get("orbitReference")
    level, kind = _kind(root)
    mode = _matching(platform, "instrumentMode/mode", r"IW|EW|WV|SM|S[1-6]|EN|AN|IM|RF")
    swaths = [found.text() for found in platform.all("instrumentMode/swath")]
    if mode == "SM":
        mode = swaths[0] if swaths and re.fullmatch(r"S[1-6]", swaths[0]) else mode
    polarisations = tuple(dict.fromkeys(_polarisations(info)))
    processing = root.get("processing")
    node = orbit.find("orbitProperties/ascendingNodeTime")
    return Manifest(
        level=level,
        start=root.time("acquisitionPeriod/startTime"),
        stop=root.time("acquisitionPeriod/stopTime"),
        created=processing.attribute_time("stop"),
        unit=_matching(platform, "number", "[A-Z]"),
        designator=platform.text("nssdcIdentifier"),
        mode=mode,
        product_type=kind,
        polarisations=polarisations,
        absolute_orbit=orbit.whole("orbitNumber", low=1, high=10**7),
        relative_orbit=orbit.whole("relativeOrbitNumber", low=1, high=175),
        cycle=orbit.whole("cycleNumber", low=0, high=10**5),
        orbit_state=_matching(orbit, "orbitProperties/pass", "(?i)ascending|descending").lower(),
        ascending_node=orbit.time("orbitProperties/ascendingNodeTime") if node else None,
        datatake=info.whole("missionDataTakeID", low=0, high=(1 << 32) - 1),
        timeliness=info.text("productTimelinessCategory") if info.find("productTimelinessCategory") else "",
        facility=str(processing.get("facility").element.get("name", "")),
        software={
            str(s.element.get("name", "")): str(s.element.get("version", ""))
            for s in processing.all("facility/software")
        },
        footprint=_footprint(root),
        objects=_objects(root),
        product_class=_matching(info, "productClass", "[A-Z]"),
        checksum=binascii.crc_hqx(data, 0xFFFF),
    )


def _kind(root: Fields) -> tuple[int, str]:
    """Return level and type."""
    version = str(root.element.get("version", ""))
    found = re.search(r"/sar/level-(\d)/(slc|grd|ocn|standard)?", version)
    if found is None:
        raise root.error(
            f"version is {version!r}, expected one like "
            "esa/safe/sentinel-1.0/sentinel-1/sar/level-1/slc/standard/iwdp"
        )
    kind = "RAW" if found[1] == "0" else str(found[2] or "").upper()
    return int(found[1]), kind


def _dual(polarisations: tuple[str, ...]) -> str:
    """Return polarisations as a product's name has them: DV for VV and VH, SH for HH alone."""
    transmitted = polarisations[0][0]
    if len(polarisations) > 1:
        return f"D{transmitted}"
    return f"S{transmitted}" if polarisations[0][0] == polarisations[0][1] else polarisations[0]


def _polarisations(info: Fields) -> list[str]:
    found = [p.text() for p in info.all("transmitterReceiverPolarisation")]
    if not found or not all(re.fullmatch("[HV]{2}", p) for p in found):
        raise info.error(f"transmitterReceiverPolarisation is {found}, expected some of HH, HV, VH, VV")
    return found


def _matching(fields: Fields, path: str, pattern: str) -> str:
    text = fields.text(path)
    if not re.fullmatch(pattern, text):
        raise fields.error(f"{path} is {text!r}, expected something like {pattern!r}")
    return text


def _footprint(root: Fields) -> list[tuple[float, float]]:
    """Return the closed outline of all frames' corners (wave mode has a frame for each image)."""
    points: list[tuple[float, float]] = []
    for frame in root.all("footPrint/coordinates"):
        try:
            pairs = [tuple(map(float, pair.split(","))) for pair in frame.text().split()]
            ring = [(x, y) for y, x in pairs]
        except ValueError:
            raise frame.error("coordinates is no list of latitudes and longitudes") from None
        if len(ring) < 3 or not all(abs(x) <= 180 and abs(y) <= 90 for x, y in ring):
            raise frame.error("coordinates is no polygon of latitudes and longitudes")
        points = points or (ring if ring[0] == ring[-1] else [*ring, ring[0]])
    if not points:
        raise root.error("footPrint/coordinates is missing")
    return points


def _objects(root: Fields) -> tuple[DataObject, ...]:
    found = []
    for entry in root.all("dataObject"):
        href = entry.get("fileLocation").element.get("href")
        if not href:
            raise entry.error("fileLocation has no href")
        schema = str(entry.element.get("repID", ""))  # codespell:ignore repid
        found.append(DataObject(schema, safe_name(str(href))))
    return tuple(found)

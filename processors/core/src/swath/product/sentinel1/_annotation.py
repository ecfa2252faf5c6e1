"""The annotation of an image: its axes, its bursts, and the document that the conditions come from.

Source: Sentinel-1 Product Specification (S1-RS-MDA-52-7441), section 6.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.product._fields import Fields
from swath.product._table import Table

if TYPE_CHECKING:
    from swath.io.store import Store

__all__ = ["Axes", "Burst", "ImageAnnotation", "read_annotation"]

_MAX_SIDE = 1_000_000


@dataclass(frozen=True)
class Axes:
    """What lines and pixels of an image mean."""

    ground: bool
    """Whether columns are on the ground (GRD) rather than in slant range (SLC)."""
    range_start: float
    """Two-way slant range time of the first column, in seconds; 0 on the ground."""
    range_step: float
    """Of a column: seconds, or metres on the ground."""
    line_step: float
    """Seconds between lines (of one burst)."""

    @property
    def name(self) -> str:
        """Name of the dimension of columns."""
        return "ground_range" if self.ground else "slant_range_time"

    def columns(self, pixels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Return the coordinate of columns."""
        return self.range_start + self.range_step * pixels.astype(np.float64)

    def attributes(self) -> dict[str, str]:
        """Return attributes of the coordinate of columns."""
        if self.ground:
            return {"long_name": "ground range from the first column", "units": "m"}
        return {"long_name": "two-way slant range time", "units": "s"}


@dataclass(frozen=True)
class Burst:
    """A burst of a TOPS image, or all of an image that has none."""

    name: str
    """Its identifier, or where the annotation has none, its number from 0 on; empty without bursts."""
    start: np.datetime64
    """Zero Doppler time of the first line."""
    lines: tuple[int, int]
    """First line, and the line after the last."""
    first_valid: npt.NDArray[np.int64] | None
    """First valid sample of each line, -1 where there is none."""
    last_valid: npt.NDArray[np.int64] | None
    attributes: dict[str, Any]


@dataclass(frozen=True)
class ImageAnnotation:
    """The annotation of one image."""

    root: Fields
    swath: str
    polarisation: str
    product_type: str
    number: int
    """Number of the image in the product, from 1 on."""
    shape: tuple[int, int]
    axes: Axes
    bursts: tuple[Burst, ...]
    spacing: tuple[float, float]
    """Metres between lines and between columns."""


def read_annotation(store: Store, name: str) -> ImageAnnotation:
    """Read the annotation of an image.

    Raises
    ------
    MetadataError
        Malformed, incomplete, or with values that make no sense.
    """
    root = Fields.read(store, name)
    header = Table.of(root, "adsHeader")
    if len(header) != 1 or root.element.find("imageAnnotation/imageInformation") is None:
        raise root.error("adsHeader or imageInformation is missing: this is no annotation of an image")
    info = root.get("imageInformation")
    kind = header.texts("productType")[0]
    ground = kind == "GRD"
    spacing = (
        info.number("azimuthPixelSpacing", low=1e-3, high=1e5),
        info.number("rangePixelSpacing", low=1e-3, high=1e5),
    )
    axes = Axes(
        ground=ground,
        range_start=0.0 if ground else info.number("slantRangeTime", low=1e-4, high=1.0),
        range_step=spacing[1]
        if ground
        else 1 / root.number("productInformation/rangeSamplingRate", low=1e3, high=1e12),
        line_step=info.number("azimuthTimeInterval", low=1e-9, high=1.0),
    )
    shape = (
        info.whole("numberOfLines", low=1, high=_MAX_SIDE),
        info.whole("numberOfSamples", low=1, high=_MAX_SIDE),
    )
    return ImageAnnotation(
        root=root,
        swath=header.texts("swath")[0],
        polarisation=header.texts("polarisation")[0],
        product_type=kind,
        number=int(header.numbers("imageNumber", np.int64)[0]),
        shape=shape,
        axes=axes,
        bursts=_bursts(root, Table.of(info, ".").moments("productFirstLineUtcTime")[0], shape),
        spacing=spacing,
    )


def _bursts(root: Fields, start: np.datetime64, shape: tuple[int, int]) -> tuple[Burst, ...]:
    table = Table.of(root, "swathTiming/burstList/burst")
    if not len(table):
        return (Burst("", start, (0, shape[0]), None, None, {}),)
    lines = root.whole("swathTiming/linesPerBurst", low=1, high=_MAX_SIDE)
    if lines * len(table) != shape[0]:
        raise root.error(f"{len(table)} bursts of {lines} lines, but the image has {shape[0]} lines")
    names = [(row.findtext("burstId") or str(k)).strip() for k, row in enumerate(table.rows)]
    valid = [table.matrix(f"{which}ValidSample", np.int64) for which in ("first", "last")]
    if any(v.shape[1] != lines for v in valid) or len(set(names)) != len(names):
        raise root.error(
            f"firstValidSample or lastValidSample is not of {lines} lines, or two bursts are one"
        )
    times, sensing = table.moments("azimuthTime"), table.moments("sensingTime")
    nodes = table.numbers("azimuthAnxTime")
    return tuple(
        Burst(
            name=names[k],
            start=times[k],
            lines=(k * lines, (k + 1) * lines),
            first_valid=valid[0][k],
            last_valid=valid[1][k],
            attributes={
                "burst_index": k,
                "sensing_time": f"{sensing[k]}",
                "azimuth_anx_time": float(nodes[k]),
            },
        )
        for k in range(len(table))
    )

"""Chunks of the masks of products before baseline 04.00: polygons in GML, drawn on a band's grid."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.errors import MetadataError
from swath.io.metering import Counts, count
from swath.io.silence import SILENCE
from swath.io.xml import MAX_BYTES, parse
from swath.product.window import Window

if TYPE_CHECKING:
    from lxml import etree

    from swath.io.store import Store
    from swath.product.grid import Grid

__all__ = ["Polygons", "detector_of"]

_GML = "{http://www.opengis.net/gml/3.2}"
_EOP = "{http://www.opengis.net/eop/2.0}"
Feature = tuple[str, str, tuple[tuple[tuple[float, float], ...], ...]]
"""Type of mask, identifier, and rings (the outer one first) of a polygon, in the grid's reference system."""


@dataclass(frozen=True)
class Polygons:
    """Chunks drawn from polygons; see :class:`swath.product.ChunkSource`. Each reads the files whole.

    A pixel has what the polygons tell at its centre.
    """

    store: Store
    files: tuple[str, ...]
    sizes: tuple[int, ...]
    """Bytes of each file."""
    grid: Grid
    chunk_shape: tuple[int, int]
    flags: tuple[tuple[str, int], ...]
    """Value of each type of mask, put together bit by bit; empty where the value is the detector's number."""

    leading = ()

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.grid.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """A byte."""
        return np.dtype(np.uint8)

    def __dask_tokenize__(self) -> tuple[Any, ...]:
        return self.store.identity, self.files, self.sizes, self.grid, self.chunk_shape, self.flags

    def chunk_bytes(self, row: int, column: int) -> int:  # noqa: ARG002 -- all chunks read the same
        """Return the bytes of all files together."""
        return sum(self.sizes)

    def read(self, row: int, column: int) -> npt.NDArray[Any]:
        """Read the polygons and draw one chunk of them."""
        from rasterio.features import rasterize  # noqa: PLC0415 -- only needed where masks are read
        from rasterio.transform import Affine  # noqa: PLC0415

        top, left = row * self.chunk_shape[0], column * self.chunk_shape[1]
        shape = (
            min(self.chunk_shape[0], self.shape[0] - top),
            min(self.chunk_shape[1], self.shape[1] - left),
        )
        window = Window((top, top + shape[0]), (left, left + shape[1]))
        transform = Affine(*self.grid.crop(window).transform)
        out = np.zeros(shape, np.uint8)
        for value, shapes in self._shapes().items():
            with SILENCE:  # rasterio puts a warning of its own off
                drawn = rasterize(
                    shapes, out_shape=shape, transform=transform, default_value=1, dtype=np.uint8
                )
            out[drawn != 0] = (out | value)[drawn != 0] if self.flags else value
        count(Counts(chunks=1))
        return out

    def _shapes(self) -> dict[int, list[dict[str, Any]]]:
        """Return the polygons of each value."""
        values = dict(self.flags)
        shapes: dict[int, list[dict[str, Any]]] = {}
        for file in self.files:
            for kind, identifier, rings in _features(
                self.store.read_document(file, MAX_BYTES), f"{self.store.location}: {file}"
            ):
                value = values.get(kind, 0) if self.flags else detector_of(identifier)
                if value:
                    shapes.setdefault(value, []).append({"type": "Polygon", "coordinates": rings})
        return dict(sorted(shapes.items()))


def detector_of(identifier: str) -> int:
    """Return the detector's number from the identifier of its footprint, ``detector_footprint-B01-07-0``."""
    found = re.fullmatch(r"detector_footprint-B\w{2}-(\d\d)-\d+", identifier)
    return int(found[1]) if found else 0


@lru_cache(maxsize=64)
def _features(data: bytes, name: str) -> tuple[Feature, ...]:
    """Return the polygons of a mask; remembered by content, since each chunk reads the file anew."""
    found = []
    for feature in parse(data, name).iter(f"{_EOP}MaskFeature"):
        kind = (feature.findtext(f"{_EOP}maskType") or "").strip()
        for polygon in feature.iter(f"{_GML}Polygon"):
            rings = tuple(_ring(ring, name) for ring in polygon.iter(f"{_GML}posList"))
            if rings:
                found.append((kind, str(feature.get(f"{_GML}id", "")), rings))
    return tuple(found)


def _ring(element: etree._Element, name: str) -> tuple[tuple[float, float], ...]:
    dimension = int(element.get("srsDimension", "2")) if element.get("srsDimension", "2") in ("2", "3") else 0
    try:
        values = [float(value) for value in (element.text or "").split()]
    except ValueError:
        values = []
    points = tuple(zip(values[0::dimension], values[1::dimension], strict=False)) if dimension else ()
    if not dimension or len(values) % dimension or len(points) < 4:
        raise MetadataError(
            f"{name}, line {element.sourceline}: posList is no ring of positions; get the product again"
        )
    return points

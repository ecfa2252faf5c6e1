"""Reading fields of metadata: each error names the file, the field, what is there and what is expected."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from swath.errors import MetadataError
from swath.io.xml import MAX_BYTES, parse

if TYPE_CHECKING:
    from lxml import etree

    from swath.io.store import Store

__all__ = ["Fields"]


@dataclass(frozen=True)
class Fields:
    """An element of a document and those below it; paths (``Tile_Angles/Values``) have no namespaces."""

    element: etree._Element
    file: str

    @property
    def name(self) -> str:
        """Name of the element, without its namespace."""
        return str(self.element.tag).rpartition("}")[2]

    @classmethod
    def read(cls, store: Store, name: str) -> Fields:
        """Parse a document of a product."""
        return cls(
            parse(store.read_document(name, MAX_BYTES), f"{store.location}: {name}"),
            f"{store.location}: {name}",
        )

    def find(self, path: str) -> Fields | None:
        """Return the first element below this one that a path leads to, at whatever depth it starts."""
        found = self.element.find(_below(path))
        return None if found is None else Fields(found, self.file)

    def get(self, path: str) -> Fields:
        """Return the first element that a path leads to."""
        found = self.find(path)
        if found is None:
            raise self.error(f"{path} is missing")
        return found

    def all(self, path: str) -> list[Fields]:
        """Return all elements that a path leads to."""
        return [Fields(found, self.file) for found in self.element.findall(_below(path))]

    def text(self, path: str = "") -> str:
        """Return the text of the element that a path leads to, or of this one."""
        element = self.get(path).element if path else self.element
        text = (element.text or "").strip()
        if not text:
            raise self.error(f"{path or self.name} is empty")
        return text

    def number(self, path: str = "", *, low: float = -math.inf, high: float = math.inf) -> float:
        """Return a finite number from ``low`` to ``high``, both included."""
        text = self.text(path)
        value = _number(text)
        if not low <= value <= high or not math.isfinite(value):
            raise self.error(f"{path or self.name} is {text!r}, expected a number from {low:g} to {high:g}")
        return value

    def whole(self, path: str = "", *, low: int, high: int) -> int:
        """Return a whole number from ``low`` to ``high``, both included."""
        value = self.number(path, low=low, high=high)
        if value != int(value):
            raise self.error(f"{path or self.name} is {value:g}, expected a whole number")
        return int(value)

    def time(self, path: str) -> datetime:
        """Return a time of UTC."""
        return self._as_time(path, self.text(path))

    def attribute_time(self, name: str) -> datetime:
        """Return an attribute that is a time of UTC."""
        return self._as_time(name, str(self.element.get(name, "")))

    def _as_time(self, path: str, text: str) -> datetime:
        try:
            return datetime.fromisoformat(text).astimezone(UTC) if text.endswith("Z") else _naive(text)
        except ValueError:
            raise self.error(f"{path} is {text!r}, expected a time like 2017-12-07T00:20:51.026Z") from None

    def attribute(self, name: str, *, high: int) -> int:
        """Return an attribute that is a whole number from 0 to ``high``."""
        text = str(self.element.get(name, ""))
        if not text.isdecimal() or int(text) > high:
            raise self.error(f"{self.name} has {name}={text!r}, expected a whole number from 0 to {high}")
        return int(text)

    def rows(self, path: str) -> npt.NDArray[np.float64]:
        """Return a grid of numbers (rows, columns), a row an element; NaN is a number here."""
        lines = [(line.element.text or "").split() for line in self.all(path)]
        try:
            grid = np.array(lines, dtype=np.float64)
        except ValueError:
            raise self.error(f"{path} is no grid of numbers") from None
        if grid.ndim != 2 or grid.size == 0:
            raise self.error(f"{path} is no grid of numbers: its rows differ in length, or it is empty")
        return grid

    def error(self, told: str) -> MetadataError:
        """Return the error that says what is wrong, and where."""
        return MetadataError(f"{self.file}, line {self.element.sourceline}: {told}; get the product again")


def _below(path: str) -> str:
    return ".//" + "/".join(f"{{*}}{part}" for part in path.split("/"))


def _naive(text: str) -> datetime:
    """Read a time without a zone: the metadata's times are all in UTC."""
    time = datetime.fromisoformat(text)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

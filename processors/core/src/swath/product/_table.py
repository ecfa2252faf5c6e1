"""Lists of metadata as columns: one child of each element becomes one array."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from swath.product._fields import Fields

if TYPE_CHECKING:
    from lxml import etree

    from swath.errors import MetadataError

__all__ = ["MAX_VALUES", "Table", "as_dict", "moment"]

MAX_VALUES = 50_000_000
"""More numbers than any list of an annotation has, after padding."""

_TRUTH = {"true": "1", "false": "0"}

_TIME = re.compile(r"(?:UTC=)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?)\d*Z?")


@dataclass(frozen=True)
class Table:
    """Elements of one kind; all have the same children."""

    owner: Fields
    """The element that the list belongs to, for messages."""
    path: str
    rows: list[etree._Element]

    @classmethod
    def of(cls, owner: Fields, path: str) -> Table:
        """Return the elements that a path of children leads to, maybe none."""
        return cls(owner, path, owner.element.findall(path))

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def _texts(self) -> list[dict[str, str | None]]:
        """Text of each child of each element, gathered once: looking for one child takes lxml as long."""
        # From the last one, so that of two of a name the first one stays.
        return [{str(c.tag): c.text for c in row.iterchildren(reversed=True)} for row in self.rows]

    def has(self, child: str) -> bool:
        """Tell whether the first element has a child: schemas differ in what they tell."""
        return bool(self.rows) and self.rows[0].find(child) is not None

    def texts(self, child: str) -> list[str]:
        """Return the text of a child of each element."""
        if "/" in child or "{" in child:
            found = [(row.findtext(child) or "").strip() for row in self.rows]
        else:
            found = [(texts.get(child) or "").strip() for texts in self._texts]
        if "" in found:
            row = self.rows[found.index("")]
            raise self._error(row, f"{child} is missing or empty")
        return found

    def numbers(self, child: str, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
        """Return a number of each element; NaN and infinity are refused."""
        texts = self.texts(child)
        try:
            values = np.array(texts, np.float64)
        except ValueError:
            values = np.array([np.nan])
        if not np.isfinite(values).all():
            raise self._error(self.rows[0], f"{child} has something else than numbers in it")
        return self._cast(child, values, dtype)

    def moments(self, child: str) -> npt.NDArray[np.datetime64]:
        """Return a time of UTC of each element."""
        return np.array(
            [
                moment(text, Fields(row, self.owner.file), child)
                for text, row in zip(self.texts(child), self.rows, strict=True)
            ],
            "datetime64[ns]",
        )

    def flags(self, child: str) -> npt.NDArray[np.bool_]:
        """Return a truth value of each element."""
        texts = [text.lower() for text in self.texts(child)]
        if not set(texts) <= {"true", "false"}:
            raise self._error(self.rows[0], f"{child} is neither true nor false")
        return np.array([text == "true" for text in texts])

    def vectors(self, child: str) -> list[npt.NDArray[np.float64]]:
        """Return a list of numbers of each element; the lists may differ in length, and be empty."""
        found = []
        for row in self.rows:
            try:
                values = np.array((row.findtext(child) or "").split(), np.float64)
            except ValueError:
                raise self._error(row, f"{child} is no list of numbers") from None
            if not np.isfinite(values).all():
                raise self._error(row, f"{child} has something else than numbers in it")
            found.append(values)
        return found

    def matrix(self, child: str, dtype: npt.DTypeLike = np.float64) -> npt.NDArray[Any]:
        """Return a list of numbers of each element as a row; shorter ones end with NaN, or 0."""
        vectors = self.vectors(child)
        width = max((len(v) for v in vectors), default=0)
        if width * len(vectors) > MAX_VALUES:
            raise self._error(self.rows[0], f"{child} has {width} numbers in {len(vectors)} rows, too many")
        whole = np.full((len(vectors), width), np.nan)
        for row, values in zip(whole, vectors, strict=True):
            row[: len(values)] = values
        return self._cast(child, whole, dtype)

    def split(self, child: str, width: int, *, flags: bool = False) -> list[npt.NDArray[Any]]:
        """Return ``width`` columns: the numbers, or truth values, of a child of each element."""
        words = " ".join(self.texts(child)).split()
        if flags:
            words = [_TRUTH.get(word.lower(), "") for word in words]
        try:
            values = np.array(words, np.float64)
        except ValueError:
            values = np.array([np.nan])
        if values.size != width * len(self) or not np.isfinite(values).all():
            what = "truth values" if flags else "numbers"
            raise self._error(self.rows[0], f"{child} is not {width} {what} everywhere")
        grid = values.reshape(len(self), width)
        return [grid[:, k].astype(np.bool_) if flags else grid[:, k].copy() for k in range(width)]

    def _cast(self, child: str, values: npt.NDArray[Any], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        wanted = np.dtype(dtype)
        if wanted.kind in "iu":
            low, high = np.iinfo(wanted).min, np.iinfo(wanted).max
            values = np.nan_to_num(values)
            if ((values < low) | (values > high) | (values != np.round(values))).any():
                raise self._error(self.rows[0], f"{child} has something else than whole numbers in it")
        elif (np.abs(values) > np.finfo(wanted).max).any():
            raise self._error(self.rows[0], f"{child} has numbers too large for {wanted}")
        return values.astype(wanted)

    def _error(self, row: etree._Element, told: str) -> MetadataError:
        return Fields(row, self.owner.file).error(f"{self.path}: {told}")


def moment(text: str, fields: Fields, what: str) -> np.datetime64:
    """Return a time of UTC, to the nanosecond."""
    found = _TIME.fullmatch(text)
    try:
        if found is not None:
            return np.datetime64(found[1], "ns")
    except ValueError:
        pass
    raise fields.error(f"{what} is {text!r}, expected a time like 2021-04-01T05:26:24.209990")


_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def as_dict(element: etree._Element) -> Any:
    """Return an element as plain values: numbers, truth values, lists; names are in snake_case."""
    children = [child for child in element if isinstance(child.tag, str)]
    if not children:
        return _plain((element.text or "").strip())
    names = [str(child.tag).rpartition("}")[2] for child in children]
    if "count" in element.attrib or (len(names) > 1 and len(set(names)) == 1):
        return [as_dict(child) for child in children]
    return {_WORD.sub("_", name).lower(): as_dict(child) for name, child in zip(names, children, strict=True)}


def _plain(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        # Identifiers keep their leading zeros; JSON has neither NaN nor infinity, Zarr no larger integers.
        limit = (1 << 63) - 1 if kind is int else np.finfo(float).max
        return value if abs(value) <= limit and not re.fullmatch(r"0\d+", text) else text
    return text

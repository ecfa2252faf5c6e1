"""Plots of a run as SVG, with nothing to load: bars over time, lines over time, bars of amounts."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lxml.builder import ElementMaker

__all__ = ["Bar", "amounts", "lines", "timeline"]

_SVG: Any = ElementMaker(namespace="http://www.w3.org/2000/svg", nsmap={None: "http://www.w3.org/2000/svg"})
_WIDTH, _LEFT, _RIGHT, _ROW = 860, 150, 20, 18
"""Pixels: of a plot, of the margins beside it, and of a row."""
_FOOT = 34
"""Pixels below the rows, for the axis."""
_TICKS = 6

Text = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Bar:
    """Something that took some time."""

    row: str
    start: float
    """Seconds since the run began, as ``end``."""
    end: float
    kind: str
    """Of what is done, which has its colour."""
    title: str
    """Shown where the pointer is on it."""


def timeline(bars: Sequence[Bar], kinds: Sequence[str]) -> Any:
    """Return bars over time, a row for each that does something."""
    rows = list(dict.fromkeys(sorted(bar.row for bar in bars)))
    end = max((bar.end for bar in bars), default=1.0) or 1.0
    figure = _figure(len(rows) * _ROW, end, _seconds)
    for number, row in enumerate(rows):
        figure.append(_label(row, number))
    for bar in bars:
        left, width = _x(bar.start, end), max((bar.end - bar.start) / end * _span(), 0.5)
        figure.append(
            _SVG.rect(
                _SVG.title(f"{bar.title}: {bar.end - bar.start:.3f} s"),
                {"class": f"k{kinds.index(bar.kind)}"},
                x=f"{left:.1f}", width=f"{width:.2f}",
                y=str(rows.index(bar.row) * _ROW + 2), height=str(_ROW - 4),
            )
        )  # fmt: skip
    return figure


def lines(series: Mapping[str, Sequence[tuple[float, float]]], text: Text, height: int = 140) -> Any:
    """Return amounts over time, a line for each series, whose greatest value is written beside it."""
    points = [point for line in series.values() for point in line]
    end = max((time for time, _ in points), default=1.0) or 1.0
    top = max((value for _, value in points), default=1.0) or 1.0
    figure = _figure(height, end, _seconds)
    for part in (0, 0.5, 1):
        y = height - part * (height - 12)
        figure.append(
            _SVG.line({"class": "grid"}, x1=str(_LEFT), x2=str(_WIDTH - _RIGHT), y1=f"{y:.1f}", y2=f"{y:.1f}")
        )
        figure.append(_SVG.text(text(top * part), {"class": "end"}, x=str(_LEFT - 8), y=f"{y + 4:.1f}"))
    for number, (name, line) in enumerate(series.items()):
        path = " ".join(
            f"{_x(time, end):.1f},{height - value / top * (height - 12):.1f}" for time, value in line
        )
        figure.append(_SVG.polyline(_SVG.title(name), {"class": f"line k{number % 6}"}, points=path))
    return figure


def amounts(values: Mapping[str, float], text: Text) -> Any:
    """Return a bar for each value, the greatest first."""
    ordered = sorted(values.items(), key=lambda item: -item[1])
    top = max(values.values(), default=1.0) or 1.0
    figure = _figure(len(ordered) * _ROW, 0, text)
    for number, (name, value) in enumerate(ordered):
        figure.append(_label(name, number))
        width = max(value / top * (_span() - 70), 0.5)
        y = number * _ROW
        figure.append(
            _SVG.rect({"class": "k1"}, x=str(_LEFT), width=f"{width:.1f}", y=str(y + 2), height=str(_ROW - 4))
        )
        figure.append(_SVG.text(text(value), x=f"{_LEFT + width + 6:.1f}", y=str(y + 13)))
    return figure


def _figure(height: float, end: float, text: Text) -> Any:
    """Return an empty plot; with an axis from 0 to ``end`` below it, where that is not 0."""
    whole = height + (_FOOT if end else 4)
    figure = _SVG.svg(viewBox=f"0 0 {_WIDTH} {whole:.0f}", role="img")
    if end:
        step = _step(end)
        for number in range(int(end / step) + 1):
            x = f"{_x(number * step, end):.1f}"
            figure.append(_SVG.line({"class": "grid"}, x1=x, x2=x, y1="0", y2=str(height)))
            figure.append(_SVG.text(text(number * step), {"class": "middle"}, x=x, y=str(height + 18)))
    return figure


def _label(text: str, row: int) -> Any:
    return _SVG.text(text, {"class": "end"}, x=str(_LEFT - 8), y=str(row * _ROW + 13))


def _span() -> int:
    return _WIDTH - _LEFT - _RIGHT


def _x(value: float, end: float) -> float:
    return _LEFT + value / end * _span()


def _step(end: float) -> float:
    """Return a round distance of ticks: 1, 2 or 5 times a power of ten."""
    rough = end / _TICKS
    power = 10 ** math.floor(math.log10(rough))
    return float(next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough))


def _seconds(value: float) -> str:
    return f"{value:g} s"

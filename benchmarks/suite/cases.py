"""The cases, who does each, and what is aimed at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["CASES", "EOPF", "FLOOR", "OURS", "PLAIN", "TUNED", "Case"]

OURS, EOPF, TUNED, PLAIN, FLOOR = "swath", "eopf", "eopf, tuned", "xarray + dask", "floor"
"""The sides of a comparison, as the table names them; a way begins with the side that it stands for."""


@dataclass(frozen=True)
class Case:
    """One operation that several sides do on the same input."""

    name: str
    """As ``--only`` takes it."""
    title: str
    """As the table tells it."""
    ways: dict[str, tuple[str, str]]
    """Way → module and function that does it, or ``command`` and a Python program or console script."""
    aim: float | None = None
    """How many times faster than eopf as it is is aimed at."""
    aim_tuned: float | None = None
    """The same against eopf where it is tuned."""
    memory: float | None = None
    """Share of eopf's peak memory that is aimed at."""
    floor: float | None = 1.3
    """How many times the floor's time is aimed at; None where there is no floor of the same work."""
    needs: Literal["nothing", "tile", "safe"] = "tile"
    """What it works on."""


def _sides(name: str, *extra: tuple[str, tuple[str, str]], sides: str = "oepf") -> dict[str, tuple[str, str]]:
    """Return who does a case, by letters: ours, eopf, eopf tuned, plain xarray, floor."""
    modules = {
        "o": (OURS, ("ours", name)),
        "e": (EOPF, ("eopf_", name)),
        "t": (TUNED, ("eopf_", f"{name}_tuned")),
        "p": (PLAIN, ("plain", name)),
        "f": (FLOOR, ("floor", name)),
    }
    return dict(modules[side] for side in sides) | dict(extra)


CASES = (
    Case(
        "import",
        "import of the package",
        {
            OURS: ("command", "import swath"),
            f"{OURS}, and its arrays": ("command", "from swath import open_product, apply"),
            EOPF: ("command", "import eopf"),
            PLAIN: ("command", "import xarray, dask.array, zarr"),
            FLOOR: ("command", "pass"),
        },
        aim=15,
        floor=None,
        needs="nothing",
    ),
    Case(
        "help",
        "command line's help",
        {OURS: ("command", "swath --help"), EOPF: ("command", "eopf --help"), FLOOR: ("command", "pass")},
        aim=15,
        floor=None,
        needs="nothing",
    ),
    Case("open", "opening the tile", _sides("open_tile"), aim=3, floor=None),
    Case("open-safe", "opening SAFE", _sides("open_safe", sides="oe"), aim=3, floor=None, needs="safe"),
    Case(
        "band",
        "a band of 10 m in memory",
        _sides(
            "band",
            (f"{FLOOR}: files read", ("floor", "band_read")),
            (f"{FLOOR}: copied", ("floor", "band_copy")),
            sides="oetpf",
        ),
        aim=4,
    ),
    Case("mean", "masked mean over four bands", _sides("mean", sides="oetpf"), aim=3, memory=1 / 3),
    Case(
        "index",
        "index by chunks, written",
        _sides("index", sides="oetpf"),
        aim=2,
        memory=1 / 3,
    ),
    Case(
        "write",
        "writing the tile",
        _sides("write", sides="oetpf"),
        aim=2.5,
        aim_tuned=1.5,
    ),
    Case(
        "small-write",
        "500 arrays in 50 groups, written",
        _sides("small_write", sides="oetpf"),
        aim=20,
        floor=1.2,
        needs="nothing",
    ),
    Case(
        "small-open",
        "500 arrays in 50 groups, opened",
        _sides("small_open"),
        aim=3,
        floor=None,
        needs="nothing",
    ),
    Case("convert", "SAFE to Zarr", _sides("convert", sides="oetf"), aim=2, needs="safe"),
    Case(
        "window",
        "512 x 512 pixels through three steps",
        _sides("window", (f"{FLOOR}: its chunks read", ("ours", "window_chunks")), sides="o"),
        floor=2,
    ),
    Case("area", "three steps on 1, 4, 16 chunks", _sides("area", sides="o"), floor=None),
    Case("tenfold", "index of a tile ten times larger", _sides("index", sides="o"), floor=None),
)
"""All cases, in the order in which they run."""

"""Where a run's time goes, line by line: samples of pyinstrument, taken in every task and put together."""

import json
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import reduce
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swath.errors import InputError

if TYPE_CHECKING:
    from swath.product.stac import ItemFile

__all__ = ["PROFILE", "SPEEDSCOPE", "check_profiler", "profiled", "write_profile"]

PROFILE, SPEEDSCOPE = "profile.html", "profile.speedscope.json"
"""Names in an output product: a page of its own, and what speedscope.app opens."""

_INTERVAL = 0.002
"""Seconds between two samples."""


def check_profiler() -> None:
    """Make sure that the profiler is there.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import pyinstrument  # noqa: F401, PLC0415 -- an extra
    except ImportError:
        raise InputError("A profile needs more: pip install 'swath[profile]'.") from None


@contextmanager
def profiled(tell: Callable[[dict[str, Any]], None]) -> Iterator[None]:
    """Sample this thread in the ``with`` block, and tell the samples when it ends well."""
    from pyinstrument import Profiler  # noqa: PLC0415 -- an extra

    profiler = Profiler(interval=_INTERVAL, async_mode="disabled")
    try:
        profiler.start()
    except RuntimeError:  # somebody else profiles this thread already, and shall go on
        yield
        return
    try:
        yield
    finally:
        session = profiler.stop()
    tell(session.to_json())


def write_profile(profiles: Sequence[dict[str, Any]], folder: Path) -> "list[ItemFile]":
    """Write the profile of all tasks together, and return the files."""
    from pyinstrument.renderers import HTMLRenderer, SpeedscopeRenderer  # noqa: PLC0415 -- an extra
    from pyinstrument.session import Session  # noqa: PLC0415

    from swath.product.stac import ItemFile  # noqa: PLC0415 -- imports pystac, which workers do without

    if not profiles:
        return []
    whole = reduce(Session.combine, (Session.from_json(told) for told in profiles))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # sessions of several threads overlap in time: that is meant
        (folder / PROFILE).write_text(HTMLRenderer().render(whole), encoding="utf-8")
        speedscope = json.loads(SpeedscopeRenderer().render(whole))
    (folder / SPEEDSCOPE).write_text(json.dumps(speedscope), encoding="utf-8")
    return [
        ItemFile(PROFILE, "Where the time went", ("metadata",), key="profile-page"),
        ItemFile(SPEEDSCOPE, "Where the time went, for speedscope.app", ("metadata",)),
    ]

"""The keeper of a running cluster's certificates: what is about to end is renewed, its users restarted."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.cluster._settings import Settings

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["renew"]

_PAUSE = 3600
"""Seconds between two looks: much less than a day, as machines sleep."""


def renew(settings: Settings, *, now: dt.datetime | None = None) -> set[str]:
    """Renew what is to be renewed; return the programs that were started again."""
    from swath_sde.cluster._keys import keep_keys  # noqa: PLC0415 -- the keeper sleeps without these libraries
    from swath_sde.cluster._node import Node  # noqa: PLC0415
    from swath_sde.cluster._programs import programs  # noqa: PLC0415

    renewed = keep_keys(settings, now=now)
    inner = Node(settings).inner
    if renewed and inner.answers():
        for program in programs(settings):  # in the order in which they start
            if program in renewed:
                inner.restart(program)
    return renewed


def main() -> None:
    """Look after the certificates for ever."""
    import subprocess  # noqa: PLC0415

    while True:
        subprocess.run(  # noqa: S603 -- no shell, no words of strangers
            [sys.executable, "-m", "swath_sde.cluster._keeper", sys.argv[1], "--once"], check=False
        )
        time.sleep(_PAUSE)


if __name__ == "__main__":
    if "--once" in sys.argv:
        for name in sorted(renew(Settings.read(Path(sys.argv[1])))):
            print(f"{name}: certificate renewed")  # noqa: T201 -- the log
    else:
        main()

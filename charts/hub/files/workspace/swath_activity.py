"""What counts as activity of a user's server, so that an editor left open in a tab does not keep it running.

Counted are: pages that are opened; keys that reach a program in any terminal, JupyterLab's or code-server's;
kernels that run or answer; files that change below the home, hidden folders excepted (editors and Git write
there by themselves). Not counted are open tabs, their requests and websockets, and what programs print.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Activity"]

ENTRIES = 200_000
"""Files and folders looked at in one round at most: a home with more is looked at in part."""

RECENT = 60
"""Seconds within which a change need not be looked for any further."""

TERMINALS = Path("/dev/pts")
"""Where the kernel keeps the pod's terminals."""


def _changes(folder: Path) -> Iterator[float]:
    """Yield when files below a folder changed, and folders got or lost entries; seconds since the epoch."""
    waiting = [folder]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:
            continue  # gone, or not readable
        for entry in entries:
            if entry.name.startswith("."):
                continue
            try:
                yield entry.stat(follow_symlinks=False).st_mtime
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(Path(entry.path))
            except OSError:
                continue


class Activity:
    """Remembers the last activity of a server."""

    def __init__(self, kernels: Any, *, home: Path, terminals: Path = TERMINALS) -> None:
        self._kernels = kernels
        self._home = home
        self._terminals = terminals
        self._last = time.time()

    def opened(self) -> None:
        """Note that a page was opened."""
        self._last = time.time()

    def last(self) -> datetime:
        """Return the time of the last activity; the server's start is the first."""
        now = time.time()
        # A clock or a file that is ahead must not keep the server running for ever.
        seen = [moment for moment in (self._typed(), self._computed(now), self._changed()) if moment <= now]
        self._last = max([self._last, *seen])
        return datetime.fromtimestamp(self._last, UTC)

    def _typed(self) -> float:
        """When a program last read from a terminal: the kernel keeps it as the device's access time."""
        latest = 0.0
        for device in self._terminals.glob("[0-9]*"):
            try:
                latest = max(latest, device.stat().st_atime)
            except OSError:
                continue  # closed meanwhile
        return latest

    def _computed(self, now: float) -> float:
        """When a kernel last answered; now, where one is busy."""
        latest: float = self._kernels.last_kernel_activity.timestamp()
        for kernel in self._kernels.list_kernels():
            if kernel["execution_state"] == "busy":
                return now
        return latest

    def _changed(self) -> float:
        """When a file last changed; a change in the last minute is enough to know."""
        now = time.time()
        latest = 0.0
        for count, moment in enumerate(_changes(self._home)):
            if latest < moment <= now:
                latest = moment
            if latest > now - RECENT or count >= ENTRIES:
                break
        return latest


def _load_jupyter_server_extension(server: Any) -> None:
    """Have the server tell the hub of this activity, in place of its own record."""
    settings = server.web_app.settings
    activity = Activity(settings["kernel_manager"], home=Path.home())
    server.web_app.last_activity = activity.last
    log_request = settings["log_function"]

    def note(handler: Any) -> None:
        # Browsers say what they ask for; a page that was not given, for want of a login, is not opened.
        if handler.request.headers.get("Sec-Fetch-Mode") == "navigate" and handler.get_status() < 300:
            activity.opened()
        log_request(handler)

    settings["log_function"] = note


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "swath_activity"}]

"""A module that is interrupted clears up first, and never outlives the playbook that started it."""

from __future__ import annotations

import fcntl
import os
import select
import signal
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

__all__ = ["CONTROLLER", "ENDED", "RUNNER", "RUN_FOLDER", "end_with", "interruptible"]

CONTROLLER = "SWATH_CONTROLLER"
"""Environment variable with the process id of ansible-playbook, set by ``swath.sde.progress``."""

RUNNER = "SWATH_RUNNER"
"""Environment variable with the process id of the program that runs ansible-playbook, if one does."""

RUN_FOLDER = "SWATH_RUN_FOLDER"
"""Environment variable with this run's folder: file ``progress``, and ``running/`` with a file a module."""

ENDED = "ended"
"""File in the run's folder that says, as JSON, how a playbook ended."""


@contextmanager
def interruptible() -> Iterator[None]:
    """Turn every signal to end, and the end of ansible-playbook, into KeyboardInterrupt in the main thread.

    Ansible starts asynchronous tasks in sessions of their own: neither Ctrl-C nor the end of the playbook
    would reach them, and what they do would go on unseen.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for number in ended_by:  # once: what follows is clearing up
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    ended_by = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in ended_by:
        signal.signal(number, interrupt)
    with _told_running():
        end_with(CONTROLLER)
        yield


def end_with(variable: str) -> None:
    """Interrupt this process when the one that an environment variable names is gone, however that ended."""
    controller = os.environ.get(variable, "")
    if not controller.isdigit():
        return  # nothing says which process it is
    try:
        handle = os.pidfd_open(int(controller))
    except OSError:  # it is gone already
        os.kill(os.getpid(), signal.SIGINT)
        return

    def wait() -> None:
        poll = select.poll()
        poll.register(handle, select.POLLIN)
        poll.poll()
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _told_running() -> Iterator[None]:
    """Hold a locked file in the run's folder, so that whoever ends the run can wait for this module."""
    folder = Path(os.environ.get(RUN_FOLDER, "/nonexistent")) / "running"
    if not folder.is_dir():
        yield
        return
    file = folder / str(os.getpid())
    with file.open("w") as held:
        # The lock ends with this process, however it ends; children do not inherit the file.
        fcntl.flock(held, fcntl.LOCK_EX)
        yield

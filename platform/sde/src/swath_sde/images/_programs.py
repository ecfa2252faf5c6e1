"""Other programs, as image builds call them: found on PATH or refused with a remedy, logged to a file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from swath_sde.debian import can_install, install_packages
from swath_sde.images._errors import BuildError, MissingProgramError
from swath_sde.images._reasons import reason_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

PACKAGES = {
    "buildah": "buildah",
    "mmdebstrap": "mmdebstrap",
    "npm": "npm",
    "mvn": "maven",
    "unshare": "util-linux",
    "apt-get": "apt",
}
"""Program → the Debian package that has it."""

_SHOWN = 15
"""Lines of a log that an error shows."""

_GRACE = 45.0
"""Seconds that a program has to clear up when it is told to end, before it is killed: buildah unmounts."""

_running: set[int] = set()
"""Process ids of what `logged` runs, in whichever thread; none of them is reaped yet."""

_running_lock = threading.Lock()


def see_to(names: Iterable[str]) -> None:
    """See to it that programs are there: what is missing is installed where that can be done.

    Raises
    ------
    MissingProgramError
        One is missing, and nothing can be installed here.
    PackageError
        It cannot be installed.
    """
    names = list(names)
    missing = sorted({PACKAGES[name] for name in names if shutil.which(name) is None})
    if missing and can_install() and shutil.which("apt-get") is not None:
        install_packages(missing, lambda _: None)
    for name in names:
        program(name)


def program(name: str) -> str:
    """Return where a program is.

    Raises
    ------
    MissingProgramError
        If it is not on PATH.
    """
    found = shutil.which(name)
    if found is None:
        raise MissingProgramError(
            f"{name} is not on PATH: image builds need it. Install it: "
            f"apt-get install {PACKAGES.get(name, name)}"
        )
    return found


def logged(
    command: Sequence[str | os.PathLike[str]],
    *,
    step: str,
    log: Path,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> float:
    """Run a program to its end with all that it prints appended to a log, and return the CPU seconds it took.

    Raises
    ------
    BuildError
        If it fails; the message has the step, the last lines, and where the log is.
    """
    with log.open("ab") as target:
        target.write(f"$ {' '.join(map(str, command))}\n".encode())
        target.flush()
        begin = target.tell()
        running = subprocess.Popen(  # noqa: S603 -- the commands are ours, the arguments go to no shell
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=target,
            stderr=target,
            start_new_session=True,  # what it leaves can be told by that from what is somebody else's
        )
        try:
            with _told_running(running.pid):
                os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
        except BaseException:
            os.kill(running.pid, signal.SIGTERM)
            os.waitid(os.P_PID, running.pid, os.WEXITED | os.WNOWAIT)
            raise
        finally:
            # Where buildah is told to end, the program of the step that it was at goes on without it.
            os.killpg(running.pid, signal.SIGKILL)
            # This tells the CPU time of that program and its children alone.
            _, status, usage = os.wait4(running.pid, 0)
        running.returncode = returncode = os.waitstatus_to_exitcode(status)
    if returncode:
        with log.open("rb") as source:
            source.seek(begin)
            lines = source.read().decode(errors="replace").splitlines()
        where = next((line for line in reversed(lines) if line.startswith("STEP ")), None)
        told = "\n".join(f"  {line}" for line in lines[-_SHOWN:])
        at = f" at {where}" if where else ""
        reason = f" {found}." if (found := reason_in(lines)) else ""
        raise BuildError(
            f"{step} failed{at} (exit status {returncode}).{reason} All of it: {log}. Its end:\n{told}"
        )
    return usage.ru_utime + usage.ru_stime


def end_programs(wait: Callable[[float], bool]) -> None:
    """End what `logged` runs in other threads, and what these begin next, until they have come to their end.

    Parameters
    ----------
    wait
        Waits for so many seconds at most, and says whether the threads have ended.
    """
    until = time.monotonic() + _GRACE
    told: set[int] = set()
    while not wait(0.5):
        late = time.monotonic() > until
        with _running_lock:  # so that none is reaped, and its number another's, meanwhile
            for process in _running if late else _running - told:
                os.kill(process, signal.SIGKILL if late else signal.SIGTERM)
            told |= _running


@contextmanager
def _told_running(process: int) -> Iterator[None]:
    with _running_lock:
        _running.add(process)
    try:
        yield
    finally:
        with _running_lock:
            _running.discard(process)


def printed(command: Sequence[str | os.PathLike[str]], *, step: str) -> str:
    """Run a program and return what it printed.

    Raises
    ------
    BuildError
        If it fails.
    """
    done = subprocess.run(  # noqa: S603 -- as above
        command, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode:
        raise BuildError(f"{step} failed (exit status {done.returncode}): {done.stderr.strip()[-2000:]}")
    return done.stdout

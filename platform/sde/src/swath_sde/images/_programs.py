"""Other programs, as image builds call them: found on PATH or refused with a remedy, logged to a file."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from swath_sde.debian import can_install, install_packages
from swath_sde.images._errors import BuildError, MissingProgramError
from swath_sde.images._reasons import reason_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
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
            command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=target, stderr=target
        )
        try:
            # This tells the CPU time of that program and its children alone.
            _, status, usage = os.wait4(running.pid, 0)
        except BaseException:
            running.terminate()
            running.wait()
            raise
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

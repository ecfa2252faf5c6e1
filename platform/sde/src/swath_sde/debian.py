"""Debian packages that the platform needs on its machine, from the machine's own package sources."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

from swath_sde.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["SYSTEM_PATH", "PackageError", "can_install", "install_packages"]

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where packages put their programs, whatever PATH says."""

_PATIENCE = "DPkg::Lock::Timeout=600"
"""Another apt may be at work: it is waited for so many seconds."""


class PackageError(PlatformError):
    """Debian packages cannot be installed."""


def can_install() -> bool:
    """Return whether packages can be installed here: apt, and the rights to use it."""
    return os.geteuid() == 0 and shutil.which("apt-get", path=SYSTEM_PATH) is not None


def install_packages(packages: Sequence[str], progress: Callable[[str], None]) -> None:
    """Install Debian packages.

    Raises
    ------
    PackageError
        apt fails, as with a package that its sources do not have.
    """
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PATH": SYSTEM_PATH}
    install = ["apt-get", "install", "-q", "-y", "-o", _PATIENCE, "--no-install-recommends", *packages]
    for attempt in (1, 2):
        progress(f"installing {', '.join(packages)}")
        done = subprocess.run(install, check=False, capture_output=True, text=True, env=environment)  # noqa: S603 -- no shell, no words of strangers
        if done.returncode == 0:
            return
        if attempt == 2:
            said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
            raise PackageError(
                f"apt-get cannot install {', '.join(packages)}:\n{said}\n"
                "See that the machine's package sources serve them, or install them by other means, "
                "then try again."
            )
        # The lists of packages may be missing or old; they are only fetched where that can help.
        subprocess.run(["apt-get", "update", "-q"], check=False, capture_output=True, env=environment)  # noqa: S607 -- where PATH has it

"""The programs of the machine that the node needs, and the Debian packages that bring them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.cluster.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["can_install", "install_packages", "missing_packages"]

_PACKAGES = {
    "containerd": ("containerd",),
    "runc": ("runc",),
    "containernetworking-plugins": ("/usr/lib/cni/bridge", "/usr/lib/cni/host-local", "/usr/lib/cni/portmap"),
    "iptables": ("iptables",),
    "iproute2": ("ip",),
    "conntrack": ("conntrack",),
    "socat": ("socat",),
    "slirp4netns": ("slirp4netns",),
    "util-linux": ("unshare", "nsenter"),
    "mount": ("mount",),
}
"""Debian package → what of it is needed: commands, or files."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing_packages() -> list[str]:
    """Return the Debian packages that something is missing of."""
    return [
        package
        for package, needed in _PACKAGES.items()
        if not all(
            Path(item).exists() if item.startswith("/") else shutil.which(item, path=_PATH) for item in needed
        )
    ]


def can_install() -> bool:
    """Return whether packages can be installed here: apt, and the rights to use it."""
    return os.geteuid() == 0 and shutil.which("apt-get", path=_PATH) is not None


def install_packages(packages: list[str], progress: Callable[[str], None]) -> None:
    """Install Debian packages from the machine's own package sources.

    Raises
    ------
    NodeError
        apt fails, as with a package that its sources do not have.
    """
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "PATH": _PATH}
    install = ["apt-get", "install", "-q", "-y", "--no-install-recommends", *packages]
    for attempt in (1, 2):
        progress(f"cluster: installing {', '.join(packages)}")
        done = subprocess.run(install, check=False, capture_output=True, text=True, env=environment)  # noqa: S603 -- no shell, no words of strangers
        if done.returncode == 0:
            break
        if attempt == 2:
            said = "\n".join((done.stderr or done.stdout).strip().splitlines()[-6:])
            raise NodeError(
                f"apt-get cannot install {', '.join(packages)}:\n{said}\n"
                "See that the machine's package sources serve them, or install them by other means, "
                "then try again."
            )
        # The lists of packages may be missing or old; they are only fetched where that can help.
        subprocess.run(["apt-get", "update", "-q"], check=False, capture_output=True, env=environment)  # noqa: S607 -- where PATH has it
    if left := missing_packages():
        raise NodeError(f"installed, but still incomplete: {', '.join(left)}; reinstall them and try again")

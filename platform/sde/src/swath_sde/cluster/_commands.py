"""The programs of the machine that the node needs, and the Debian packages that bring them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.cluster.errors import NodeError
from swath_sde.debian import SYSTEM_PATH, install_packages

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["install_missing", "missing_packages"]

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
    "kmod": ("modprobe",),
    "mount": ("mount",),
}
"""Debian package → what of it is needed: commands, or files."""


def missing_packages() -> list[str]:
    """Return the Debian packages that something is missing of."""
    return [package for package, needed in _PACKAGES.items() if not all(map(_there, needed))]


def _there(item: str) -> bool:
    found = Path(item).exists() if item.startswith("/") else shutil.which(item, path=SYSTEM_PATH)
    return bool(found)


def install_missing(packages: list[str], progress: Callable[[str], None]) -> None:
    """Install Debian packages, and see that nothing is missing of any after that.

    Raises
    ------
    PackageError
        apt fails.
    NodeError
        Something is still missing.
    """
    install_packages(packages, lambda what: progress(f"cluster: {what}"))
    if left := missing_packages():
        raise NodeError(f"installed, but still incomplete: {', '.join(left)}; reinstall them and try again")

"""What the machine must have: all is looked at before anything is changed, and told at once."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.cluster._cgroups import Cgroups
from swath_sde.cluster._commands import missing_packages
from swath_sde.cluster._ports import is_free
from swath_sde.debian import can_install

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["astray", "can_queue", "findings", "remarks"]

_MEMORY = 2 << 30
"""Bytes of memory that must be available: the control plane takes 1.2 GiB, and pods want some, too."""
_DISK = 8 << 30
"""Bytes that must be free for the cluster's data."""
_DISK_AGAIN = 2 << 30
"""Bytes that must be free for a cluster that has its data: twice what it cannot work without."""
_CONTROLLERS_1 = ("cpu", "cpuacct", "cpuset", "memory", "devices", "freezer", "pids")
_CONTROLLERS_2 = ("cpu", "cpuset", "memory", "pids")


def findings(*, https_port: int, state: Path, memory: int = _MEMORY, disk: int = _DISK) -> list[str]:
    """Return what stands in the way of a new node, each with what to do; empty where nothing does.

    Parameters
    ----------
    https_port
        The port of the ingress.
    state
        The state folder; it need not exist.
    memory
        Bytes of memory that must be available.
    disk
        Bytes that must be free where the state folder is.
    """
    found = list(_of_the_system())
    if not is_free(https_port):
        found.append(
            f"port {https_port} on 127.0.0.1 is taken: stop what listens there (`ss -ltnp`), or set another "
            "where.https_port in swath.yaml"
        )
    available = _available_memory()
    if available < memory:
        found.append(
            f"{available >> 20} MiB of memory are available, {memory >> 20} MiB are needed: end other "
            "programs or take a larger machine"
        )
    folder = next(path for path in (state, *state.parents) if path.exists())
    if (state / "data" / "etcd" / "member").exists():  # what takes the room is there already
        disk = min(disk, _DISK_AGAIN)
    free = shutil.disk_usage(folder).free
    if free < disk:
        found.append(
            f"{free >> 20} MiB are free in {folder}, {disk >> 20} MiB are needed: make room, or set "
            "SWATH_HOME to a folder on a larger disk"
        )
    return found


def remarks(*, domain: str) -> list[str]:
    """Return what does not stop the cluster but will be felt."""
    found = astray(f"hub.{domain}", domain=domain)
    if not can_queue():
        found.append("this kernel has no netfilter queue (xt_NFQUEUE): NetworkPolicies are NOT enforced")
    instances = Path("/proc/sys/fs/inotify/max_user_instances")
    if instances.exists() and int(instances.read_text()) < 128:
        found.append(
            "fs.inotify.max_user_instances is below 128: many pods may run out; `sysctl -w` raises it"
        )
    return found


def astray(host: str, *, domain: str) -> list[str]:
    """Return what is to be done where a host of the domain does not lead here; empty where it does."""
    if domain.endswith(".localhost"):  # browsers lead those to this machine by themselves
        return []
    try:
        addresses = {str(item[4][0]) for item in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        addresses = set()
    if addresses and all(address.startswith(("127.", "::1")) for address in addresses):
        return []
    return [
        (
            f"{host} leads to {', '.join(sorted(addresses)) or 'nowhere'}, not to this machine's loopback: "
            "the platform will not be found there. Take a domain below localhost, or add a wildcard "
            f"*.{domain} for 127.0.0.1 to your name server"
        )
    ]


def can_queue() -> bool:
    """Return whether the kernel can hand packets to a process, as NetworkPolicies need."""
    rule = "iptables -t mangle -A POSTROUTING -m owner --uid-owner 0 -j NFQUEUE --queue-num 100"
    return _works(["unshare", "--net", "sh", "-c", rule])


def _of_the_system() -> Iterator[str]:
    if sys.platform != "linux":
        yield "this is not Linux: take a Linux machine, or a cluster of yours (where.kind: kubeconfig)"
        return
    if os.geteuid() != 0:
        yield "not root: namespaces, mounts and cgroups need it; call it with sudo"
    missing = missing_packages()
    if missing and not can_install():
        yield f"programs are missing: install the packages {', '.join(missing)} (Debian's names) as root"
    if not Path("/dev/net/tun").exists():
        yield "no /dev/net/tun, which the node's network device needs: `modprobe tun`"
    if not _has_filesystem("overlay"):
        yield "no overlay file system in this kernel, which containers' images need: `modprobe overlay`"
    if not Path("/proc/sys/net/bridge/bridge-nf-call-iptables").exists() and not _module("br_netfilter"):
        yield "no br_netfilter in this kernel, which Services between pods need: `modprobe br_netfilter`"
    yield from _of_the_cgroups()
    if os.geteuid() == 0 and not missing:
        if not _works(
            ["unshare", "--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--mount-proc", "true"]
        ):
            yield (
                "namespaces cannot be made: root's capabilities are cut (a container?); run on the machine "
                "itself, or in a privileged container"
            )
        elif not _works(
            ["unshare", "--net", "iptables", "-t", "nat", "-A", "POSTROUTING", "-j", "MASQUERADE"]
        ):
            yield "iptables cannot masquerade: `modprobe iptable_nat` or `modprobe nft_compat`"


def _of_the_cgroups() -> Iterator[str]:
    hierarchies = Cgroups.hierarchies()
    if not hierarchies:
        yield "no cgroups in /sys/fs/cgroup: mount them (`mount -t cgroup2 none /sys/fs/cgroup`)"
        return
    if Cgroups.unified():
        there = set((hierarchies[0] / "cgroup.controllers").read_text().split())
        wanted: tuple[str, ...] = _CONTROLLERS_2
    else:
        there = {path.name for path in Path("/sys/fs/cgroup").iterdir()}
        wanted = _CONTROLLERS_1
    if lacking := [name for name in wanted if name not in there]:
        yield (
            f"cgroup controllers are missing: {', '.join(lacking)}; enable them in the kernel's command line"
        )
    elif os.geteuid() == 0 and not all(os.access(path, os.W_OK) for path in hierarchies):
        yield "cgroups cannot be made: /sys/fs/cgroup is read-only; mount it writable"


def _available_memory() -> int:
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def _has_filesystem(name: str) -> bool:
    return any(
        line.split()[-1] == name for line in Path("/proc/filesystems").read_text().splitlines()
    ) or _module(name)


def _module(name: str) -> bool:
    """Return whether a module is there to be loaded; to load one now would change the machine."""
    return _works(["modprobe", "--dry-run", name])


def _works(command: list[str]) -> bool:
    try:
        return subprocess.run(command, check=False, capture_output=True, cwd="/").returncode == 0  # noqa: S603 -- no shell, no words of strangers
    except OSError:
        return False

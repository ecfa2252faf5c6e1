"""Where a cluster's files are, seen from the machine and from inside the node."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["INSIDE", "LOGS", "PROGRAMS", "RUN", "Layout"]

INSIDE = Path("/var/lib/swath")
"""The state folder's ``node/``, as the node's processes see it."""
PROGRAMS = Path("/run/swath/programs")
"""The programs, as the node's processes see them."""
RUN = Path("/run/swath/machine")
"""The folder for sockets that the machine shares with the node, as the node's processes see it."""
LOGS = Path("/var/log")
"""The logs, as the node's processes see them."""


@dataclass(frozen=True, slots=True)
class Layout:
    """The places of one cluster on the machine."""

    state: Path
    """The installation's state folder."""
    identity: str
    """Name of the cluster for things of the whole machine."""

    @property
    def settings(self) -> Path:
        """The settings."""
        return self.state / "cluster.json"

    @property
    def kubeconfig(self) -> Path:
        """The administrator's kubeconfig."""
        return self.state / "kubeconfig"

    @property
    def node(self) -> Path:
        """What the node reads: configuration, keys and certificates."""
        return self.state / "node"

    @property
    def keys(self) -> Path:
        """Authorities, certificates and keys of the cluster's inside."""
        return self.node / "keys"

    @property
    def configuration(self) -> Path:
        """Configuration of the node's programs."""
        return self.node / "configuration"

    @property
    def data(self) -> Path:
        """What the cluster keeps: etcd, images, pods, volumes."""
        return self.state / "data"

    @property
    def logs(self) -> Path:
        """Logs of all programs and pods, and the audit log."""
        return self.state / "log"

    @property
    def run(self) -> Path:
        """Sockets and process ids; in ``/run``, as a socket's path has 107 characters at most."""
        return Path("/run/swath") / self.identity

    def prepare(self) -> None:
        """Make the folders, closed to other users."""
        for folder in (self.node, self.configuration, self.keys, self.logs, self.data):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name in ("containerd", "etcd", "kubelet", "volumes"):
            (self.data / name).mkdir(mode=0o700, exist_ok=True)
        (self.logs / "pods").mkdir(exist_ok=True)
        (self.node / "volumes").mkdir(exist_ok=True)

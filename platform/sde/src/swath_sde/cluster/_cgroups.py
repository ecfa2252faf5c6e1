"""The cgroups of a cluster: one in each hierarchy, which holds the node's processes and all pods."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Cgroups"]

_MOUNT = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Cgroups:
    """Makes, fills and removes the cgroups of one cluster."""

    identity: str
    """Name of the cluster for things of the whole machine."""

    @property
    def root(self) -> str:
        """The cluster's cgroup, from the root of each hierarchy."""
        return f"/swath/{self.identity}"

    @property
    def exist(self) -> bool:
        """Whether any of them is there."""
        return any((hierarchy / self.root.strip("/")).is_dir() for hierarchy in self.hierarchies())

    @staticmethod
    def unified() -> bool:
        """Return whether this machine has the one hierarchy of version 2."""
        return (_MOUNT / "cgroup.controllers").exists()

    @classmethod
    def hierarchies(cls) -> list[Path]:
        """Return where the hierarchies are mounted."""
        if cls.unified():
            return [_MOUNT]
        found: dict[int, Path] = {}  # one hierarchy may have several names
        for path in sorted(_MOUNT.iterdir()) if _MOUNT.is_dir() else ():
            if (path / "cgroup.procs").exists():
                found.setdefault(path.stat().st_dev, path)
        return list(found.values())

    def make(self) -> None:
        """Make the cgroups, with a part ``node`` for the node's own processes."""
        for hierarchy in self.hierarchies():
            folder = hierarchy
            for part in (*self.root.strip("/").split("/"), "node"):
                if self.unified():
                    controllers = (folder / "cgroup.controllers").read_text().split()
                    for controller in controllers:
                        _write(folder / "cgroup.subtree_control", f"+{controller}")
                folder /= part
                folder.mkdir(exist_ok=True)
                if (folder / "cpuset.cpus").exists() and not self.unified():
                    for name in ("cpuset.cpus", "cpuset.mems"):  # empty in a new one: nothing could run there
                        if not (folder / name).read_text().strip():
                            _write(folder / name, (folder.parent / name).read_text())

    def adopt(self, pid: int) -> None:
        """Move a process, and with it all that it starts, to the node's own cgroups."""
        for hierarchy in self.hierarchies():
            _write(hierarchy / self.root.strip("/") / "node" / "cgroup.procs", str(pid))

    def processes(self) -> set[int]:
        """Return all processes of the cluster."""
        return {
            int(pid)
            for hierarchy in self.hierarchies()
            for file in (hierarchy / self.root.strip("/")).rglob("cgroup.procs")
            for pid in _read(file).split()
        }

    def remove(self, *, patience: float = 10.0) -> list[Path]:
        """Remove the cgroups; return those that are still there after ``patience`` seconds."""
        until = time.monotonic() + patience
        while True:
            left = []
            for hierarchy in self.hierarchies():
                top = hierarchy / self.root.strip("/")
                folders = [top, *(path for path in top.rglob("*") if path.is_dir())] if top.is_dir() else []
                for folder in sorted(folders, key=lambda path: -len(path.parts)):
                    try:
                        folder.rmdir()
                    except FileNotFoundError:
                        continue
                    except OSError:
                        left.append(folder)
            if not left or time.monotonic() > until:
                break
            time.sleep(0.1)
        for hierarchy in self.hierarchies():
            try:
                (hierarchy / "swath").rmdir()  # the last cluster's
            except OSError:
                continue
        return left


def _write(path: Path, text: str) -> None:
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, text.encode())
    except OSError:
        if (
            path.name != "cgroup.subtree_control"
        ):  # a controller that cannot be had below is no reason to stop
            raise
    finally:
        os.close(handle)


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:  # removed meanwhile
        return ""

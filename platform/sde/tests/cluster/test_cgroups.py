"""The cgroups of a cluster on machines with either version, and with both."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from swath_sde.cluster import _cgroups, _preflight
from swath_sde.cluster._cgroups import Cgroups

BOTH = Path("/sys/fs/cgroup/unified")
"""Where version 2 is on a machine that has version 1 for its controllers, and version 2 beside it."""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a machine's folder of hierarchies, empty at first."""
    monkeypatch.setattr(_cgroups, "_MOUNT", tmp_path)
    return tmp_path


def test_version_2_is_one_hierarchy(machine: Path) -> None:
    (machine / "cgroup.controllers").write_text("cpuset cpu io memory hugetlb pids\n")
    (machine / "cgroup.procs").touch()
    assert Cgroups.unified()
    assert Cgroups.hierarchies() == [machine]
    assert list(_preflight._of_the_cgroups()) == []


def test_a_controller_that_version_2_lacks_is_told(machine: Path) -> None:
    (machine / "cgroup.controllers").write_text("cpu io pids\n")
    [told] = _preflight._of_the_cgroups()
    assert "cgroup controllers are missing: cpuset, memory" in told


def test_no_hierarchy_is_told_with_how_to_mount_one(machine: Path) -> None:
    assert Cgroups.hierarchies() == []
    [told] = _preflight._of_the_cgroups()
    assert "mount -t cgroup2 none /sys/fs/cgroup" in told


def test_version_2_beside_version_1_does_not_make_a_machine_one_of_version_2(machine: Path) -> None:
    (machine / "unified").mkdir()
    (machine / "unified" / "cgroup.controllers").touch()
    (machine / "unified" / "cgroup.procs").touch()
    assert not Cgroups.unified()
    assert Cgroups.hierarchies() == [machine / "unified"]


def test_in_version_2_controllers_are_handed_down_and_processes_are_in_leaves_only(machine: Path) -> None:
    """As the kernel demands: a group with controllers for its children has no process of its own."""
    (machine / "cgroup.controllers").write_text("cpu memory\n")
    for folder in ("", "swath", "swath/one", "swath/one/node"):
        (machine / folder).mkdir(exist_ok=True)
        for file in ("cgroup.controllers", "cgroup.subtree_control", "cgroup.procs"):
            (machine / folder / file).write_text("cpu memory\n" if file == "cgroup.controllers" else "")
    cgroups = Cgroups("one")
    cgroups.make()
    for folder in ("", "swath", "swath/one"):
        assert (machine / folder / "cgroup.subtree_control").read_text()
    assert (machine / "swath/one/node/cgroup.subtree_control").read_text() == ""
    cgroups.adopt(4711)
    assert (machine / "swath/one/node/cgroup.procs").read_text() == "4711"
    assert cgroups.processes() == {4711}
    for folder in ("", "swath", "swath/one"):
        assert (machine / folder / "cgroup.procs").read_text() == ""


@pytest.mark.skipif(
    os.geteuid() != 0 or not (BOTH / "cgroup.controllers").exists(),
    reason="needs root, and version 2 beside version 1; elsewhere the tests of the cluster make such groups",
)
def test_groups_of_a_real_version_2_are_made_filled_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cgroups, "_MOUNT", BOTH)
    cgroups = Cgroups(f"test-{os.getpid()}")
    try:
        cgroups.make()
        assert cgroups.exist
        group = BOTH / cgroups.root.strip("/")
        offered = set((BOTH / "cgroup.controllers").read_text().split())
        assert set((group / "cgroup.controllers").read_text().split()) == offered
        assert set((group / "node" / "cgroup.controllers").read_text().split()) == offered
        with subprocess.Popen(["sleep", "60"]) as process:
            cgroups.adopt(process.pid)
            assert cgroups.processes() == {process.pid}
            assert f"{cgroups.root}/node" in Path(f"/proc/{process.pid}/cgroup").read_text()
            assert cgroups.remove(patience=0) == [group / "node", group]
            process.kill()
    finally:
        assert cgroups.remove() == []
    assert not cgroups.exist

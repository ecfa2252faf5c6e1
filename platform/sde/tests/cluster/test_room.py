"""When a disk is told to be full."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from swath_sde.cluster import _room
from swath_sde.cluster._room import FLOOR, shortage

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_disk_with_room_is_not_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_room, "FLOOR", 1)
    assert shortage([tmp_path, tmp_path / "absent"]) == ""


def test_a_full_disk_is_told_with_numbers_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    monkeypatch.setattr(_room, "FLOOR", free * 2)
    told = shortage([tmp_path / "absent", tmp_path])
    assert f"the disk of {tmp_path} is full" in told
    assert "swath image prune" in told
    assert "all data there" in told


def test_a_disk_without_inodes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_room, "FLOOR", 0)
    monkeypatch.setattr(_room, "INODES", 101)
    assert "inodes are free" in shortage([tmp_path])


def test_the_floor_is_one_gibibyte() -> None:
    assert FLOOR == 1 << 30

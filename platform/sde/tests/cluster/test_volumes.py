"""Volumes above their declared sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath_sde.cluster._volumes import oversized

if TYPE_CHECKING:
    from pathlib import Path


def _volume(name: str, size: str) -> dict[str, Any]:
    return {
        "spec": {
            "capacity": {"storage": size},
            "claimRef": {"namespace": "swath-hub", "name": f"claim-of-{name}"},
            "local": {"path": f"/var/lib/swath/volumes/{name}"},
        }
    }


def test_a_volume_above_its_size_is_told_by_its_claim(tmp_path: Path) -> None:
    for name in ("large", "small"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_bytes(b"x" * (3 << 20))
    [told] = oversized([_volume("large", "2Mi"), _volume("small", "1Gi")], tmp_path)
    assert "the volume swath-hub/claim-of-large holds 3 MiB, 2 MiB were asked for" in told


def test_volumes_of_other_kinds_and_those_that_are_gone_are_left_out(tmp_path: Path) -> None:
    elsewhere = {"spec": {"capacity": {"storage": "1Mi"}, "csi": {}}}
    assert oversized([elsewhere, _volume("gone", "1Mi")], tmp_path) == []

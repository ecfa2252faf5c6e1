"""What the container runtime and the kubelet are told that has to agree."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest
import yaml
from swath_sde.cluster._configuration import configuration_files
from swath_sde.cluster._room import FLOOR
from swath_sde.cluster._settings import Settings


@pytest.fixture
def files() -> dict[str, str]:
    """Give the files of a cluster."""
    settings = Settings.of({"name": "one", "domain": "one.localhost", "https_port": 8443})
    return configuration_files(settings, runtime_capped=False, cgroup_root="/swath/one-1234", authority="")


@pytest.fixture
def kubelet(files: dict[str, str]) -> dict[str, Any]:
    """Give the kubelet's configuration."""
    found: dict[str, Any] = yaml.safe_load(files["kubelet.yaml"])
    return found


def test_runtime_and_kubelet_agree_on_who_makes_the_groups(
    files: dict[str, str], kubelet: dict[str, Any]
) -> None:
    """The page "Container Runtimes" of Kubernetes' documentation demands it, with either version."""
    runtime = tomllib.loads(files["containerd.toml"])["plugins"]["io.containerd.grpc.v1.cri"]["containerd"]
    assert runtime["runtimes"]["runc"]["options"]["SystemdCgroup"] is False
    assert kubelet["cgroupDriver"] == "cgroupfs"
    assert kubelet["cgroupRoot"] == "/swath/one-1234"  # a path of cgroupfs, not a slice


def test_version_1_is_no_reason_to_refuse(kubelet: dict[str, Any]) -> None:
    assert kubelet["failCgroupV1"] is False  # it says nothing of version 2


def test_images_that_come_from_no_registry_are_never_thrown_away(kubelet: dict[str, Any]) -> None:
    assert kubelet["imageGCHighThresholdPercent"] == 100
    assert kubelet["imageMinimumGCAge"] == "87600h"


def test_the_kubelet_and_status_agree_on_when_a_disk_is_full(kubelet: dict[str, Any]) -> None:
    limits = kubelet["evictionHard"]
    assert {limits["nodefs.available"], limits["imagefs.available"]} == {f"{FLOOR >> 20}Mi"}

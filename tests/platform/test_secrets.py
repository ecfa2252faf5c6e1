"""No secret where it does not belong: logs, process lists, plans, rendered releases."""

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from installation import Platform


@pytest.fixture
def secrets(platform: Platform) -> dict[str, str]:
    """Return every value that was made in the cluster, by where it is kept."""
    found = {}
    for item in json.loads(platform.kubectl("get", "secrets", "-A", "-o", "json"))["items"]:
        meta = item["metadata"]
        if (
            meta.get("labels", {}).get("app.kubernetes.io/managed-by") != "swath"
            and meta["name"] != "initial-passwords"
        ):
            continue
        for key, value in (item.get("data") or {}).items():
            text = base64.b64decode(value).decode()
            if "password" in key or meta["name"] in {"initial-passwords", "hub"}:
                found[f"{meta['namespace']}/{meta['name']}/{key}"] = text
    assert len(found) > 8
    return found


def test_no_log_holds_a_secret(platform: Platform, secrets: dict[str, str]) -> None:
    logs = "".join(
        path.read_text(errors="replace")
        for folder in ("log", "ansible", "images/logs")
        for path in (platform.state / folder).rglob("*")
        if path.is_file()
    )
    assert logs
    assert [place for place, value in secrets.items() if value in logs] == []


def test_no_process_has_a_secret_in_its_arguments(platform: Platform, secrets: dict[str, str]) -> None:
    told = subprocess.run(["ps", "-eww", "-o", "args"], check=True, capture_output=True, text=True).stdout
    assert "kube-apiserver" in told
    assert [place for place, value in secrets.items() if value in told] == []


def test_no_release_holds_a_secret(platform: Platform, secrets: dict[str, str]) -> None:
    from swath_sde.configuration import load_installation
    from swath_sde.releases import values_of

    installation = load_installation(platform.file)
    told = json.dumps([values_of(installation, name) for name in installation.components.enabled()])
    told += platform.kubectl("get", "deployments,statefulsets,configmaps", "-A", "-o", "json")
    assert [place for place, value in secrets.items() if value in told] == []


def test_the_state_folder_is_closed_to_others(platform: Platform) -> None:
    assert platform.state.stat().st_mode & 0o077 == 0
    for path in (platform.state / "kubeconfig", platform.state / "trust" / "ca.key"):
        assert path.stat().st_mode & 0o077 == 0, path


def test_every_pod_of_the_platform_meets_the_restricted_standard(platform: Platform) -> None:
    told = platform.kubectl(
        "label",
        "--dry-run=server",
        "--overwrite",
        "namespace",
        "--all",
        "pod-security.kubernetes.io/enforce=restricted",
        check=False,
    )
    assert "violates PodSecurity" not in told, told


def test_nothing_of_the_checkout_is_a_secret(secrets: dict[str, str]) -> None:
    root = Path(__file__).resolve().parents[2]
    for value in secrets.values():
        found = subprocess.run(
            ["git", "-C", root, "grep", "-lF", "-e", value], capture_output=True, check=False
        )
        assert found.returncode == 1, found.stdout
    assert os.environ.get("SWATH_HOME") != str(root)

"""A disk that fills up while the cluster runs: it is told, nothing is lost, and the same call goes on."""

import re
import subprocess
import sys

import pytest
import yaml
from swath_sde.cluster import EmbeddedCluster, NoRoomError
from swath_sde.cluster._configuration import PAUSE_IMAGE
from swath_sde.cluster._node import Node
from swath_sde.cluster._settings import Settings


@pytest.fixture
def disk(tmp_path, new_disk):
    """A disk of the test's own."""
    with new_disk(tmp_path / "disk", "12G") as made:
        yield made


@pytest.fixture
def other(disk, installation, monkeypatch, home):
    """A cluster that runs on that disk; nothing of it is left afterwards."""
    described = installation("full")
    (disk.folder / "cache").symlink_to(home / "cache")
    monkeypatch.setenv("SWATH_HOME", str(disk.folder))
    made = EmbeddedCluster(described)
    try:
        made.up(print)
        yield made
    finally:
        disk.make_room()
        made.reset(print)


@pytest.fixture
def swath(other, tmp_path):
    """Call ``swath cluster`` for that cluster."""
    file = tmp_path / "swath.yaml"
    file.write_text(yaml.safe_dump(other.installation.model_dump(mode="json", by_alias=True)))
    script = "from swath_cli._main import main; main()"

    def call(*words):
        return subprocess.run(
            [sys.executable, "-c", script, "cluster", *words, "--file", str(file)],
            capture_output=True,
            text=True,
            check=False,
        )

    return call


def test_a_disk_that_fills_up_is_told_and_nothing_is_lost(other, disk, swath, probe, manifest, retry):
    def kubectl(*words, **options):
        return other.kubectl("-n", "default", *words, **options)

    def holds(name, text):
        return kubectl("exec", f"deployment/{name}", "--", "/bin/probe", "read", "/data/file").strip() == text

    other.import_images(probe)
    retry(lambda: kubectl("get", "serviceaccount", "default"))
    template = manifest.pod("keeper", "serve", "8080", claim="kept")
    keeper = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "keeper"},
        "spec": {
            "selector": {"matchLabels": {"app": "keeper"}},
            "template": {"metadata": template["metadata"], "spec": template["spec"]},
        },
    }
    kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all([manifest.claim("kept"), keeper]))
    retry(lambda: kubectl("rollout", "status", "deployment/keeper", "--timeout=60s"))
    kubectl("exec", "deployment/keeper", "--", "/bin/probe", "write", "/data/file", "from before")
    kubectl("create", "configmap", "object", "--from-literal=from=before")
    assert swath("status").returncode == 0

    images = ["ctr", "-n", "k8s.io", "images", "list", "-q"]
    there = set(other.run(images).split())
    assert PAUSE_IMAGE in there

    disk.fill()
    told = swath("status")
    assert told.returncode == 1
    assert f"the disk of {other.state}" in told.stdout
    assert re.search(r"is full: \d+ MiB are free, 1024 MiB are needed", told.stdout)
    assert "degraded" in told.stdout
    for call in (lambda: other.import_images(probe), lambda: other.up(print)):
        with pytest.raises(NoRoomError, match="Make room on that disk"):
            call()
    refused = swath("up")
    assert refused.returncode == 1
    assert "is full" in refused.stderr
    assert "Traceback" not in refused.stderr

    # The database has ended by itself, or is killed here: on a disk like this it cannot start again.
    node = Node(Settings.read(other.state / "cluster.json"))
    if pid := node.inner.processes()["etcd"].pid:
        node.run(["kill", "-KILL", str(pid)], check=False)
    assert retry(lambda: node.inner.processes()["etcd"].state in {"BACKOFF", "EXITED"}, every=0.1)
    assert "is full" in swath("status").stdout

    disk.make_room()
    assert other.up(print) is True
    assert set(other.run(images).split()) == there
    assert retry(lambda: other.status().state == "ready", within=240), other.status().text()
    assert retry(lambda: holds("keeper", "from before"), within=240, every=2)
    assert kubectl("get", "configmap", "object", "-o", "jsonpath={.data.from}") == "before"
    assert swath("status").returncode == 0
    assert other.up(print) is False

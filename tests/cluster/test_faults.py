"""Whatever is killed comes back, and nothing is lost."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml


@pytest.fixture
def kept(apply, running, kubectl, manifest):
    """A pod with something in its volume and an object, from before the fault."""
    apply(manifest.claim("kept"), manifest.pod("keeper", "serve", "8080", claim="kept"))
    running("keeper")
    kubectl("exec", "keeper", "--", "/bin/probe", "write", "/data/file", "from before")
    kubectl("create", "configmap", "object", "--from-literal=from=before")


@pytest.fixture
def all_there(kept, cluster, kubectl, retry):
    """Check that everything from before the fault is there, and that the cluster does new work."""

    def check():
        assert retry(lambda: cluster.status().state == "ready", within=120), cluster.status().text()

        def reads():
            return (
                kubectl("exec", "keeper", "--", "/bin/probe", "read", "/data/file").strip() == "from before"
            )

        assert retry(reads, within=90)
        assert kubectl("get", "configmap", "object", "-o", "jsonpath={.data.from}") == "before"
        return True

    return check


def test_the_node_comes_back_when_its_first_process_is_killed(node, all_there, retry):
    first = node.pid
    os.kill(first, signal.SIGKILL)
    assert retry(lambda: node.pid not in {None, first} and node.inner.answers())
    assert all_there()


@pytest.mark.drill
def test_the_node_comes_back_when_its_launcher_is_killed(node, all_there, retry):
    first = node.pid
    os.kill(node.outer.processes()["node"].pid, signal.SIGKILL)
    assert retry(lambda: node.pid not in {None, first} and node.inner.answers())
    assert not Path(f"/proc/{first}").exists()
    assert all_there()


def test_a_node_whose_outer_supervisor_is_killed_ends_and_is_started_by_up(cluster, node, all_there, retry):
    first = node.pid
    os.kill(node.outer.pid(), signal.SIGKILL)
    assert retry(lambda: not Path(f"/proc/{first}").exists())
    assert cluster.up(print) is True
    assert all_there()


def test_everything_killed_at_once_is_started_by_up(cluster, node, all_there):
    for _ in range(5):  # what starts others, and what was started meanwhile
        for pid in node.cgroups.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        time.sleep(0.2)
    assert not node.cgroups.processes()
    assert cluster.status().state == "degraded"  # its cgroups and sockets are still there
    assert cluster.up(print) is True
    assert all_there()
    assert cluster.up(print) is False


@pytest.mark.drill
def test_the_way_in_comes_back_when_slirp4netns_is_killed(cluster, node, all_there, retry):
    def network():
        found = []
        for pid in node.cgroups.processes():
            try:
                if Path(f"/proc/{pid}/comm").read_text().strip() == "slirp4netns":
                    found.append(pid)
            except OSError:
                continue
        return found

    first = network()
    assert len(first) == 1
    os.kill(first[0], signal.SIGKILL)
    assert retry(lambda: network() and network() != first)
    assert all_there()


@pytest.mark.parametrize(
    "program",
    [
        "etcd",
        "kubelet",
        *(
            pytest.param(program, marks=pytest.mark.drill)
            for program in (
                "containerd", "apiserver", "controller-manager", "scheduler", "proxy", "dns", "volumes",
                "policies",
            )
        ),
    ],
)  # fmt: skip
def test_each_program_comes_back(program, cluster, node, retry):
    before = node.inner.processes()[program]
    inside = before.pid
    cluster.run(["kill", "-KILL", str(inside)])

    def back():
        now = node.inner.processes()[program]
        return now.state == "RUNNING" and now.pid != inside

    assert retry(back, within=90)
    assert retry(lambda: cluster.status().state == "ready", within=90), cluster.status().text()


def test_new_work_is_done_after_all_that(cluster, apply, running, kubectl, manifest, retry):
    apply(
        manifest.claim("new"),
        manifest.pod("web", "serve", "8080", claim="new"),
        manifest.service("front", 80),
    )
    kubectl("patch", "service", "front", "-p", '{"spec": {"selector": {"app": "web"}}}')
    running("web")
    assert retry(lambda: kubectl("exec", "web", "--", "/bin/probe", "get", "http://front/").strip() == "web")


def test_a_stopped_cluster_is_planned_and_starts_with_all_it_had(cluster, node, all_there, machine, tmp_path):
    file = tmp_path / "swath.yaml"
    file.write_text(yaml.safe_dump(cluster.installation.model_dump(mode="json", by_alias=True)))
    assert cluster.down(print) is True
    words = ["-c", "from swath_cli import main; main()", "plan", "--json", "--file", str(file)]
    planned = subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True)
    assert planned.returncode == 3, planned.stderr
    changes = {change["name"]: change for change in json.loads(planned.stdout)["changes"]}
    assert "stopped → started" in changes[cluster.installation.name]["details"]
    assert changes["registry"]["details"] == ["looked at when the cluster runs"]
    assert machine(cluster.state, node.settings.identity).left() == {}
    assert cluster.status().state == "stopped"
    assert cluster.down(print) is False
    assert cluster.up(print) is True
    assert all_there()

"""From nothing to a cluster and back to nothing; and what is refused."""

import datetime as dt
import json
import signal
import socket
import subprocess
import sys
import time

import pytest
import yaml
from swath_sde.cluster import EmbeddedCluster, NodeError, NotPossibleError
from swath_sde.cluster._keeper import renew
from swath_sde.cluster._keys import keep_keys
from swath_sde.cluster._node import Node
from swath_sde.cluster._settings import Settings


@pytest.fixture
def other(installation):
    """Another cluster, not started yet; nothing of it is left afterwards."""
    made = EmbeddedCluster(installation("other"))
    yield made
    made.reset()


@pytest.fixture
def described(other, tmp_path):
    """The file that describes the other cluster, and the command that works on it."""
    file = tmp_path / "swath.yaml"
    file.write_text(yaml.safe_dump(other.installation.model_dump(mode="json", by_alias=True)))

    def command(*words, **options):
        script = "from swath_cli._main import main; main()"
        return [sys.executable, "-c", script, "cluster", *words, "--file", str(file)]

    return command


def _settings(cluster):
    return Settings.read(cluster.state / "cluster.json")


def test_two_clusters_stand_side_by_side_and_leave_nothing(
    cluster, other, described, machine, probe, retry, manifest
):
    assert {change.action for change in other.plan() if change.kind == "cluster"} == {"create"}
    started = subprocess.run(described("up"), check=True, capture_output=True, text=True)
    assert "is ready" in started.stdout
    assert str(other.kubeconfig) in started.stdout
    assert not {change.action for change in other.plan()} - {"none"}
    assert cluster.status().api != other.status().api
    other.import_images(probe)
    for one in (cluster, other):
        listed = {"apiVersion": "v1", "kind": "List", "items": [manifest.pod("same", "serve", "8080")]}
        retry(lambda one=one: one.kubectl("-n", "default", "get", "serviceaccount", "default"))
        one.kubectl("-n", "default", "apply", "-f", "-", stdin=json.dumps(listed))
    for one in (cluster, other):
        retry(lambda one=one: one.kubectl("-n", "default", "wait", "pod/same", "--for=condition=Ready"))
    status = subprocess.run(described("status", "--json"), check=True, capture_output=True, text=True)
    assert json.loads(status.stdout)["state"] == "ready"

    identity = _settings(other).identity
    assert machine(other.state, identity).traces()
    subprocess.run(described("reset", "--yes"), check=True)
    assert machine(other.state, identity).left() == {}
    assert {path.name for path in other.state.iterdir()} <= {"trust", "cluster.lock"}
    assert cluster.status().state == "ready"
    assert "same" in cluster.kubectl("-n", "default", "get", "pods")
    cluster.kubectl("-n", "default", "delete", "pod", "same")
    absent = subprocess.run(described("status"), check=False, capture_output=True, text=True)
    assert absent.returncode == 1
    assert "absent" in absent.stdout


@pytest.mark.parametrize(
    "moment", [pytest.param("starting the node", marks=pytest.mark.drill), "waiting for the node"]
)
def test_up_that_was_killed_is_taken_up(moment, other, described):
    with subprocess.Popen(described("up"), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if moment in line:
                time.sleep(0.3)
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert other.status().state != "ready"
    assert other.up(print) is True
    assert other.status().state == "ready"
    assert other.up(print) is False


def test_a_second_up_at_the_same_time_is_refused(other, described):
    with subprocess.Popen(described("up"), stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            if "starting the node" in line:
                second = subprocess.run(described("up"), check=False, capture_output=True, text=True)
                break
        process.stdout.read()
    assert process.returncode == 0
    assert second.returncode == 1
    assert f"process {process.pid} is changing this cluster" in second.stderr


def test_lost_settings_of_a_running_node_do_not_matter(other, machine):
    other.up(print)
    node = Node(Settings.read(other.state / "cluster.json"))
    (other.state / "cluster.json").write_text("{")
    with pytest.raises(NodeError, match="remove it"):
        other.up(print)
    (other.state / "cluster.json").unlink()
    first = node.pid
    assert other.up(print) is True
    assert node.pid not in {None, first}
    (other.state / "cluster.json").write_text("{")
    other.reset(print)
    assert machine(other.state, node.settings.identity).left() == {}


def test_another_domain_is_taken_over(cluster, retry):
    changed = cluster.installation.model_copy(update={"domain": "changed.localhost"})
    renamed = EmbeddedCluster(changed)
    assert any("Corefile" in detail for change in renamed.plan() for detail in change.details)
    assert renamed.up(print) is True
    try:
        assert "changed.localhost" in cluster.run(["cat", "/var/lib/swath/configuration/Corefile"])
        assert renamed.status().state == "ready"
    finally:
        assert cluster.up(print) is True


def test_a_taken_port_is_refused_before_anything_is_changed(other, described, machine):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", other.installation.where.https_port))
        taken.listen()
        refused = subprocess.run(described("up"), check=False, capture_output=True, text=True)
    assert refused.returncode == 2
    assert f"port {other.installation.where.https_port} on 127.0.0.1 is taken" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (other.state / "cluster.json").exists()
    assert other.status().state == "absent"


def test_an_unprivileged_user_is_refused(tmp_path):
    script = (
        "import os; from pathlib import Path; from swath_sde.cluster._preflight import findings; "
        "os.setgid(65534); os.setuid(65534); "
        "print('\\n'.join(findings(https_port=21999, state=Path('/tmp'))))"
    )
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert "not root" in told
    assert "sudo" in told


def test_all_findings_are_told_at_once(other, monkeypatch):
    from swath_sde.cluster import _preflight

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        found = _preflight.findings(https_port=port, state=other.state, memory=1 << 50, disk=1 << 60)
    assert len(found) == 3
    assert "taken" in found[0]
    assert "MiB of memory" in found[1]
    assert "SWATH_HOME" in found[2]
    told = str(NotPossibleError(found))
    assert all(item in told for item in found)


def test_a_machine_that_has_everything_has_no_findings(other):
    assert other.findings() == []


def test_a_domain_that_leads_elsewhere_is_remarked(cluster):
    from swath_sde.cluster._preflight import remarks

    assert remarks(domain="swath.localhost") == []
    [told] = remarks(domain="swath.invalid")
    assert "hub.swath.invalid leads to nowhere" in told


def _age(settings, *, left):
    """Put certificates in place that were issued so long ago that ``left`` is left of them."""
    keep_keys(settings, now=dt.datetime.now(dt.UTC) - dt.timedelta(days=365) + left, anew=True)


def test_certificates_of_a_running_cluster_are_renewed_before_they_end(cluster, node):
    assert renew(node.settings) == set()  # none is due
    before = node.inner.processes()
    _age(node.settings, left=dt.timedelta(days=31))
    assert renew(node.settings) == set()
    assert cluster.up(print) is False
    _age(node.settings, left=dt.timedelta(days=29))
    assert cluster.up(print) is True
    after = cluster.status()
    assert after.certificates_until > dt.datetime.now(dt.UTC) + dt.timedelta(days=300)
    assert after.state == "ready"
    assert before["apiserver"].pid != node.inner.processes()["apiserver"].pid
    assert before["containerd"].pid == node.inner.processes()["containerd"].pid  # it has none


def test_a_cluster_whose_certificates_have_ended_is_repaired_by_up(cluster, node):
    _age(node.settings, left=dt.timedelta(seconds=5))
    for program in ("etcd", "apiserver", "kubelet", "scheduler"):
        node.inner.restart(program)
    time.sleep(5)
    with pytest.raises(NodeError):
        cluster.kubectl("get", "nodes", "--request-timeout=3s")
    assert cluster.up(print) is True
    assert cluster.status().state == "ready"

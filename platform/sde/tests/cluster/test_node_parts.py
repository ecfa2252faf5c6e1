"""Pieces of the embedded cluster that need no node."""

import datetime as dt
import fcntl
import json
import os
import socket
import subprocess
import tarfile

import pytest
from swath_sde import golang
from swath_sde.cluster._archive import write_image
from swath_sde.cluster._binaries import build_programs, kubectl_binary, kubernetes_version
from swath_sde.cluster._cgroups import Cgroups
from swath_sde.cluster._lock import locked
from swath_sde.cluster._ports import free_port, is_free, own_port
from swath_sde.cluster._status import ClusterStatus, ProgramStatus
from swath_sde.cluster._waiting import node_ready
from swath_sde.cluster.errors import BuildError, NodeError


def _node(status, heard):
    condition = {"type": "Ready", "status": status, "lastHeartbeatTime": heard}
    return json.dumps({"status": {"conditions": [condition]}})


@pytest.mark.parametrize(
    ("status", "heard", "ready"),
    [
        ("True", "2026-11-25T12:00:05Z", True),
        ("True", "2026-11-25T11:00:00Z", False),
        ("False", "2026-11-25T12:00:05Z", False),
    ],
    ids=["now", "before its end", "not ready"],
)
def test_what_a_node_said_before_it_was_started_does_not_count(status, heard, ready):
    since = dt.datetime(2026, 11, 25, 12, tzinfo=dt.UTC).timestamp()
    assert node_ready(_node(status, heard), since=since) is ready


def test_a_node_that_says_nothing_is_not_ready():
    assert node_ready("{}", since=0) is False


def test_the_same_files_give_the_same_image(tmp_path):
    (tmp_path / "program").write_bytes(b"x" * 10)
    made = []
    for name in ("one.tar", "two.tar"):
        write_image(
            tmp_path / name, reference="a/b:1", files={"/bin/program": tmp_path / "program"},
            links={"/bin/sh": "program"}, command=["/bin/program"],
        )  # fmt: skip
        made.append((tmp_path / name).read_bytes())
    assert made[0] == made[1]
    with tarfile.open(tmp_path / "one.tar") as archive:
        [manifest] = json.load(archive.extractfile("manifest.json"))
        assert manifest["RepoTags"] == ["a/b:1"]
        with tarfile.open(fileobj=archive.extractfile(manifest["Layers"][0])) as layer:
            assert {"bin", "bin/program", "bin/sh", "tmp"} == set(layer.getnames())
            assert layer.getmember("bin/program").mode == 0o755


def test_a_second_holder_is_refused_and_told_who_holds_it(tmp_path):
    script = (
        "import sys; from pathlib import Path; from swath_sde.cluster._lock import locked\n"
        f"with locked(Path({str(tmp_path)!r})): print('held', flush=True); sys.stdin.read()"
    )
    import sys

    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(NodeError, match=f"process {process.pid} is changing"), locked(tmp_path):
            pass
    with locked(tmp_path):
        assert (tmp_path / "cluster.lock").read_text().strip() == str(os.getpid())
    assert fcntl.LOCK_EX


def test_a_taken_port_is_not_free():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not is_free(port)
        assert free_port(port) > port


def test_a_cluster_has_its_own_port():
    assert own_port("a") != own_port("b")
    assert 16384 <= own_port("a") < 25000


def test_status_says_plainly_whether_policies_hold():
    status = ClusterStatus(
        "try", "ready", "v1", api="https://127.0.0.1:1", programs=(ProgramStatus("etcd", "RUNNING", 3),)
    )
    assert "NetworkPolicies     NOT enforced" in status.text()
    assert json.loads(json.dumps(status.to_dict()))["network_policies_enforced"] is False


def test_the_version_is_that_of_the_module():
    assert kubernetes_version().startswith("v1.")
    client = subprocess.run(
        [kubectl_binary(), "version", "--client"], check=True, capture_output=True, text=True
    )
    skew = int(client.stdout.split("v1.")[1].split(".")[0]) - int(kubernetes_version().split(".")[1])
    assert abs(skew) <= 1  # what Kubernetes' version skew policy allows


def test_a_missing_compiler_is_told_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setattr(golang, "_FOLDERS", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match=r"Go is needed.*install Go \d\.\d+ or newer"):
        build_programs(print)


def test_an_old_compiler_is_told_with_what_to_do(monkeypatch, tmp_path):
    (tmp_path / "go").write_text("#!/bin/sh\necho go1.19.8\n")
    (tmp_path / "go").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BuildError, match=r"go1\.19\.8, which is too old: install Go"):
        build_programs(print)


def test_cgroups_of_a_cluster_that_is_not_there_are_none():
    nobody = Cgroups("no-such-cluster-0000")
    assert not nobody.exist
    assert nobody.processes() == set()
    assert nobody.remove() == []

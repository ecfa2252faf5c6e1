"""What breaks while the platform runs or is made: nothing is lost, and the same command goes on."""

import json
import os
import signal
import subprocess
import time
from typing import Any

import pytest
from installation import SWATH, Platform
from swath_sde.cluster import EmbeddedCluster
from swath_sde.configuration import load_installation


@pytest.mark.parametrize(
    ("component", "pod"),
    [
        ("postgresql", "postgresql"),
        pytest.param("keycloak", "keycloak", marks=pytest.mark.drill),
        ("hub", "hub"),
        pytest.param("hub", "proxy", marks=pytest.mark.drill),
        pytest.param("registry", "registry", marks=pytest.mark.drill),
        pytest.param("ingress", "ingress", marks=pytest.mark.drill),
    ],
)
def test_a_pod_that_is_killed_comes_back(platform: Platform, component: str, pod: str) -> None:
    place = ("-n", f"{platform.name}-{component}")
    label = f"app.kubernetes.io/component={pod}" if component == "hub" else f"app.kubernetes.io/name={pod}"
    pods = (*place, "get", "pods", "-l", label, "-o", "json")

    def look() -> list[tuple[str, bool]]:
        return [
            (
                item["metadata"]["uid"],
                any(
                    one["type"] == "Ready" and one["status"] == "True" for one in item["status"]["conditions"]
                ),
            )
            for item in json.loads(platform.kubectl(*pods))["items"]
        ]

    before = {uid for uid, _ in look()}
    assert before
    platform.kubectl(*place, "delete", "pod", "-l", label, "--grace-period=0", "--force")
    platform.eventually(
        look,
        lambda now: bool(now) and all(uid not in before and ready for uid, ready in now),
        patience=420,
    )


def test_all_that_was_there_is_there_after_those_faults(platform: Platform) -> None:
    platform.eventually(lambda: platform.swath("status").returncode, lambda status: status == 0)
    assert platform.plan() == []


def test_two_applies_at_once_do_not_mix(platform: Platform) -> None:
    calls = [
        subprocess.Popen(
            [SWATH, "apply", "--file", platform.file],
            env=platform.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    told = [call.communicate(timeout=600) for call in calls]
    statuses = sorted(call.returncode for call in calls)
    assert statuses == [0, 1], told
    assert any("is changing the installation" in errors for _, errors in told), told


def test_an_apply_that_is_killed_while_a_release_is_made_is_taken_up(platform: Platform) -> None:
    namespace = f"{platform.name}-hub"
    platform.kubectl("-n", namespace, "scale", "deployment/hub", "--replicas=0")
    apply = subprocess.Popen(
        [SWATH, "apply", "--only", "hub", "--file", platform.file],
        env=platform.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    lease = ("-n", "default", "get", "lease", f"{platform.name}-apply", "--ignore-not-found", "-o", "name")
    while not platform.kubectl(*lease):
        assert apply.poll() is None, "it has ended before it was killed"
    os.killpg(apply.pid, signal.SIGKILL)
    apply.wait()
    time.sleep(1)
    platform.kubectl("-n", "default", "delete", "lease", f"{platform.name}-apply", "--ignore-not-found")
    done = platform.swath("apply", "--only", "hub")
    assert done.returncode == 0, done.stderr
    assert platform.plan() == []


def test_the_cluster_that_loses_its_node_comes_back_with_its_data(platform: Platform) -> None:
    before = platform.secret("keycloak", "initial-passwords", "ada")
    supervisor = f"supervisord -c {platform.state}/supervisor.conf"
    found = subprocess.run(["pgrep", "--full", supervisor], capture_output=True, text=True, check=True)
    for process in found.stdout.split():
        os.kill(int(process), signal.SIGKILL)
    done = platform.swath("up", "--no-tour")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert platform.secret("keycloak", "initial-passwords", "ada") == before
    assert platform.plan() == []
    claims = platform.kubectl(
        "-n", f"{platform.name}-hub", "get", "pvc", "-o", "jsonpath={.items[*].status.phase}"
    )
    assert set(claims.split()) <= {"Bound"}


def test_a_disk_that_fills_up_during_an_apply_is_told_and_the_same_apply_goes_on(
    platform: Platform, disk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if disk is None:
        pytest.skip("an installation that is kept (SWATH_TRIAL) is on the machine's own disk")
    before = platform.secret("keycloak", "initial-passwords", "ada")
    monkeypatch.delenv("SWATH_HOME", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", platform.environment["XDG_DATA_HOME"])
    cluster = EmbeddedCluster(load_installation(platform.file))
    listed = ["ctr", "-n", "k8s.io", "images", "list", "-q"]
    images = set(cluster.run(listed).split())
    platform.kubectl("-n", f"{platform.name}-hub", "scale", "deployment/hub", "--replicas=0")
    with subprocess.Popen(
        [SWATH, "apply", "--only", "hub", "--file", platform.file],
        env=platform.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as apply:
        assert apply.stderr is not None
        for line in apply.stderr:
            if line.startswith("hub: "):  # its release is made, and its pod is waited for
                break
        disk.fill()
        told = apply.stderr.read()
    assert apply.returncode == 1
    assert "hub cannot become ready" in told
    assert f"the disk of {platform.state}" in told
    assert "then call `swath apply`" in told
    for words in (["status"], ["apply"], ["cluster", "status"]):
        done = platform.swath(*words)
        assert done.returncode == 1, done
        assert "MiB are free, 1024 MiB are needed" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr

    disk.make_room()
    done = platform.swath("apply")
    assert done.returncode == 0, done.stderr[-3000:]
    assert platform.plan() == []
    assert platform.swath("status").returncode == 0
    assert platform.secret("keycloak", "initial-passwords", "ada") == before
    assert images <= set(cluster.run(listed).split())

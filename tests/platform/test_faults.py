"""What breaks while the platform runs or is made: nothing is lost, and the same command goes on."""

import json
import os
import signal
import subprocess
import time

import pytest
from installation import SWATH, Platform


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

"""What was changed by hand is shown by `plan` and repaired by `apply`; what Swath did not make stays."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from installation import Platform
from swath_sde.identity import Administration
from swath_sde.identity._server import connected

FOREIGN = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: somebody-elses, namespace: NAMESPACE}
data: {kept: "yes"}
"""


@pytest.fixture
def realm(platform: Platform) -> Iterator[Any]:
    """Give the administration of the realm, as somebody has it who changes things by hand."""
    administration = Administration(
        url=platform.url("keycloak"),
        address="127.0.0.1",
        ca_bundle=platform.state / "trust" / "ca.crt",
        username=platform.secret("keycloak", "keycloak", "admin-username"),
        password=platform.secret("keycloak", "keycloak", "admin-password"),
    )
    with connected(administration, "swath") as server:
        yield server.admin


def test_nothing_differs_after_up(platform: Platform) -> None:
    assert platform.plan() == []
    told = json.loads(platform.swath("status", "--json").stdout)
    assert told["ready"], told
    assert [one["component"] for one in told["components"]] == [
        "ingress",
        "registry",
        "postgresql",
        "keycloak",
        "hub",
    ]


def test_up_once_more_changes_nothing(platform: Platform) -> None:
    before = platform.kubectl("get", "pods", "-A", "-o", "jsonpath={.items[*].metadata.uid}")
    done = platform.swath("up", "--no-tour")
    assert done.returncode == 0, done.stderr
    assert "everything is as it should be" in done.stdout
    assert platform.kubectl("get", "pods", "-A", "-o", "jsonpath={.items[*].metadata.uid}") == before


def test_drift_in_a_release_is_shown_and_repaired(platform: Platform) -> None:
    namespace = f"{platform.name}-hub"
    platform.kubectl("-n", namespace, "scale", "deployment/proxy", "--replicas=0")
    platform.kubectl("-n", namespace, "delete", "configmap", "workspace")
    platform.kubectl("apply", "-f", "-", given=FOREIGN.replace("NAMESPACE", namespace))
    changes = {f"{change['kind']} {change['name']}": change for change in platform.plan()}
    assert changes[f"Deployment {namespace}/proxy"]["details"] == ["spec.replicas: 0 → 1"]
    assert changes[f"ConfigMap {namespace}/workspace"]["action"] == "create"
    assert len(changes) == 2, changes
    done = platform.swath("apply")
    assert done.returncode == 0, done.stderr
    assert platform.plan() == []
    assert (
        platform.kubectl("-n", namespace, "get", "deployment/proxy", "-o", "jsonpath={.status.readyReplicas}")
        == "1"
    )
    assert "yes" in platform.kubectl("-n", namespace, "get", "configmap", "somebody-elses", "-o", "yaml")


def test_drift_in_the_realm_is_shown_and_repaired(platform: Platform, realm) -> None:
    ada, bob = (realm.get_user_id(name) for name in ("ada", "bob"))
    groups = {group["name"]: group["id"] for group in realm.get_groups()}
    realm.group_user_add(ada, groups["admins"])
    realm.group_user_remove(bob, groups["developers-land"])
    realm.update_realm("swath", {"realm": "swath", "bruteForceProtected": False})
    realm.create_user({"username": "zoe", "enabled": True}, exist_ok=True)
    told = json.dumps(platform.plan("--only", "realm"))
    assert "Keycloak user ada" in told.replace('", "name": "', " ")
    for part in ("leaves admins", "joins developers-land", "bruteForceProtected"):
        assert part in told, told
    assert "zoe" not in told
    done = platform.swath("apply", "--only", "realm")
    assert done.returncode == 0, done.stderr
    assert platform.plan() == []
    assert [group["name"] for group in realm.get_user_groups(ada)] == ["developers-land"]
    assert [group["name"] for group in realm.get_user_groups(bob)] == ["developers-land"]
    assert realm.get_user_id("zoe")


def test_a_secret_made_in_the_cluster_is_never_made_again(platform: Platform) -> None:
    before = platform.secret("postgresql", "postgresql", "postgres-password")
    platform.kubectl("-n", f"{platform.name}-hub", "delete", "secret", "registry-pull")
    changes = platform.plan("--only", "secrets")
    assert [(change["name"], change["action"]) for change in changes] == [
        (f"{platform.name}-hub/registry-pull", "create")
    ]
    assert before not in json.dumps(changes)
    assert platform.swath("apply", "--only", "secrets").returncode == 0
    assert platform.secret("postgresql", "postgresql", "postgres-password") == before


def test_a_part_that_there_is_not_is_told(platform: Platform) -> None:
    done = platform.swath("plan", "--only", "keycloack")
    assert done.returncode == 2
    assert "no part 'keycloack'; did you mean 'keycloak'?" in done.stderr
    assert "Traceback" not in done.stderr

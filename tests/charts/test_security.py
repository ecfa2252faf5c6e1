"""Every pod meets *restricted* and more, every release is closed to the network, no object has a secret."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import LEAST, NAMES, USED, pod_specs

if TYPE_CHECKING:
    from .conftest import Helm

ALLOWED_VOLUMES = {
    "configMap",
    "emptyDir",
    "persistentVolumeClaim",
    "projected",
    "secret",
    "downwardAPI",
    "csi",
    "ephemeral",
}


def violations(spec: dict[str, Any]) -> list[str]:
    """Say where a pod's specification breaks *restricted* (Pod Security Standards) or our own rules."""
    found = [
        f"{field} is set"
        for field in ("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace")
        if spec.get(field)
    ]
    pod = spec.get("securityContext", {})
    if pod.get("runAsNonRoot") is not True or pod.get("runAsUser") in {None, 0}:
        found.append("the pod may run as root")
    if pod.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        found.append("no seccomp profile")
    found += [
        f"volume {volume['name']} is of another kind"
        for volume in spec.get("volumes", [])
        if not set(volume) - {"name"} <= ALLOWED_VOLUMES
    ]
    for container in spec.get("initContainers", []) + spec["containers"]:
        name, security = container["name"], container.get("securityContext", {})
        if security.get("privileged") or security.get("allowPrivilegeEscalation") is not False:
            found.append(f"{name} may gain privileges")
        if security.get("capabilities") != {"drop": ["ALL"]}:
            found.append(f"{name} keeps capabilities")
        if security.get("runAsUser") == 0 or security.get("runAsNonRoot") is False:
            found.append(f"{name} runs as root")
        if security.get("readOnlyRootFilesystem") is not True:
            found.append(f"{name} may write to its image")
        if any("hostPort" in port for port in container.get("ports", [])):
            found.append(f"{name} takes a port of the node")
        resources = container.get("resources", {})
        found += [
            f"{name} has no {kind} of {what}"
            for kind in ("requests", "limits")
            for what in ("cpu", "memory")
            if not resources.get(kind, {}).get(what)
        ]
    return found


def test_every_pod_is_restricted(rendered: list[dict[str, Any]]) -> None:
    for name, spec in pod_specs(rendered).items():
        assert violations(spec) == [], name


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"hostNetwork": True}, "hostNetwork is set"),
        ({"securityContext": {}}, "the pod may run as root"),
        (
            {"volumes": [{"name": "docker", "hostPath": {"path": "/var/run"}}]},
            "volume docker is of another kind",
        ),
        ({"containers": [{"name": "bare"}]}, "bare may gain privileges"),
    ],
)
def test_the_check_itself_finds_what_breaks_the_rules(helm: Helm, change: dict[str, Any], said: str) -> None:
    (spec,) = pod_specs(helm.objects("postgresql")).values()
    assert said in violations({**spec, **change})


def test_long_running_containers_are_probed(rendered: list[dict[str, Any]]) -> None:
    for name, spec in pod_specs(rendered).items():
        if name.startswith("CronJob/"):
            continue
        for container in spec["containers"]:
            assert {"readinessProbe", "livenessProbe"} <= set(container), name


def test_only_the_hub_has_a_service_account_token(rendered: list[dict[str, Any]]) -> None:
    with_token = {name for name, spec in pod_specs(rendered).items() if spec["automountServiceAccountToken"]}
    assert with_token <= {"Deployment/hub"}
    for body in rendered:
        if body["kind"] == "ServiceAccount":
            assert body["automountServiceAccountToken"] is False


def test_every_pod_has_an_account_of_its_own_chart(rendered: list[dict[str, Any]]) -> None:
    accounts = {body["metadata"]["name"] for body in rendered if body["kind"] == "ServiceAccount"}
    for name, spec in pod_specs(rendered).items():
        assert spec["serviceAccountName"] in accounts, name


def test_the_hub_may_touch_pods_volumes_and_events_of_its_namespace_alone(helm: Helm) -> None:
    objects = helm.objects("hub")
    assert not [body for body in objects if body["kind"].startswith("ClusterRole")]
    (role,) = (body for body in objects if body["kind"] == "Role")
    allowed = {(what, verb) for rule in role["rules"] for what in rule["resources"] for verb in rule["verbs"]}
    assert {what for what, _ in allowed} == {"pods", "persistentvolumeclaims", "events"}
    assert ("persistentvolumeclaims", "delete") not in allowed
    assert not any(verb == "*" for _, verb in allowed)


def test_no_chart_has_a_secret_or_a_value_that_looks_like_one(rendered: list[dict[str, Any]]) -> None:
    assert not [body for body in rendered if body["kind"] == "Secret"]
    for spec in pod_specs(rendered).values():
        for container in spec["containers"]:
            for variable in container.get("env", []):
                if re.search(r"PASSWORD|SECRET|TOKEN", variable["name"]):
                    assert "secretKeyRef" in variable.get("valueFrom", {}), variable["name"]
            assert not re.search(r"(?i)(password|token|secret)=\S", " ".join(container.get("args", [])))


@pytest.mark.parametrize("name", NAMES)
def test_a_release_denies_all_that_is_not_named(helm: Helm, name: str) -> None:
    policies = [body for body in helm.objects(name) if body["kind"] == "NetworkPolicy"]
    (default,) = (body for body in policies if body["metadata"]["name"] == f"{name}-default")
    assert default["spec"]["podSelector"]["matchLabels"] == {"app.kubernetes.io/instance": name}
    assert default["spec"]["ingress"] == []
    assert {port["port"] for rule in default["spec"]["egress"] for port in rule["ports"]} == {53}
    # Every pod of the release carries the label, so none escapes.
    for body in helm.objects(name):
        if body["kind"] in {"Deployment", "StatefulSet"}:
            assert body["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/instance"] == name


def rules(policy: dict[str, Any], direction: str) -> set[tuple[str, int]]:
    """Return who may connect, or be connected to, as (peer, port)."""
    found = set()
    for rule in policy["spec"].get(direction, []):
        for peer in rule.get("from" if direction == "ingress" else "to", [{}]):
            where = (
                peer.get("namespaceSelector", {})
                .get("matchLabels", {})
                .get("kubernetes.io/metadata.name", "")
            )
            who = peer.get("podSelector", {}).get("matchLabels", {}).get("app.kubernetes.io/name", "")
            block = peer.get("ipBlock", {}).get("cidr", "")
            found |= {(f"{where}/{who}{block}", port["port"]) for port in rule.get("ports", [{"port": 0}])}
    return found


def policy(objects: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(
        body for body in objects if (body["kind"], body["metadata"]["name"]) == ("NetworkPolicy", name)
    )


def test_users_pods_reach_the_hub_the_addresses_and_the_internet_only(helm: Helm) -> None:
    users = policy(helm.objects("hub"), "workspace-peers")
    assert rules(users, "ingress") == {("/proxy", 8888), ("/hub", 8888)}
    assert rules(users, "egress") == {("/hub", 8081), ("swath-ingress/", 8443), ("/0.0.0.0/0", 0)}
    blocks = [peer["ipBlock"] for rule in users["spec"]["egress"] for peer in rule["to"] if "ipBlock" in peer]
    assert "10.0.0.0/8" in blocks[0]["except"]
    closed = policy(helm.objects("hub", USED["hub"]), "workspace-peers")
    assert rules(closed, "egress") == {("/hub", 8081), ("sde-ingress/", 8443), ("/192.0.2.7/32", 8443)}


def test_databases_take_connections_of_their_components_pods_only(helm: Helm) -> None:
    clients = policy(helm.objects("postgresql"), "postgresql-clients")
    assert rules(clients, "ingress") == {("swath-keycloak/keycloak", 5432), ("swath-hub/hub", 5432)}


@pytest.mark.parametrize(("name", "port"), [("keycloak", 8080), ("registry", 5000)])
def test_services_are_reached_through_the_ingress_only(helm: Helm, name: str, port: int) -> None:
    objects = helm.objects(name)
    taken = [rules(body, "ingress") for body in objects if body["kind"] == "NetworkPolicy"]
    assert set().union(*taken) == {("swath-ingress/", port)}


def test_the_ingress_reaches_what_its_routes_name(helm: Helm) -> None:
    routes = policy(helm.objects("ingress", USED["ingress"]), "ingress-routes")
    assert rules(routes, "egress") == {("sde-keycloak/", 8080), ("sde-hub/", 8000)}
    assert rules(routes, "ingress") == {("/", 8443)}


def test_one_of_several_ingress_pods_may_go_at_a_time(helm: Helm) -> None:
    (budget,) = (
        body for body in helm.objects("ingress", USED["ingress"]) if body["kind"] == "PodDisruptionBudget"
    )
    assert budget["spec"]["maxUnavailable"] == 1
    alone = helm.objects("ingress", LEAST["ingress"])
    assert not [body for body in alone if body["kind"] == "PodDisruptionBudget"]

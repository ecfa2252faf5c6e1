"""What values a chart accepts, and how it refuses the others: by name, before anything is rendered."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from .conftest import CHARTS, DIGEST, IMAGE, LEAST, NAMES, USED

if TYPE_CHECKING:
    from .conftest import Helm


def schema(name: str) -> dict[str, Any]:
    return json.loads((CHARTS / name / "values.schema.json").read_text("utf-8"))


def changed(name: str, path: str, value: Any) -> dict[str, Any]:
    values = copy.deepcopy(LEAST[name])
    place = values
    *parents, last = path.split(".")
    for key in parents:
        place = place.setdefault(key, {})
    place[last] = value
    return values


def objects_in(node: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    if isinstance(node, list):
        return [pair for item in node for pair in objects_in(item, path)]
    if not isinstance(node, dict):
        return []
    found = [(path, node)] if "properties" in node and node.get("type") == "object" else []
    return found + [pair for key, item in node.items() for pair in objects_in(item, f"{path}/{key}")]


@pytest.mark.parametrize("name", NAMES)
def test_renders_with_the_least_and_with_an_installations_values(helm: Helm, name: str) -> None:
    assert helm.objects(name, LEAST[name])
    assert helm.objects(name, USED[name])


@pytest.mark.parametrize("name", NAMES)
def test_refuses_a_key_that_it_does_not_know(helm: Helm, name: str) -> None:
    said = helm.refusal(name, {**LEAST[name], "replicaCount": 2})
    assert "additional properties 'replicaCount' not allowed" in said


@pytest.mark.parametrize("name", NAMES)
def test_refuses_an_image_without_tag_and_digest(helm: Helm, name: str) -> None:
    assert "/image" in helm.refusal(name, {})


@pytest.mark.parametrize("name", NAMES)
def test_every_object_of_the_schema_is_closed_and_every_value_described(name: str) -> None:
    for path, node in objects_in(schema(name)):
        assert node.get("additionalProperties") is not None or path.endswith("/anyOf"), path
    for key, value in schema(name)["properties"].items():
        told = value.get("description") or schema(name)["$defs"][value["$ref"].rsplit("/", 1)[1]].get(
            "description"
        )
        assert told, f"{name}: {key} has no description"


def test_definitions_of_one_name_are_the_same_in_all_schemas() -> None:
    seen: dict[str, Any] = {}
    for name in NAMES:
        for key, definition in schema(name)["$defs"].items():
            assert seen.setdefault(key, definition) == definition, f"{key} differs in {name}"


@pytest.mark.parametrize("name", NAMES)
def test_the_defaults_name_every_value_of_the_schema(name: str) -> None:
    defaults = yaml.safe_load((CHARTS / name / "values.yaml").read_text("utf-8"))
    assert set(defaults) == set(schema(name)["properties"]) - {"global", "library"}


@pytest.mark.parametrize(
    ("name", "path", "value", "said"),
    [
        ("hub", "profiles", [], "/profiles"),
        ("hub", "profiles", ["rstudio"], "/profiles/0"),
        ("hub", "oidc.issuer", "http://keycloak.test/realms/swath", "/oidc/issuer"),
        ("hub", "culling.idleMinutes", 0, "/culling/idleMinutes"),
        ("hub", "access.allowedGroups", "scientists", "/access/allowedGroups"),
        ("hub", "storage.size", "ten", "/storage/size"),
        ("hub", "workspace.image.digest", "sha256:12", "/workspace/image/digest"),
        ("ingress", "kind", "nginx", "/kind"),
        ("keycloak", "networkPolicy.controllerNamespace", "Ingress_1", "/networkPolicy/controllerNamespace"),
        ("ingress", "routes", [{"host": "a.test"}], "missing properties"),
        (
            "ingress",
            "routes",
            [{"host": "a b", "service": "s", "namespace": "n", "port": 1}],
            "/routes/0/host",
        ),
        ("ingress", "httpsPort", 70000, "/httpsPort"),
        ("ingress", "service.type", "HostPort", "/service/type"),
        ("keycloak", "startupSeconds", 5, "/startupSeconds"),
        ("keycloak", "resources.limits.memory", "much", "/resources/limits/memory"),
        ("postgresql", "clients", ["Keycloak"], "/clients/0"),
        ("postgresql", "storage.class", "Fast!", "/storage/class"),
        ("registry", "garbageCollection.schedule", "at night", "/garbageCollection/schedule"),
        ("registry", "host", "registry_1", "/host"),
    ],
)
def test_refuses_by_name(helm: Helm, name: str, path: str, value: Any, said: str) -> None:
    assert said in helm.refusal(name, changed(name, path, value))


def test_a_digest_has_precedence_over_a_tag(helm: Helm) -> None:
    values = {"image": {"repository": "r.test/keycloak", **IMAGE, "digest": DIGEST}}
    assert f"image: r.test/keycloak@{DIGEST}" in helm.render("keycloak", values)


def test_an_address_at_port_443_is_written_without_it(helm: Helm) -> None:
    assert '"https://keycloak.sde.test"' in helm.render("keycloak", USED["keycloak"])


def test_an_installation_that_trusts_its_cluster_can_do_without_policies(helm: Helm) -> None:
    for name in NAMES:
        objects = helm.objects(name, {**LEAST[name], "networkPolicy": {"enabled": False}})
        assert not [body for body in objects if body["kind"] == "NetworkPolicy"]


def test_ingress_objects_take_the_place_of_haproxy(helm: Helm) -> None:
    values = {
        **USED["ingress"],
        "kind": "Ingress",
        "ingress": {"className": "nginx", "annotations": {"a/b": "c"}},
    }
    objects = helm.objects("ingress", values)
    assert {body["kind"] for body in objects} == {"Ingress"}
    hub = objects[1]
    assert hub["metadata"]["namespace"] == "sde-hub"
    assert hub["spec"]["ingressClassName"] == "nginx"
    assert hub["spec"]["tls"] == [{"hosts": ["hub.sde.test"], "secretName": "ingress-tls"}]


@pytest.mark.parametrize(("name", "port"), [("keycloak", 8080), ("hub", 8000), ("registry", 5000)])
def test_another_controller_is_admitted_in_the_place_of_our_ingress(helm: Helm, name: str, port: int) -> None:
    values = changed(name, "networkPolicy.controllerNamespace", "ingress-nginx")
    told = yaml.safe_dump([body for body in helm.objects(name, values) if body["kind"] == "NetworkPolicy"])
    assert "swath-ingress" not in told
    rules = [
        rule
        for body in helm.objects(name, values)
        if body["kind"] == "NetworkPolicy"
        for rule in body["spec"].get("ingress", [])
        if rule["from"][0].get("namespaceSelector", {}).get("matchLabels")
        == {"kubernetes.io/metadata.name": "ingress-nginx"}
    ]
    assert [rule["ports"] for rule in rules] == [[{"port": port}]]


def test_pods_reach_the_addresses_through_another_controller_at_whatever_port_its_pods_have(
    helm: Helm,
) -> None:
    values = changed("hub", "networkPolicy.controllerNamespace", "ingress-nginx")
    place = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress-nginx"}}}
    rules = [
        rule
        for body in helm.objects("hub", values)
        if body["kind"] == "NetworkPolicy"
        for rule in body["spec"].get("egress", [])
        if place in rule.get("to", [])
    ]
    assert rules == [{"to": [place]}] * 2  # the hub's and the workspaces'

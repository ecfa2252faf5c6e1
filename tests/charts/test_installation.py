"""The values that follow from an installation's `swath.yaml` are values that the charts take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from swath_sde.configuration import Installation
from swath_sde.releases import _values

from .conftest import DIGEST, NAMES, pod_specs

if TYPE_CHECKING:
    from .conftest import Helm

INSTALLATIONS: dict[str, dict[str, Any]] = {
    "embedded": {"version": 1},
    "cluster": {
        "version": 1,
        "name": "eo",
        "domain": "sde.example",
        "where": {"kind": "kubeconfig", "https_port": 443, "kubeconfig": "kubeconfig.yaml"},
        "images": {"registry": "registry.test/swath", "login": "login.json"},
        "storage": {"class": "fast"},
    },
    "another controller": {
        "version": 1,
        "where": {"kind": "kubeconfig", "https_port": 443, "kubeconfig": "kubeconfig.yaml"},
        "images": {"registry": "registry.test/swath", "login": "login.json"},
        "components": {
            "ingress": {"kind": "Ingress", "class": "nginx", "controller_namespace": "ingress-nginx"}
        },
    },
}


@pytest.fixture(params=sorted(INSTALLATIONS))
def installation(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Installation:
    # No image is built here; what is built, and its digest, is told elsewhere.
    monkeypatch.setattr(_values, "reference_of", lambda _, image: f"registry.test/swath/{image}:t@{DIGEST}")
    return Installation.model_validate(INSTALLATIONS[request.param])


@pytest.mark.parametrize("name", NAMES)
def test_the_chart_takes_the_values_of(helm: Helm, installation: Installation, name: str) -> None:
    objects = helm.objects(name, _values.values_of(installation, name))
    for spec in pod_specs(objects).values():
        assert all(DIGEST in container["image"] for container in spec["containers"])
    peers = {
        peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
        for body in objects
        if body["kind"] == "NetworkPolicy"
        for rule in body["spec"].get("ingress", []) + body["spec"].get("egress", [])
        for peer in rule.get("from", []) + rule.get("to", [])
        if "namespaceSelector" in peer
    }
    expected = {installation.namespace(component) for component in NAMES}
    if controller := installation.components.ingress.controller_namespace:
        expected = (expected - {installation.namespace("ingress")}) | {controller}
    assert peers - {"kube-system"} <= expected

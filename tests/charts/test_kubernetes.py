"""Rendered objects are what the API server of the supported release takes."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest

RELEASE = "1.35"


def test_every_object_fits_kubernetes_schema(rendered: list[dict[str, Any]]) -> None:
    for body in rendered:
        kubernetes_validate.validate(body, RELEASE, strict=True)


def test_the_check_itself_refuses_an_unknown_field(rendered: list[dict[str, Any]]) -> None:
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**rendered[0], "specs": {}}, RELEASE, strict=True)


def test_no_two_objects_have_the_same_name(rendered: list[dict[str, Any]]) -> None:
    names = [(body["kind"], body["metadata"].get("namespace"), body["metadata"]["name"]) for body in rendered]
    assert len(names) == len(set(names))


def test_what_a_pod_mounts_is_one_of_its_volumes(rendered: list[dict[str, Any]]) -> None:
    from .conftest import pod_specs

    claimed = {
        template["metadata"]["name"]
        for body in rendered
        for template in body.get("spec", {}).get("volumeClaimTemplates", [])
    }
    for name, spec in pod_specs(rendered).items():
        volumes = {volume["name"] for volume in spec["volumes"]} | claimed
        mounts = {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]}
        assert mounts == volumes, name


def test_services_and_policies_select_pods_that_exist(rendered: list[dict[str, Any]]) -> None:
    labels = [
        template["metadata"]["labels"]
        for body in rendered
        for template in [
            body.get("spec", {}).get("template")
            or body.get("spec", {}).get("jobTemplate", {}).get("spec", {}).get("template")
        ]
        if template
    ]
    # Pods that the hub makes, by the labels that its settings give it.
    labels.append({"app.kubernetes.io/name": "workspace", "app.kubernetes.io/instance": "hub"})
    for body in rendered:
        if body["kind"] == "Service":
            wanted = body["spec"]["selector"]
        elif body["kind"] == "NetworkPolicy":
            wanted = body["spec"]["podSelector"]["matchLabels"]
        else:
            continue
        assert any(wanted.items() <= have.items() for have in labels), body["metadata"]["name"]

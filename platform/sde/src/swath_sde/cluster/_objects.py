"""What stands in every embedded cluster from the start: storage class, name server, rights of its parts."""

from __future__ import annotations

from typing import Any

from swath_sde.cluster._configuration import STORAGE_CLASS
from swath_sde.cluster._settings import DNS_ADDRESS, NODE_ADDRESS

__all__ = ["first_objects"]

_READ = ["get", "list", "watch"]
_LABELS = {"app.kubernetes.io/part-of": "swath", "app.kubernetes.io/managed-by": "swath-cluster"}


def first_objects() -> list[dict[str, Any]]:
    """Return the objects, in the order in which they are applied."""
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": STORAGE_CLASS,
                "labels": _LABELS,
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "swath/local",
            "reclaimPolicy": "Delete",
            "volumeBindingMode": "WaitForFirstConsumer",
        },
        *_name_server(),
        # The API server reads logs and runs commands in pods through the kubelet.
        _binding("swath:kubelet-api", "system:kubelet-api-admin", "kube-apiserver-kubelet-client"),
        *_role(
            "swath:dns",
            [
                _rule("", ["endpoints", "services", "pods", "namespaces"]),
                _rule("discovery.k8s.io", ["endpointslices"]),
            ],
        ),
        *_role(
            "swath:policies",
            [
                _rule("", ["pods", "namespaces"]),
                _rule("networking.k8s.io", ["networkpolicies"]),
                _rule("", ["events"], ["create", "patch", "update"]),
            ],
        ),
        *_role(
            "swath:volumes",
            [
                _rule("", ["persistentvolumes"], [*_READ, "create", "delete", "patch", "update"]),
                _rule("", ["persistentvolumeclaims"], [*_READ, "update", "patch"]),
                _rule("storage.k8s.io", ["storageclasses"]),
                _rule("", ["nodes"]),
                _rule("", ["events"], ["create", "patch", "update"]),
            ],
        ),
    ]


def _name_server() -> list[dict[str, Any]]:
    """Return the Service of the name server, which is a process of the node and no pod."""
    ports = [("dns", "UDP", 53), ("dns-tcp", "TCP", 53)]
    name = {"name": "kube-dns", "namespace": "kube-system"}
    return [
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {**name, "labels": {**_LABELS, "k8s-app": "kube-dns"}},
            "spec": {
                "clusterIP": DNS_ADDRESS,
                "ports": [
                    {"name": port, "protocol": protocol, "port": number, "targetPort": number}
                    for port, protocol, number in ports
                ],
            },
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "kube-dns-node",
                "namespace": "kube-system",
                "labels": {**_LABELS, "kubernetes.io/service-name": "kube-dns"},
            },
            "addressType": "IPv4",
            "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
            "ports": [
                {"name": port, "protocol": protocol, "port": number} for port, protocol, number in ports
            ],
        },
    ]


def _rule(group: str, resources: list[str], verbs: list[str] | None = None) -> dict[str, Any]:
    return {"apiGroups": [group], "resources": resources, "verbs": verbs or _READ}


def _role(name: str, rules: list[dict[str, Any]]) -> list[dict[str, Any]]:
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name, "labels": _LABELS},
        "rules": rules,
    }
    return [role, _binding(name, name, name)]


def _binding(name: str, role: str, user: str) -> dict[str, Any]:
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": f"{group}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name, "labels": _LABELS},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": group, "kind": "User", "name": user}],
    }

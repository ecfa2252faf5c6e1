"""The matrix for the Kubernetes API: roles and bindings for ``oidc:<group>``, and the groups' namespaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath_sde.errors import ConfigurationError

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["PREFIX", "RULES", "kubernetes_access", "team_namespaces"]

PREFIX = "oidc:"
"""What the API server puts before user and group names of tokens, so that they never meet its own."""

_READ = ["get", "list", "watch"]
_WRITE = ["create", "update", "patch", "delete", "deletecollection"]


def _rule(groups: list[str], resources: list[str], verbs: list[str]) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs}


_VIEW = [
    # Neither secrets nor logs, which may hold what users typed.
    _rule(
        [""],
        [
            "configmaps",
            "endpoints",
            "events",
            "limitranges",
            "persistentvolumeclaims",
            "pods",
            "pods/status",
            "replicationcontrollers",
            "resourcequotas",
            "serviceaccounts",
            "services",
        ],
        _READ,
    ),
    _rule(["apps"], ["daemonsets", "deployments", "replicasets", "statefulsets"], _READ),
    _rule(["autoscaling"], ["horizontalpodautoscalers"], _READ),
    _rule(["batch"], ["cronjobs", "jobs"], _READ),
    _rule(["discovery.k8s.io"], ["endpointslices"], _READ),
    _rule(["events.k8s.io"], ["events"], _READ),
    _rule(["networking.k8s.io"], ["ingresses", "networkpolicies"], _READ),
    _rule(["policy"], ["poddisruptionbudgets"], _READ),
]

_EDIT = [
    # Secrets may be given to workloads but not read back through the API. Rights and network policies are
    # not among these: nobody widens the own access.
    _rule(
        [""],
        ["configmaps", "persistentvolumeclaims", "pods", "services"],
        _WRITE,
    ),
    _rule([""], ["secrets"], ["create", "update", "patch", "delete"]),
    _rule([""], ["pods/log"], _READ),
    _rule([""], ["pods/exec", "pods/portforward", "pods/attach"], ["get", "create"]),
    _rule(["apps"], ["deployments", "statefulsets", "deployments/scale", "statefulsets/scale"], _WRITE),
    _rule(["batch"], ["cronjobs", "jobs"], _WRITE),
    _rule(["autoscaling"], ["horizontalpodautoscalers"], _WRITE),
    _rule(["policy"], ["poddisruptionbudgets"], _WRITE),
]

_ADMIN = [
    # As cluster-admin but under its own name in audits, and without impersonate, escalate and bind: whatever
    # an administrator does stands in the audit log under the administrator's own name.
    _rule(["*"], ["*"], [*_READ, *_WRITE]),
    {"nonResourceURLs": ["*"], "verbs": ["get"]},
]

RULES = {"view": _VIEW, "edit": _EDIT, "admin": _ADMIN}
"""What ``kubernetes:`` of a role means, as rules of a ClusterRole; ``edit`` comes on top of ``view``."""


def team_namespaces(installation: Installation) -> dict[str, str]:
    """Return group → its own namespace, for the groups whose role has ``kubernetes: edit``.

    Raises
    ------
    ConfigurationError
        The name of such a namespace is longer than Kubernetes allows, or is one of a component.
    """
    identity, found = installation.identity, {}
    taken = {installation.namespace(component) for component in _components(installation)}
    for name, group in identity.groups.items():
        if identity.roles[group.role].kubernetes != "edit":
            continue
        namespace = installation.namespace(name)
        if len(namespace) > 63:
            raise ConfigurationError(
                f"group {name!r} would get the namespace {namespace!r} of {len(namespace)} characters; "
                "Kubernetes takes 63 (RFC 1123): choose a shorter name for the group or the installation"
            )
        if namespace in taken:
            raise ConfigurationError(
                f"group {name!r} would get the namespace {namespace!r}, which is that of a component: "
                "choose another name for the group"
            )
        found[name] = namespace
    return found


def kubernetes_access(installation: Installation) -> list[dict[str, Any]]:
    """Return the manifests that give each group what its role says, namespaces of groups included.

    The namespaces of the components are expected to be there.
    """
    identity = installation.identity
    teams = team_namespaces(installation)
    manifests = [_namespace(installation, namespace, group) for group, namespace in teams.items()]
    by_access: dict[str, list[str]] = {}
    for name, group in identity.groups.items():
        by_access.setdefault(identity.roles[group.role].kubernetes, []).append(name)
    viewers = by_access.get("view", []) + by_access.get("edit", [])
    for access, groups in (("view", viewers), ("edit", list(teams)), ("admin", by_access.get("admin", []))):
        if groups:
            manifests.append(_cluster_role(installation, access))
    if viewers:
        components = [installation.namespace(component) for component in _components(installation)]
        manifests += [
            _binding(installation, "view", viewers, namespace) for namespace in [*components, *teams.values()]
        ]
    manifests += [_binding(installation, "edit", [group], namespace) for group, namespace in teams.items()]
    if admins := by_access.get("admin"):
        manifests.append(_binding(installation, "admin", admins, None))
    return manifests


def _components(installation: Installation) -> list[str]:
    return [*installation.components.enabled(), "builds"]


def _labels(installation: Installation) -> dict[str, str]:
    return {
        "app.kubernetes.io/name": "identity",
        "app.kubernetes.io/instance": installation.name,
        "app.kubernetes.io/part-of": "swath",
        "app.kubernetes.io/managed-by": "swath",
    }


def _namespace(installation: Installation, name: str, group: str) -> dict[str, Any]:
    restricted = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn", "audit")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": name,
            "labels": {**_labels(installation), **restricted, "swath.io/group": group},
        },
    }


def _cluster_role(installation: Installation, access: str) -> dict[str, Any]:
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": f"{installation.name}:{access}", "labels": _labels(installation)},
        "rules": RULES[access],
    }


def _binding(
    installation: Installation, access: str, groups: list[str], namespace: str | None
) -> dict[str, Any]:
    metadata: dict[str, Any] = {"name": f"{installation.name}:{access}", "labels": _labels(installation)}
    if namespace is not None:
        metadata["namespace"] = namespace
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding" if namespace is not None else "ClusterRoleBinding",
        "metadata": metadata,
        "roleRef": {
            "apiGroup": "rbac.authorization.k8s.io",
            "kind": "ClusterRole",
            "name": f"{installation.name}:{access}",
        },
        "subjects": [
            {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": f"{PREFIX}{group}"}
            for group in groups
        ],
    }

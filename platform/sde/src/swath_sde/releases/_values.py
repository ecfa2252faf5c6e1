"""Values of each chart, as they follow from ``swath.yaml`` and the images that were built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath_sde.delivery import FIRST, reference_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath_sde.configuration import Component, Installation

__all__ = ["values_of"]

_PULL_SECRET = "registry-pull"  # noqa: S105 -- the name of a Secret


def values_of(installation: Installation, component: str) -> dict[str, Any]:
    """Return the values of a component's chart.

    Raises
    ------
    ImageError
        An image that it needs has not been built.
    """
    return _common(installation, component) | _OWN[component](installation)


def _image(installation: Installation, image: str) -> dict[str, str]:
    """Return how a chart is told an image: by its digest where it has one."""
    reference, _, digest = reference_of(installation, image).partition("@")
    repository, _, tag = reference.rpartition(":")
    return {"repository": repository, "tag": tag, "digest": digest}


def _common(installation: Installation, component: str) -> dict[str, Any]:
    part: Component = getattr(installation.components, component)
    return {
        "installation": installation.name,
        "resources": part.resources.model_dump(mode="json"),
        "networkPolicy": {"enabled": True, "dns": _dns(installation)},
    }


def _dns(installation: Installation) -> dict[str, Any]:
    """Return where the cluster's DNS answers: on the embedded cluster it is a process of the node."""
    if installation.where.kind != "embedded":
        return {"cidr": str(installation.where.dns) if installation.where.dns else None}
    from swath_sde.cluster import NODE_ADDRESS  # noqa: PLC0415 -- only where it is needed

    return {"cidr": f"{NODE_ADDRESS}/32"}


def _api_server(installation: Installation) -> dict[str, Any]:
    """Return where the API server is, for policies: on the embedded cluster at the node's own address."""
    if installation.where.kind != "embedded":
        return {"cidr": "0.0.0.0/0", "ports": [443, 6443]}
    from swath_sde.cluster import NODE_ADDRESS  # noqa: PLC0415 -- only where it is needed

    return {"cidr": f"{NODE_ADDRESS}/32", "ports": [6443]}


def _storage(installation: Installation, size: str) -> dict[str, Any]:
    return {"size": size, "class": installation.storage.storage_class}


def _pulled(installation: Installation, image: str) -> dict[str, Any]:
    # The embedded cluster has the first images in its own store.
    secrets = [_PULL_SECRET] if installation.images.registry is not None or image not in FIRST else []
    return {"image": _image(installation, image), "imagePullSecrets": secrets}


def _ingress(installation: Installation) -> dict[str, Any]:
    port = installation.where.https_port
    embedded = installation.where.kind == "embedded"
    part = installation.components.ingress
    enabled = set(installation.components.enabled())
    services = (("keycloak", "keycloak", 8080), ("hub", "proxy", 8000), ("registry", "registry", 5000))
    return {
        # The chart wants to know it in any case; with another controller, no pod runs it.
        **_pulled(installation, "haproxy"),
        "kind": part.kind,
        "ingress": {"className": part.class_name, "annotations": part.annotations},
        "httpsPort": port,
        "existingSecret": "ingress-tls",
        "service": {
            "type": "NodePort" if embedded else installation.where.service,
            "nodePort": port if embedded else None,
        },
        "routes": [
            {
                "host": installation.host(component),
                "service": service,
                "namespace": installation.namespace(component),
                "port": target,
                "websockets": component == "hub",
            }
            for component, service, target in services
            if component in enabled
        ],
    }


def _addressed(installation: Installation, component: str, image: str) -> dict[str, Any]:
    """Return the values of a component that people or the kubelet reach by a host name."""
    policy = _common(installation, component)["networkPolicy"]
    return {
        "networkPolicy": {
            **policy,
            "controllerNamespace": installation.components.ingress.controller_namespace,
        },
        **_pulled(installation, image),
        "host": installation.host(component),
        "httpsPort": installation.where.https_port,
        "existingSecret": component,
    }


def _registry(installation: Installation) -> dict[str, Any]:
    storage = _storage(installation, installation.components.registry.storage)
    return {**_addressed(installation, "registry", "registry"), "storage": storage}


def _postgresql(installation: Installation) -> dict[str, Any]:
    enabled = installation.components.enabled()
    return {
        **_pulled(installation, "postgresql"),
        "existingSecret": "postgresql",
        "storage": _storage(installation, installation.components.postgresql.storage),
        "clients": [component for component in ("keycloak", "hub") if component in enabled],
    }


def _database(installation: Installation) -> dict[str, Any]:
    return {"host": f"postgresql.{installation.namespace('postgresql')}"}


def _keycloak(installation: Installation) -> dict[str, Any]:
    return {
        **_addressed(installation, "keycloak", "keycloak"),
        "database": _database(installation),
    }


def _hub(installation: Installation) -> dict[str, Any]:
    from swath_sde.identity import hub_access  # noqa: PLC0415 -- only where it is needed

    hub, access = installation.components.hub, hub_access(installation)
    addressed = _addressed(installation, "hub", "hub")
    return {
        **addressed,
        "database": _database(installation),
        "oidc": {"issuer": installation.issuer},
        "access": {
            "allowedGroups": sorted(access.allowed_groups),
            "adminGroups": sorted(access.admin_groups),
        },
        "profiles": list(hub.profiles),
        "culling": {"idleMinutes": hub.idle_minutes, "maxAgeHours": installation.server_hours},
        "storage": _storage(installation, hub.user_storage),
        "proxy": {"image": _image(installation, "proxy")},
        "workspace": {
            "image": _image(installation, "workspace"),
            "resources": hub.user_resources.model_dump(mode="json"),
        },
        "networkPolicy": {**addressed["networkPolicy"], "apiServer": _api_server(installation)},
    }


_OWN: dict[str, Callable[[Installation], dict[str, Any]]] = {
    "ingress": _ingress,
    "registry": _registry,
    "postgresql": _postgresql,
    "keycloak": _keycloak,
    "hub": _hub,
}

"""What an installation needs before its components: every object, with values kept that exist already."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from swath_sde.secrets._generate import crypt_key, htpasswd, new_password, pull_config

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from swath_sde.configuration import Installation

__all__ = ["MANAGED_BY", "Certificate", "Values", "desired_objects", "namespaces"]

MANAGED_BY = "app.kubernetes.io/managed-by"
"""Label of what Swath has made."""

_RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
"""The Pod Security Standard that all components meet."""

_REGISTRY_USER = "swath"


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its key, PEM."""

    chain: str
    """The certificate, and those between it and the authority."""
    key: str
    """Its private key."""


class Values:
    """The values of secrets: those that are in the cluster already, or new ones.

    Parameters
    ----------
    read
        Returns what a Secret of a namespace holds, by key; nothing where there is none.
    """

    def __init__(self, read: Callable[[str, str], Mapping[str, str]]) -> None:
        self._read = read
        self._known: dict[tuple[str, str], dict[str, str]] = {}

    def value(self, namespace: str, name: str, key: str, make: Callable[[], str] = new_password) -> str:
        """Return a value; it is made where it does not exist, and never made twice."""
        known = self._known.setdefault((namespace, name), dict(self._read(namespace, name)))
        if not known.get(key):
            known[key] = make()
        return known[key]


_BASELINE = {
    "pod-security.kubernetes.io/enforce": "baseline",
    "pod-security.kubernetes.io/audit": "restricted",
    "pod-security.kubernetes.io/warn": "restricted",
}
"""The standard of image builds, a written exemption: what unpacks a root file system has to be root there."""

_PRIVILEGED = _BASELINE | {"pod-security.kubernetes.io/enforce": "privileged"}
"""The standard of builds with our own images there: buildah mounts what a step sees, BuildKit makes a user
namespace, which the node's default profile of system calls denies. Users make no pods there."""


def namespaces(installation: Installation) -> list[str]:
    """Return the namespaces of the enabled components, and that of image builds."""
    return [installation.namespace(name) for name in (*installation.components.enabled(), "builds")]


def desired_objects(
    installation: Installation,
    values: Values,
    *,
    authority: str,
    system_authorities: str,
    certificate: Certificate,
    login: tuple[str, str] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield the manifests, namespaces first.

    Parameters
    ----------
    installation
        What they are for.
    values
        Of the secrets.
    authority
        Certificate of the installation's authority, PEM.
    system_authorities
        Certificates that the system trusts, PEM.
    certificate
        Of all addresses.
    login
        Name and password for another registry than the installation's own.
    """
    enabled = installation.components.enabled()
    builds = installation.namespace("builds")
    for namespace in namespaces(installation):
        standard = _builds_standard(installation) if namespace == builds else _RESTRICTED
        yield _object("Namespace", namespace, None, labels=standard)
    for namespace in namespaces(installation):
        yield _object(
            "ConfigMap",
            "swath-ca",
            namespace,
            data={"ca.crt": authority, "bundle.crt": f"{system_authorities.rstrip()}\n{authority}"},
        )
    for component, data in _secrets(installation, values).items():
        if component in enabled:
            yield _secret(component, installation.namespace(component), data)
    if "registry" in enabled and installation.images.registry is None:
        place = installation.namespace("registry")
        login = (_REGISTRY_USER, values.value(place, "registry", "password"))
    if login is not None:
        content = json.dumps(pull_config(installation.image_registry.partition("/")[0], *login))
        for namespace in namespaces(installation):
            yield _login("registry-pull", namespace, content)
        if installation.images.in_cluster:
            yield _login("registry-push", builds, content)
    if "ingress" in enabled:
        for component in _with_certificate(installation):
            yield _secret(
                "ingress-tls",
                installation.namespace(component),
                {"tls.crt": certificate.chain, "tls.key": certificate.key},
                kind="kubernetes.io/tls",
            )


def _with_certificate(installation: Installation) -> list[str]:
    """Return the components whose namespaces have the certificate: controllers take it from a route's own."""
    routed = ("keycloak", "hub", "registry") if installation.components.ingress.kind == "Ingress" else ()
    return [name for name in installation.components.enabled() if name in {"ingress", *routed}]


def _builds_standard(installation: Installation) -> dict[str, str]:
    images = installation.images
    return _PRIVILEGED if images.in_cluster and images.builder != "kaniko" else _BASELINE


def _login(name: str, namespace: str, content: str) -> dict[str, Any]:
    data = {".dockerconfigjson": content}
    return _secret(name, namespace, data, kind="kubernetes.io/dockerconfigjson")


def _secrets(installation: Installation, values: Values) -> dict[str, dict[str, str]]:
    """Return what each component's Secret holds; passwords that two share are the database's."""
    data, keycloak, hub = (installation.namespace(name) for name in ("postgresql", "keycloak", "hub"))
    registry = installation.namespace("registry")
    database = {
        key: values.value(data, "postgresql", key)
        for key in ("postgres-password", "keycloak-password", "hub-password")
    }
    password = values.value(registry, "registry", "password")
    return {
        "postgresql": database,
        "keycloak": {
            "admin-username": values.value(keycloak, "keycloak", "admin-username", lambda: "swath-admin"),
            "admin-password": values.value(keycloak, "keycloak", "admin-password"),
            "db-password": database["keycloak-password"],
        },
        "hub": {
            "client-secret": values.value(hub, "hub", "client-secret"),
            "crypt-key": values.value(hub, "hub", "crypt-key", crypt_key),
            "cookie-secret": values.value(hub, "hub", "cookie-secret", crypt_key),
            "proxy-token": values.value(hub, "hub", "proxy-token", crypt_key),
            "db-password": database["hub-password"],
        },
        "registry": {
            "username": _REGISTRY_USER,
            "password": password,
            # Salted: the line is made once for a password, and stays.
            "htpasswd": values.value(
                registry, "registry", "htpasswd", lambda: htpasswd(_REGISTRY_USER, password)
            ),
        },
    }


def _secret(name: str, namespace: str, data: Mapping[str, str], kind: str = "Opaque") -> dict[str, Any]:
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
    return {**_object("Secret", name, namespace, data=encoded), "type": kind}


def _object(
    kind: str,
    name: str,
    namespace: str | None,
    *,
    labels: Mapping[str, str] | None = None,
    data: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "name": name,
        "labels": {
            "app.kubernetes.io/part-of": "swath",
            MANAGED_BY: "swath",
            **(labels or {}),
        },
    }
    if namespace is not None:
        metadata["namespace"] = namespace
    body: dict[str, Any] = {"apiVersion": "v1", "kind": kind, "metadata": metadata}
    return body if data is None else {**body, "data": dict(data)}

"""Planning and making what must be in the cluster first. Secrets that exist keep their values."""

from __future__ import annotations

import base64
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi

from swath_sde.changes import Action, Change, pending
from swath_sde.errors import ConfigurationError
from swath_sde.objects import Objects, applying, change_of, objects_of
from swath_sde.secrets._desired import MANAGED_BY, Certificate, Values, desired_objects, namespaces
from swath_sde.secrets._login import registry_login
from swath_sde.trust import Request, installation_authority

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from swath_sde.configuration import Installation
    from swath_sde.trust import Authority

__all__ = ["apply_secrets", "plan_secrets", "read_secret", "remove_namespaces"]

_SYSTEM_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
"""Where Debian keeps the certificates that the machine trusts; a site's own are among them."""


def plan_secrets(installation: Installation) -> list[Change]:
    """Return what ``apply_secrets`` would do; a Secret's values are never told.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    """
    objects = objects_of(installation)
    return [_compare(objects, body) for body in _desired(installation, objects)]


def apply_secrets(installation: Installation) -> list[Change]:
    """Make namespaces, trust, and secrets what they should be, and return what was done.

    Raises
    ------
    ClusterError
        The cluster cannot be reached, or refuses an object.
    """
    objects = objects_of(installation)
    wanted = [(body, _compare(objects, body)) for body in _desired(installation, objects)]
    changes = pending(change for _, change in wanted)
    if changes:
        with applying(objects, installation.name):
            for body, change in wanted:
                if change.action is not Action.NONE:
                    objects.apply(body)
                    if body["metadata"]["name"] == "ingress-tls" and change.action is Action.UPDATE:
                        _have_it_loaded(objects, body)
    return changes


def _have_it_loaded(objects: Objects, certificate: dict[str, Any]) -> None:
    """Touch the ingress pods: the kubelet brings them their certificate now, not at its next round."""
    namespace = certificate["metadata"]["namespace"]
    renewed = sha256(certificate["data"]["tls.crt"].encode()).hexdigest()
    for pod in objects.list("Pod", namespace, labels="app.kubernetes.io/name=ingress"):
        meta = {
            "name": pod["metadata"]["name"],
            "namespace": namespace,
            "annotations": {"swath/certificate": renewed},
        }
        objects.apply({"apiVersion": "v1", "kind": "Pod", "metadata": meta})


def read_secret(objects: Objects, namespace: str, name: str) -> dict[str, str]:
    """Return what a Secret holds, nothing where there is none."""
    found = objects.get("Secret", name, namespace)
    data = (found or {}).get("data") or {}
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def remove_namespaces(installation: Installation) -> list[Change]:
    """Delete the installation's namespaces with all that they hold, and return what was done.

    A namespace that does not carry the label of Swath is left alone.
    """
    objects = objects_of(installation)
    done = []
    for namespace in reversed(namespaces(installation)):
        held = objects.get("Namespace", namespace)
        labels = (held or {"metadata": {}})["metadata"].get("labels") or {}
        if labels.get(MANAGED_BY) == "swath":
            objects.delete("Namespace", namespace)
            done.append(Change("Namespace", namespace, Action.DELETE))
    return done


def _desired(installation: Installation, objects: Objects) -> list[dict[str, Any]]:
    authority = installation_authority(installation)

    def read(namespace: str, name: str) -> Mapping[str, str]:
        return read_secret(objects, namespace, name)

    bundle = _SYSTEM_BUNDLE if _SYSTEM_BUNDLE.is_file() else Path(certifi.where())
    return list(
        desired_objects(
            installation,
            Values(read),
            authority=authority.pem,
            system_authorities=bundle.read_text(encoding="utf-8") + _registry_authority(installation),
            certificate=_certificate(installation, authority, read),
            login=registry_login(installation),
        )
    )


def _registry_authority(installation: Installation) -> str:
    named = installation.images.authority
    if named is None:
        return ""
    try:
        return named.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"images.authority: {named} cannot be read ({error.strerror})") from None


def _certificate(
    installation: Installation, authority: Authority, read: Callable[[str, str], Mapping[str, str]]
) -> Certificate:
    """Return the certificate of all addresses: the one in the cluster while that is good, else a new one."""
    request = Request(
        name=f"*.{installation.domain}",
        usages=("server",),
        hosts=(f"*.{installation.domain}", installation.domain),
        days=installation.tls.validity_days,
    )
    held = read(installation.namespace("ingress"), "ingress-tls")
    chain, key = held.get("tls.crt", ""), held.get("tls.key", "")
    if chain and key and authority.fits((chain + key).encode(), request):
        return Certificate(chain=chain, key=key)
    issued = authority.issue(request)
    begin = issued.rindex("-----BEGIN")  # the key comes last
    return Certificate(chain=issued[:begin], key=issued[begin:])


def _compare(objects: Objects, body: dict[str, Any]) -> Change:
    """Return how an object would change."""
    return change_of(body, objects.current(body), lambda held: {**held, **_merged(held, body)})


def _merged(held: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of an object that the manifest speaks of, as they would become."""
    meta = dict(held["metadata"])
    meta["labels"] = {**(meta.get("labels") or {}), **body["metadata"]["labels"]}
    merged: dict[str, Any] = {"metadata": meta}
    if "data" in body:
        merged["data"] = {**(held.get("data") or {}), **body["data"]}
    return merged

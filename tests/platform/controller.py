"""Traefik as the ingress controller of somebody's cluster: compiled once a machine, a pod of no chart."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from installation import Platform
from swath_sde.cluster import EmbeddedCluster
from swath_sde.cluster._archive import write_image
from swath_sde.configuration import load_installation
from swath_sde.images._go import go_programs
from swath_sde.places import cache_folder

VERSION = "v3.6.12"
NAMESPACE = "somebodys-traefik"
CLASS = "traefik"
IMAGE = f"test.invalid/traefik:{VERSION}"
LISTENING = 8443
"""Port of its pod; that of its Service is the installation's."""

ARGUMENTS = [
    "--providers.kubernetesingress=true",
    f"--providers.kubernetesingress.ingressclass={CLASS}",
    f"--entrypoints.websecure.address=:{LISTENING}",
    "--entrypoints.websecure.http.tls=true",
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
]


def program(folder: Path) -> Path:
    """Return Traefik, compiled into the machine's cache where it is not there yet (a quarter of an hour)."""
    module = Path(__file__).parent / "traefik"
    assert f"github.com/traefik/traefik/v3 {VERSION} " in (module / "go.mod").read_text()
    made = cache_folder() / "programs" / f"traefik-{VERSION}"
    made.parent.mkdir(parents=True, exist_ok=True)
    go_programs(module, made, log=folder / "traefik.log")
    return made / "traefik"


def objects(port: int) -> list[dict[str, Any]]:
    """Return what an administrator makes for it: rights, a class, its pod and a Service."""
    place = {"name": "traefik", "namespace": NAMESPACE}
    rights = "rbac.authorization.k8s.io"
    reads = {
        "": ["services", "secrets", "nodes"],
        "discovery.k8s.io": ["endpointslices"],
        "networking.k8s.io": ["ingresses", "ingressclasses"],
    }
    rules = [
        {"apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"]}
        for group, resources in reads.items()
    ]
    pod = {
        "serviceAccountName": "traefik",
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 1000,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [
            {
                "name": "traefik",
                "image": IMAGE,
                "imagePullPolicy": "Never",
                "args": ARGUMENTS,
                "securityContext": {
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
                "readinessProbe": {"tcpSocket": {"port": LISTENING}},
            }
        ],
    }
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": place},
        {
            "apiVersion": f"{rights}/v1",
            "kind": "ClusterRole",
            "metadata": {"name": NAMESPACE},
            "rules": rules,
        },
        {
            "apiVersion": f"{rights}/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAMESPACE},
            "roleRef": {"apiGroup": rights, "kind": "ClusterRole", "name": NAMESPACE},
            "subjects": [{"kind": "ServiceAccount", **place}],
        },
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "IngressClass",
            "metadata": {"name": CLASS},
            "spec": {"controller": "traefik.io/ingress-controller"},
        },
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": place,
            "spec": {
                "selector": {"matchLabels": {"app": "traefik"}},
                "template": {"metadata": {"labels": {"app": "traefik"}}, "spec": pod},
            },
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": place,
            "spec": {"selector": {"app": "traefik"}, "ports": [{"port": port, "targetPort": LISTENING}]},
        },
    ]


@contextmanager
def traefik(site: Platform, folder: Path, *, port: int) -> Iterator[None]:
    """Run it on somebody's cluster, with a Service of a port; remove it at the end."""
    archive = folder / "traefik.tar"
    write_image(archive, reference=IMAGE, files={"/bin/traefik": program(folder)}, command=["/bin/traefik"])
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("SWATH_HOME", raising=False)
        patch.setenv("XDG_DATA_HOME", site.environment["XDG_DATA_HOME"])
        assert EmbeddedCluster(load_installation(site.file)).import_images(archive) == [IMAGE]
    made = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects(port)})
    try:
        site.kubectl("apply", "-f", "-", given=made)
        site.kubectl("-n", NAMESPACE, "rollout", "status", "deployment/traefik", "--timeout=180s")
        yield
    finally:
        site.kubectl("delete", "--ignore-not-found", "-f", "-", given=made)

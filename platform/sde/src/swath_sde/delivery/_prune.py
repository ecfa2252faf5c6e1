"""How old images leave the registry, and give back their room."""

from __future__ import annotations

import json
import re
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from swath_sde.changes import Action, Change
from swath_sde.delivery._registry import registry_of
from swath_sde.errors import ConfigurationError, PlatformError
from swath_sde.images import prune_images
from swath_sde.objects import Objects, applying, objects_of
from swath_sde.secrets import namespaces

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath_sde.configuration import Installation

__all__ = ["prune_with_registry"]

_PATIENCE = 900.0
"""Seconds that a garbage collection may take."""

_SPEAK_OF_IMAGES = (
    ("v1", "Pod"),
    ("v1", "ConfigMap"),  # the hub's has the image of workspaces
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
)
"""Kinds whose objects name images."""


def prune_with_registry(
    installation: Installation, *, dry_run: bool, progress: Callable[[str], None]
) -> list[Change]:
    """Remove old images here and in the registry, and return what was, or would be, removed.

    Whatever an object of the installation's namespaces names stays. The registry's own garbage collection
    runs at the end, under the installation's lease, so that nothing is pushed by Swath meanwhile.

    Raises
    ------
    BusyError
        Somebody else is changing the installation.
    ClusterError
        The cluster cannot be reached.
    BuildError
        The registry does not answer, or refuses.
    PlatformError
        The garbage collection fails.
    """
    objects, registry = objects_of(installation), registry_of(installation)
    used = _used(installation, objects)
    if dry_run:
        return prune_images(installation, registry=registry, used=used, dry_run=True)
    with applying(objects, installation.name):
        changes = prune_images(installation, registry=registry, used=used)
        return changes + _collect_garbage(installation, objects, progress)


def _used(installation: Installation, objects: Objects) -> set[str]:
    """Return the references of the registry that an object of the installation names."""
    reference = re.compile(re.escape(installation.image_registry) + r"/[a-z0-9-]+:[\w.-]+")
    found: set[str] = set()
    for api, kind in _SPEAK_OF_IMAGES:
        for namespace in namespaces(installation):
            for body in objects.list(kind, namespace, api=api):
                found.update(reference.findall(json.dumps(body, default=str)))
    return found


def _collect_garbage(
    installation: Installation, objects: Objects, progress: Callable[[str], None]
) -> list[Change]:
    """Run the job of the registry's schedule now, and wait for its end."""
    namespace = installation.namespace("registry")
    schedule = objects.get("CronJob", "registry-gc", namespace, api="batch/v1")
    if schedule is None:
        raise ConfigurationError(
            f"the registry of {installation.name} has no garbage collection of ours (images.registry: "
            f"{installation.images.registry}): its own operator runs one"
        )
    name = f"registry-gc-{datetime.now(UTC):%Y%m%d-%H%M%S}"
    job: dict[str, Any] = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": schedule["metadata"]["labels"],
            "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
        },
        "spec": schedule["spec"]["jobTemplate"]["spec"],
    }
    objects.create(job)
    progress("registry: garbage collection")
    end = time.monotonic() + _PATIENCE
    while time.monotonic() < end:
        state = (objects.get("Job", name, namespace, api="batch/v1") or {}).get("status") or {}
        if state.get("succeeded"):
            return [Change("garbage of the registry", name, Action.DELETE)]
        if state.get("failed"):
            break
        time.sleep(1)
    raise PlatformError(
        f"the registry's garbage collection has not ended well; what it said: "
        f"kubectl --namespace {namespace} logs job/{name}. No image that is used was touched"
    )

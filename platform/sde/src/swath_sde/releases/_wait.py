"""Waiting for a release's pods: until they are ready, or until it is clear why they will not be."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from swath_sde.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from swath_sde.objects import Objects

__all__ = ["wait_until_ready", "workloads"]

_TIMEOUT = 900.0
"""Seconds: a slow machine starts Keycloak in minutes."""

_INTERVAL = 1.0

_HOPELESS = {"InvalidImageName", "CreateContainerConfigError", "ErrImageNeverPull"}
"""Reasons of a waiting container that time does not mend."""

_DOUBTFUL = {"ImagePullBackOff", "ErrImagePull", "CrashLoopBackOff"}
"""Reasons that may pass, while something else is still starting."""

_PATIENCE = 180.0
"""Seconds that a pod may be in doubt."""

_KINDS = ("Deployment", "StatefulSet")


def wait_until_ready(
    objects: Objects,
    namespace: str,
    release: str,
    *,
    progress: Callable[[str], None] | None = None,
    obstacle: Callable[[], str] | None = None,
) -> None:
    """Return when all workloads of a release have the pods that they should have, of the newest kind, ready.

    Parameters
    ----------
    objects
        The cluster's objects.
    namespace
        Where the release is.
    release
        Its name.
    progress
        Told what is waited for.
    obstacle
        Returns what makes waiting useless, as a full disk does; empty where nothing does.

    Raises
    ------
    ReleaseError
        They do not become ready; told with what their pods say.
    """
    began = time.monotonic()
    doubtful_since: float | None = None
    said = ""
    while True:
        waiting = [told for body in workloads(objects, namespace, release) if (told := _missing(body))]
        if not waiting:
            return
        if obstacle is not None and (told := obstacle()):
            raise ReleaseError(f"{release} cannot become ready ({'; '.join(waiting)}): {told}")
        reasons = list(_reasons(objects, namespace, release))
        now = time.monotonic()
        in_doubt = any(reason in _DOUBTFUL for reason, _ in reasons)
        doubtful_since = (doubtful_since or now) if in_doubt else None
        if (
            any(reason in _HOPELESS for reason, _ in reasons)
            or (doubtful_since is not None and now - doubtful_since > _PATIENCE)
            or now - began > _TIMEOUT
        ):
            told = "; ".join(text for _, text in reasons) or "its pods say nothing"
            raise ReleaseError(
                f"{release} is not ready after {now - began:.0f} s: {'; '.join(waiting)}. {told}. "
                f"Look at: kubectl -n {namespace} describe pods"
            )
        text = "; ".join(waiting + [text for _, text in reasons])
        if progress is not None and text != said:
            progress(text)
            said = text
        time.sleep(_INTERVAL)


def workloads(objects: Objects, namespace: str, release: str) -> list[dict[str, Any]]:
    """Return the Deployments and StatefulSets of a release."""
    selector = f"app.kubernetes.io/instance={release}"
    return [
        {**body, "kind": kind}
        for kind in _KINDS
        for body in objects.list(kind, namespace, api="apps/v1", labels=selector)
    ]


def _missing(body: dict[str, Any]) -> str:
    """Return what a workload lacks, nothing when it is ready."""
    name, status = body["metadata"]["name"], body.get("status") or {}
    wanted = body["spec"].get("replicas", 1)
    if status.get("observedGeneration", 0) < body["metadata"].get("generation", 0):
        return f"{name} is being changed"
    updated, ready = status.get("updatedReplicas", 0), status.get("readyReplicas", 0)
    if updated < wanted or ready < wanted or status.get("replicas", 0) > wanted:
        return f"{name}: {min(updated, ready)} of {wanted} ready"
    return ""


def _reasons(objects: Objects, namespace: str, release: str) -> Iterator[tuple[str, str]]:
    """Yield why pods of a release are not ready: reason, and a sentence."""
    for pod in objects.list("Pod", namespace, labels=f"app.kubernetes.io/instance={release}"):
        name, status = pod["metadata"]["name"], pod.get("status") or {}
        for condition in status.get("conditions") or []:
            if condition["type"] == "PodScheduled" and condition["status"] == "False":
                yield str(condition.get("reason")), f"{name}: {condition.get('message')}"
        for container in (status.get("initContainerStatuses") or []) + (
            status.get("containerStatuses") or []
        ):
            waiting = (container.get("state") or {}).get("waiting")
            if waiting:
                message = " ".join(str(waiting.get("message") or "").split())[:200]
                reason = str(waiting.get("reason"))
                yield reason, f"{name}/{container['name']}: {reason} {message}".rstrip()

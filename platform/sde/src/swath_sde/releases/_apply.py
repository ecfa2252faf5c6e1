"""Installing and upgrading a release, and waiting until it is ready, with the reason when it is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath_sde.changes import Action, Change, pending
from swath_sde.cluster import EmbeddedCluster
from swath_sde.objects import Objects, applying, objects_of
from swath_sde.releases._charts import chart_of
from swath_sde.releases._helm import Helm, Revision
from swath_sde.releases._plan import plan_release
from swath_sde.releases._values import values_of
from swath_sde.releases._wait import wait_until_ready

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath_sde.configuration import Installation

__all__ = ["apply_release", "remove_release"]


def apply_release(
    installation: Installation,
    component: str,
    *,
    wait: bool = True,
    progress: Callable[[str], None] | None = None,
) -> list[Change]:
    """Make a release what it should be, and return what was changed; where nothing differs, nothing is.

    Parameters
    ----------
    installation
        What it belongs to.
    component
        Name of the component.
    wait
        Whether to return only when all its pods are ready.
    progress
        Told, in a few words, what is waited for.

    Raises
    ------
    BusyError
        Somebody else is changing the installation.
    ClusterError
        The cluster cannot be reached.
    ReleaseError
        The chart refuses the values, Helm fails, or a pod does not become ready; told with the pod's reason.
    """
    changes = pending(plan_release(installation, component))
    objects = objects_of(installation)
    helm = Helm(installation, component)
    if changes:
        with applying(objects, installation.name):
            revision = helm.revision()
            if revision is not None and revision.status.startswith("pending-"):
                _forget(objects, helm, revision)
            helm.upgrade(chart_of(component), values_of(installation, component))
    if wait:
        obstacle = EmbeddedCluster(installation).shortage if installation.where.kind == "embedded" else None
        wait_until_ready(objects, helm.namespace, component, progress=progress, obstacle=obstacle)
    return changes


def remove_release(installation: Installation, component: str) -> list[Change]:
    """Remove a release and return what was done; its volumes stay where the chart keeps them.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    ReleaseError
        Helm fails.
    """
    helm = Helm(installation, component)
    if helm.revision() is None:
        return []
    objects = objects_of(installation)
    with applying(objects, installation.name):
        helm.uninstall()
        if component == "hub":
            # Users' servers are made by the hub, not by the release: without it nobody would stop them.
            for pod in objects.list("Pod", helm.namespace, labels="app.kubernetes.io/component=workspace"):
                objects.delete("Pod", pod["metadata"]["name"], helm.namespace)
    return [Change("Helm release", component, Action.DELETE)]


def _forget(objects: Objects, helm: Helm, revision: Revision) -> None:
    """Drop the record of a revision whose making was killed: Helm refuses to go on while it is there.

    The objects that it made stay, and are taken over by the next revision. Nobody else is making them: the
    caller holds the installation's lease.
    """
    objects.delete("Secret", f"sh.helm.release.v1.{helm.name}.v{revision.number}", helm.namespace)

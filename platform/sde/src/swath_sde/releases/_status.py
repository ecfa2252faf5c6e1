"""How a release is: its revision, and whether its pods are ready."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from swath_sde.objects import objects_of
from swath_sde.releases._helm import Helm
from swath_sde.releases._wait import workloads

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["ReleaseStatus", "release_status"]


@dataclass(frozen=True, slots=True)
class ReleaseStatus:
    """A release as it is in the cluster."""

    component: str
    """Name of the component."""
    revision: int
    """Revision of the release, 0 where it is not installed."""
    status: str
    """``deployed``, ``failed``, … as Helm says it; ``absent``."""
    ready: int
    """Pods that are ready."""
    wanted: int
    """Pods that should be."""

    @property
    def good(self) -> bool:
        """Whether it is installed, and all its pods are ready."""
        return self.status == "deployed" and self.ready >= self.wanted


def release_status(installation: Installation, component: str) -> ReleaseStatus:
    """Return how a component's release is.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    """
    helm = Helm(installation, component)
    revision = helm.revision()
    if revision is None:
        return ReleaseStatus(component=component, revision=0, status="absent", ready=0, wanted=0)
    found = workloads(objects_of(installation), helm.namespace, component)
    return ReleaseStatus(
        component=component,
        revision=revision.number,
        status=revision.status,
        ready=sum((body.get("status") or {}).get("readyReplicas", 0) for body in found),
        wanted=sum(body["spec"].get("replicas", 1) for body in found),
    )

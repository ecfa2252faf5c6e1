"""Where images are built: all on this machine, or in the cluster but for what it cannot begin without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath_sde.cluster import kubectl_binary
from swath_sde.delivery._registry import registry_of
from swath_sde.images import (
    KANIKO,
    Built,
    Step,
    build_images,
    build_in_cluster,
    catalogue,
    plan_images,
    push_images,
    selected,
)
from swath_sde.objects import kubeconfig_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from swath_sde.changes import Change
    from swath_sde.configuration import Installation

__all__ = [
    "FIRST",
    "build_by_jobs",
    "build_named",
    "build_on_machine",
    "imported",
    "machine_images",
    "needed_images",
    "plan_on_machine",
]

FIRST = ("haproxy", "registry")
"""Images of the registry itself and of the way to it: the embedded cluster cannot pull them from there."""

_OF_COMPONENTS = {
    "ingress": ("haproxy",),
    "registry": ("registry",),
    "postgresql": ("postgresql",),
    "keycloak": ("keycloak",),
    "hub": ("hub", "proxy", "workspace"),
}
"""The images that the pods of each component run."""

_EXECUTORS = {"buildah": "builder", "buildkit": "buildkit"}
"""The images of our own that build in a cluster, by builder."""


def imported(installation: Installation, image: str) -> bool:
    """Return whether the embedded cluster gets an image straight into its own store."""
    return image in FIRST and installation.where.kind == "embedded" and installation.images.registry is None


def needed_images(installation: Installation) -> list[str]:
    """Return the images that the pods of the enabled components run, in an order to build in."""
    wanted = {image for name in installation.components.enabled() for image in _OF_COMPONENTS[name]}
    if installation.components.ingress.kind != "haproxy":
        wanted.discard("haproxy")  # the cluster has another controller
    return [name for name in catalogue() if name in wanted]


def machine_images(installation: Installation) -> list[str]:
    """Return the images that this machine builds; with builds in the cluster, only what those begin with."""
    needed = needed_images(installation)
    if not installation.images.in_cluster:
        return needed
    return [*(name for name in needed if imported(installation, name)), *_executors(installation)]


def plan_on_machine(installation: Installation) -> list[Change]:
    """Return what ``build_on_machine`` would build."""
    names = machine_images(installation)
    return plan_images(_by_buildah(installation), names) if names else []


def build_on_machine(
    installation: Installation, progress: Callable[[Step], None] | None = None
) -> dict[str, Built]:
    """Build what this machine is to build, as ``build_images`` does."""
    names = machine_images(installation)
    return build_images(_by_buildah(installation), names, progress) if names else {}


def build_named(
    installation: Installation, names: Sequence[str], progress: Callable[[str], None]
) -> dict[str, Built]:
    """Build images in the cluster, and before that on this machine what those builds begin with.

    Parameters
    ----------
    installation
        One with ``images.in_cluster``; its registry runs.
    names
        Images to build; by default those of the enabled components.
    progress
        Told what is being done.
    """

    def tell(step: Step) -> None:
        if step.state != "kept":
            progress(f"{step.image} {step.state} on this machine")

    build_on_machine(installation, tell)
    wanted = list(names) or [name for name in needed_images(installation) if not imported(installation, name)]
    return build_by_jobs(installation, wanted, progress)


def build_by_jobs(
    installation: Installation, names: Iterable[str], progress: Callable[[str], None]
) -> dict[str, Built]:
    """Build images as Jobs, which push them; what the registry has is kept.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    BuildError
        The registry does not answer, or a build fails.
    """
    images, registry = installation.images, registry_of(installation)
    executor, kind = images.executor, _EXECUTORS.get(images.builder, "kaniko")
    if own := _executors(installation):
        # What each build stands on goes along: it is made of a root file system that is here already.
        parents = [image.name for image in selected(catalogue(), own)]
        pushed = push_images(
            _by_buildah(installation), registry, parents, lambda name: progress(f"{name} pushed")
        )
        executor = pushed[kind].reference
    kubectl = [str(kubectl_binary()), "--kubeconfig", str(kubeconfig_of(installation))]
    if installation.where.context:
        kubectl += ["--context", installation.where.context]
    return build_in_cluster(
        installation,
        registry,
        kubectl,
        names,
        lambda name: progress(f"{name} is built in the cluster"),
        kind=kind,
        executor=executor or KANIKO,
    )


def _executors(installation: Installation) -> list[str]:
    """Return our own image that builds, where the cluster uses it."""
    images = installation.images
    own = _EXECUTORS.get(images.builder)
    return [own] if own and images.in_cluster and not images.executor else []


def _by_buildah(installation: Installation) -> Installation:
    """Return the installation as this machine builds for it: with buildah, whatever builds in the cluster."""
    images = installation.images.model_copy(update={"builder": "buildah", "place": "machine"})
    return installation.model_copy(update={"images": images})

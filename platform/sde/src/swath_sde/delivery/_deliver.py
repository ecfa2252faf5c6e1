"""From built images to the cluster: two straight into its container runtime, the others by the registry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from swath_sde.changes import Action, Change
from swath_sde.cluster import EmbeddedCluster
from swath_sde.delivery._builds import FIRST, build_by_jobs, imported, needed_images
from swath_sde.delivery._registry import registry_of
from swath_sde.images import BuildError, Records, Registry, archive_images, catalogue, push_images

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from swath_sde.configuration import Installation

__all__ = ["deliver", "import_first", "plan_delivery", "plan_first", "reference_of"]

_PATIENCE = 120.0
"""Seconds that a registry has to answer once its pod is ready."""


def reference_of(installation: Installation, image: str) -> str:
    """Return how the cluster calls an image: by its tag, and by its digest once it is in the registry.

    The tag is a hash of all that the image follows from, so that it is known before the image is built.
    """
    tagged = _tagged(installation, image)
    built = Records(installation.name).read().get(image)
    if imported(installation, image) or built is None or built.reference.partition("@")[0] != tagged:
        return tagged
    return f"{tagged}@{built.digest}" if built.digest else tagged


def plan_first(installation: Installation) -> list[Change]:
    """Return which of the first images the embedded cluster lacks."""
    there = EmbeddedCluster(installation).run(["ctr", "--namespace", "k8s.io", "images", "list", "--quiet"])
    names = set(there.split())
    return [
        Change(
            "image in the cluster",
            name,
            Action.NONE if _tagged(installation, name) in names else Action.CREATE,
        )
        for name in FIRST
        if imported(installation, name)
    ]


def import_first(installation: Installation) -> list[Change]:
    """Import the images without which the registry cannot start, and return what was done."""
    changes = [change for change in plan_first(installation) if change.action is not Action.NONE]
    cluster = EmbeddedCluster(installation)
    for archive in (
        archive_images(installation, [change.name for change in changes]).values() if changes else ()
    ):
        cluster.import_images(archive)
    return changes


def plan_delivery(installation: Installation, names: Sequence[str] = ()) -> list[Change]:
    """Return which images the registry lacks, of all that pods pull, or of those that are named.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    BuildError
        The registry does not answer.
    """
    registry = registry_of(installation)
    changes = []
    wanted = names or _delivered(installation)
    for image in catalogue().values():
        if image.name not in wanted:
            continue
        there = registry.digest(image.name, image.tag)
        changes.append(
            Change("image in the registry", image.name, Action.NONE if there else Action.CREATE, (image.tag,))
        )
    return changes


def deliver(installation: Installation, progress: Callable[[str], None] | None = None) -> list[Change]:
    """Push to the registry what it lacks, or have the cluster build it, and return what came to be there.

    Raises
    ------
    ConfigurationError
        An image was not built.
    BuildError
        The registry does not answer, or refuses.
    """
    _wait_for(registry_of(installation), progress)
    changes = [change for change in plan_delivery(installation) if change.action is not Action.NONE]
    known = Records(installation.name).read()
    wanted = _delivered(installation)
    if installation.images.in_cluster:
        build_by_jobs(installation, wanted, progress or (lambda _: None))
        return changes
    missing = {change.name for change in changes}
    # What is there may have been pushed by another machine: then its digest is not known here.
    if missing or any(name not in known or not known[name].digest for name in wanted):
        push_images(installation, registry_of(installation), wanted, progress)
    return changes


def _delivered(installation: Installation) -> list[str]:
    """Return the images that pods pull from the registry."""
    return [name for name in needed_images(installation) if not imported(installation, name)]


def _wait_for(registry: Registry, progress: Callable[[str], None] | None) -> None:
    """Wait until the registry answers where it is pushed to: the ingress may just learn where its pod is."""
    end = time.monotonic() + _PATIENCE
    while why := registry.silence():
        if time.monotonic() > end:
            raise BuildError(f"{why} (asked for {_PATIENCE:.0f} s)")
        if progress is not None:
            progress("waiting for the registry")
        time.sleep(1)


def _tagged(installation: Installation, image: str) -> str:
    return f"{installation.image_registry}/{image}:{catalogue()[image].tag}"

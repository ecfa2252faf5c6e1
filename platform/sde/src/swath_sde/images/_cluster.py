"""Builds in a cluster, one after another: each is in the registry before those that stand on it begin."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.errors import ConfigurationError
from swath_sde.images._apt import package_sources
from swath_sde.images._catalogue import catalogue, selected
from swath_sde.images._inventory import bill_from_registry
from swath_sde.images._job import KANIKO, KINDS, Job
from swath_sde.images._records import Built, Records, building
from swath_sde.images._sources import assemble, images_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from swath_sde.configuration import Installation
    from swath_sde.images._registry import Registry


def build_in_cluster(
    installation: Installation,
    registry: Registry,
    kubectl: Sequence[str],
    names: Iterable[str] = (),
    progress: Callable[[str], None] | None = None,
    *,
    kind: str = "kaniko",
    executor: str = KANIKO,
) -> dict[str, Built]:
    """Build images as Jobs, which push them; what the registry has under the same tag is kept.

    The namespace of builds, the secrets ``registry-push`` and ``registry-pull`` and the configuration map
    ``swath-ca`` are there before.

    Parameters
    ----------
    installation
        Whose images these are.
    registry
        Where they go; this machine and the cluster call it by the same name.
    kubectl
        The command and its options that lead to the cluster.
    names
        Images to build; by default all.
    progress
        Called with the name of each image whose build begins.
    kind
        ``kaniko``, or which of our own images: ``builder`` (buildah) or ``buildkit``.
    executor
        Reference of the image that builds.

    Returns
    -------
    dict
        What was built or kept, by name, with references by digest.

    Raises
    ------
    ConfigurationError
        If there is no such image or kind.
    BuildError
        If something cannot be fetched, or a build fails; what is finished is in the registry.
    """
    if kind not in KINDS:
        raise ConfigurationError(f"no kind of build {kind!r}; there are: {', '.join(KINDS)}")
    images = catalogue()
    wanted = selected(images, names)
    records = Records(installation.name)
    suites = [image.rootfs for image in images.values() if image.rootfs]
    done: dict[str, Built] = {}
    work = Path(tempfile.mkdtemp(prefix="cluster-", dir=images_folder()))
    try:
        apt = package_sources(work / "apt", suite=suites[0])
        for image in wanted:
            address = f"{registry.address}/{image.name}:{image.tag}"
            built = records.read().get(image.name) or Built(name=image.name, tag=image.tag, reference=address)
            with building(f"cluster-{image.name}", images_folder() / "locks"):
                digest = registry.digest(image.name, image.tag)
                if digest is None:
                    if progress:
                        progress(image.name)
                    begin = time.monotonic()
                    log = records.log(image)
                    cpu = assemble(image, work / image.name, log=log)
                    parents = {
                        argument: f"{registry.address}/{name}:{images[name].tag}@{done[name].digest}"
                        for argument, name in image.parents.items()
                    }
                    job = Job(
                        image=image,
                        registry=registry.address,
                        namespace=installation.namespace("builds"),
                        executor=executor,
                        kind=kind,
                    )
                    digest = job.run(kubectl, work / image.name, apt, parents=parents, log=log)
                    shutil.rmtree(work / image.name)
                    seconds = round(time.monotonic() - begin, 1)
                    built = replace(built, seconds=seconds, cpu_seconds=round(cpu, 1))
            bill = records.sbom(image)
            if digest != built.digest or not bill.is_file():
                bill.write_text(bill_from_registry(image, registry, digest, work=work), encoding="utf-8")
            done[image.name] = replace(built, tag=image.tag, digest=digest, reference=f"{address}@{digest}")
            records.add(done[image.name])
    finally:
        shutil.rmtree(work, ignore_errors=True)  # it may hold the login of a mirror
    return done

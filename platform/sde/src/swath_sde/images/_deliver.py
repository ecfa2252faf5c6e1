"""Delivery of built images: to a registry, or as an archive that a cluster imports."""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.errors import ConfigurationError
from swath_sde.images._build import build_images
from swath_sde.images._buildah import Buildah
from swath_sde.images._catalogue import catalogue, selected
from swath_sde.images._records import Built, Records
from swath_sde.images._sources import images_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from swath_sde.configuration import Installation
    from swath_sde.images._build import Step
    from swath_sde.images._registry import Registry


def archive_images(
    installation: Installation, names: Iterable[str], progress: Callable[[Step], None] | None = None
) -> dict[str, Path]:
    """Build images and write each as an archive for ``ctr images import``; what is there is kept.

    Parameters
    ----------
    installation
        Whose images these are: the references in the archives are of its registry.
    names
        Images to archive; the images that they stand on are built, but not archived.
    progress
        Called with each step of the builds.

    Returns
    -------
    dict
        Name → archive.
    """
    names = list(names)
    built = build_images(installation, names, progress)
    records = Records(installation.name)
    images = catalogue()
    made = {}
    for name in names or [name for name, image in images.items() if not image.part]:
        reference, target = archive_of(built[name])
        if not target.is_file():
            target.parent.mkdir(exist_ok=True)
            _machine(installation).archive(images[name], reference, target, log=records.log(images[name]))
        records.add(replace(built[name], archive=str(target)))
        made[name] = target
    return made


def archive_of(built: Built) -> tuple[str, Path]:
    """Return the reference that an image's archive holds, and where the archive is.

    The reference is by tag, as no archive has the digest that a registry gives; another registry is another
    archive. A colon in its name would end the name where buildah reads it.
    """
    reference = built.reference.partition("@")[0]
    name = reference.replace("/", "_").replace(":", "_")
    return reference, images_folder() / "archives" / f"{name}.tar"


def push_images(
    installation: Installation,
    registry: Registry,
    names: Iterable[str] = (),
    progress: Callable[[str], None] | None = None,
) -> dict[str, Built]:
    """Push built images to a registry, and return them with their references by digest.

    What the registry has already is not pushed again.

    Parameters
    ----------
    installation
        Whose images these are.
    registry
        Where they go.
    names
        Images to push; by default all that are delivered.
    progress
        Called with the name of each image that is pushed.

    Raises
    ------
    ConfigurationError
        If an image was not built yet.
    BuildError
        If the registry does not answer, refuses the login, or a push fails.
    """
    records = Records(installation.name)
    built = records.read()
    images = catalogue()
    chosen = list(names)
    wanted = [
        image for image in selected(images, chosen) if (image.name in chosen if chosen else not image.part)
    ]
    builder = _machine(installation)
    unbuilt = [image.name for image in wanted if not builder.has(image)]
    if unbuilt:
        raise ConfigurationError(
            f"not built yet: {', '.join(unbuilt)}; run `swath image build {' '.join(unbuilt)}`"
        )
    pushed = {}
    # Only root can look into it, and it is gone when this ends, whatever happens.
    private = Path(tempfile.mkdtemp(prefix="push-", dir=records.folder))
    try:
        login = private / "auth.json"
        login.touch(mode=0o600)
        login.write_text(registry.login())
        certificates = private / "certificates"
        certificates.mkdir()
        shutil.copyfile(registry.certificate, certificates / "ca.crt")
        for image in wanted:
            before = built.get(image.name)
            digest = registry.digest(image.name, image.tag)
            if digest is None or before is None or before.digest != digest:
                if progress:
                    progress(image.name)
                reference = f"{registry.address}/{image.name}:{image.tag}"
                digest = builder.push(
                    image, reference, authfile=login, certificates=certificates, log=records.log(image)
                )
            named = f"{registry.address}/{image.name}:{image.tag}@{digest}"
            known = before or Built(name=image.name, tag=image.tag, reference=named)
            pushed[image.name] = replace(known, tag=image.tag, digest=digest, reference=named)
            records.add(pushed[image.name])
    finally:
        shutil.rmtree(private, ignore_errors=True)
    return pushed


def _machine(installation: Installation) -> Buildah:
    if installation.images.builder != "buildah":
        raise ConfigurationError(
            f"images.builder: {installation.images.builder} delivers what it builds by itself; only "
            "buildah keeps images on this machine"
        )
    (suite,) = {image.rootfs for image in catalogue().values() if image.rootfs}
    return Buildah(suite=suite)

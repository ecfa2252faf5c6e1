"""Garbage collection: images and downloads that nothing follows from any more, here and in the registry."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from swath_sde.changes import Action, Change
from swath_sde.images._buildah import Buildah
from swath_sde.images._catalogue import catalogue
from swath_sde.images._deliver import archive_of
from swath_sde.images._records import Records, is_building
from swath_sde.images._sources import images_folder, sources_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from swath_sde.configuration import Installation
    from swath_sde.images._registry import Registry


def prune_images(
    installation: Installation,
    *,
    registry: Registry | None = None,
    used: Iterable[str] = (),
    dry_run: bool = False,
) -> list[Change]:
    """Remove what no release and no current Dockerfile needs, and return what was, or would be, removed.

    Parameters
    ----------
    installation
        Whose records say which images were built last.
    registry
        Registry to remove old tags from, too. The layers go when its garbage collection runs next.
    used
        References that releases name: they stay.
    dry_run
        Whether only to say what would go.
    """
    images = catalogue()
    records = Records(installation.name).read()
    in_use = {_name_and_tag(reference) for reference in used}
    kept = {(image.name, image.tag) for image in images.values()}
    kept |= {(built.name, built.tag) for built in records.values()} | in_use
    changes = []
    builder = Buildah(suite="")
    # Children first: a parent that is in use is refused.
    for local in reversed(builder.tags()):
        if _name_and_tag(local) not in kept:
            changes.append(Change("built image", local, Action.DELETE))
            if not dry_run:
                builder.remove(local)
    needed = {path.name for image in images.values() for path in sources_of(image)}
    archives = {archive_of(built)[1].name for built in records.values()}
    # Archives of other installations are theirs to remove.
    own = f"{installation.image_registry.replace('/', '_').replace(':', '_')}_*"
    for folder, pattern, names in (
        ("sources", "*", needed),
        ("archives", own, archives),
        ("contexts", "*", set[str]()),
    ):
        for path in sorted((images_folder() / folder).glob(pattern)):
            if path.name not in names and not (
                folder == "contexts" and is_building(path.name, images_folder() / "locks")
            ):
                changes.append(Change(f"cached {folder.removesuffix('s')}", path.name, Action.DELETE))
                if not dry_run:
                    _remove(path)
    if registry is not None:
        changes += _prune_registry(registry, images, kept, dry_run=dry_run)
    return changes


def _prune_registry(
    registry: Registry, images: Iterable[str], kept: set[tuple[str, str]], *, dry_run: bool
) -> list[Change]:
    changes = []
    for name in images:
        digests = {tag: registry.digest(name, tag) for tag in registry.tags(name)}
        # Deletion is by digest, with all tags of it: one that is also tagged as kept stays.
        safe = {digest for tag, digest in digests.items() if (name, tag) in kept}
        for tag, digest in digests.items():
            if digest and digest not in safe:
                changes.append(Change("image in the registry", f"{name}:{tag}", Action.DELETE))
                if not dry_run:
                    registry.delete(name, digest)
    return changes


def _name_and_tag(reference: str) -> tuple[str, str]:
    name, _, tag = reference.partition("@")[0].rpartition("/")[2].partition(":")
    return name, tag


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()

"""What builds images: one interface, several implementations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from swath_sde.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from swath_sde.configuration import Installation
    from swath_sde.images._catalogue import Image


class Builder(Protocol):
    """Builds images and keeps them until they are delivered."""

    name: str
    """Name of the builder in ``swath.yaml``."""

    def check(self) -> None:
        """Refuse where it cannot work, before anything is begun."""

    def has(self, image: Image) -> bool:
        """Say whether it has an image of this very tag."""

    def build(self, image: Image, context: Path, *, parents: Mapping[str, str], log: Path) -> float:
        """Build an image; ``parents`` are build arguments. Returns the CPU seconds that it took."""

    def size(self, image: Image) -> int:
        """Return the bytes of an image's layers."""

    def mounted(self, image: Image) -> AbstractContextManager[Path]:
        """Yield the root file system of an image that it has, to be read."""


def builder_of(installation: Installation, *, suite: str) -> Builder:
    """Return the builder that ``swath.yaml`` names, if it is one that runs on this machine.

    Raises
    ------
    ConfigurationError
        If it is one that runs in the cluster.
    """
    named = installation.images.builder
    if named == "buildah":
        from swath_sde.images._buildah import Buildah  # noqa: PLC0415 -- as the only one that is wanted

        return Buildah(suite=suite)
    raise ConfigurationError(
        f"images.builder: {named} builds in a cluster and pushes by itself "
        "(swath_sde.images.build_in_cluster), not on this machine: set images.builder: buildah for that"
    )

"""A repository that waits in the home of everybody who starts a workspace."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.changes import Action, Change
from swath_sde.errors import PlatformError
from swath_sde.objects import applying, objects_of

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["welcome_with"]

_NAME = "welcome"
"""Name of the ConfigMap that the hub mounts into workspaces."""

_LARGEST = 900_000
"""Bytes of a bundle: a ConfigMap has 1 MiB at most, and base64 is not counted."""


def welcome_with(installation: Installation, repository: Path) -> list[Change]:
    """Offer a Git repository to everybody who starts a workspace; it is cloned into a home that lacks it.

    Parameters
    ----------
    installation
        Whose hub it is.
    repository
        Folder of the repository; what is committed on its branches and tags goes along.

    Raises
    ------
    PlatformError
        It is no repository, or too large.
    """
    bundle = _bundle(repository)
    if len(bundle) > _LARGEST:
        raise PlatformError(
            f"{repository} is {len(bundle) / 1e6:.1f} MB as a bundle; {_LARGEST / 1e6:.1f} MB fit. "
            "Push it to a Git server instead"
        )
    key = f"{repository.name}.bundle"
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": _NAME,
            "namespace": installation.namespace("hub"),
            "labels": {"app.kubernetes.io/part-of": "swath", "app.kubernetes.io/managed-by": "swath"},
        },
        "binaryData": {key: base64.b64encode(bundle).decode()},
    }
    objects = objects_of(installation)
    held = objects.current(body)
    if held is not None and (held.get("binaryData") or {}).get(key) == body["binaryData"][key]:  # type: ignore[index]
        return []
    with applying(objects, installation.name):
        objects.apply(body)
    action = Action.CREATE if held is None else Action.UPDATE
    return [Change("welcome repository", repository.name, action)]


def _bundle(repository: Path) -> bytes:
    """Return a repository as one file, the same for the same commits."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "bundle"
        # One thread packs the same bytes each time.
        git = ["git", "-c", "pack.threads=1", "-C", str(repository)]
        words = ["bundle", "create", "--quiet", str(target), "HEAD", "--branches", "--tags"]
        done = subprocess.run([*git, *words], check=False, capture_output=True, text=True)  # noqa: S603 -- git
        if done.returncode:
            raise PlatformError(f"{repository} cannot be bundled: {done.stderr.strip()}")
        return target.read_bytes()

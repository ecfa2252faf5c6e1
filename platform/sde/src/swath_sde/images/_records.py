"""What is known of an installation's images: ``images.json`` and the logs beside it, in its state folder."""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from threading import Event
from typing import TYPE_CHECKING

from swath_sde.images._errors import BuildError
from swath_sde.places import state_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from swath_sde.images._catalogue import Image

_LOOK_AGAIN = 0.5
"""Seconds between looks whether another process has built it: who waits for a lock hears of no stop."""


@dataclass(frozen=True, slots=True)
class Built:
    """One image that was built, and where it was delivered."""

    name: str
    """The image's name."""
    tag: str
    """Hash of everything that it follows from."""
    reference: str
    """How clusters call it: registry, path, name and tag; with the digest once it was pushed."""
    digest: str | None = None
    """Digest of its manifest in the registry; none before it was pushed."""
    archive: str | None = None
    """Docker archive to import, where one was asked for."""
    size: int = 0
    """Bytes of its layers, uncompressed."""
    seconds: float = 0.0
    """Wall time of the build, for the time left of the next one."""
    cpu_seconds: float = 0.0
    """Processor time of the build."""


class Records:
    """The records of one installation; a change is all or nothing."""

    def __init__(self, installation: str) -> None:
        self.folder = state_folder(installation) / "images"
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def file(self) -> Path:
        """Where they are written."""
        return self.folder / "images.json"

    def log(self, image: Image) -> Path:
        """Return where the log of an image's build is kept; the folder is there then."""
        path = self.folder / "logs" / f"{image.name}-{image.tag}.log"
        path.parent.mkdir(exist_ok=True)
        return path

    def sbom(self, image: Image) -> Path:
        """Return where the bill of materials of an image is kept."""
        path = self.folder / "sbom" / f"{image.name}-{image.tag}.cdx.json"
        path.parent.mkdir(exist_ok=True)
        return path

    def read(self) -> dict[str, Built]:
        """Return what was built, by name."""
        try:
            entries = json.loads(self.file.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return {name: Built(**entry) for name, entry in entries.items()}

    def add(self, *new: Built) -> None:
        """Write down what was built, beside what is there."""
        with _locked(self.folder / ".images.lock", wait=True):
            self._write({**self.read(), **{built.name: built for built in new}})

    def _write(self, entries: Mapping[str, Built]) -> None:
        partial = self.file.with_suffix(".partial")
        partial.write_text(
            json.dumps({name: asdict(built) for name, built in entries.items()}, indent=2) + "\n"
        )
        partial.replace(self.file)


def is_building(context: str, folder: Path) -> bool:
    """Say whether the build of a context, which is named NAME-TAG, is under way."""
    try:
        with _locked(folder / f"{context.rpartition('-')[0]}.lock", wait=False):
            return False
    except BlockingIOError:
        return True


@contextmanager
def building(name: str, folder: Path, stopped: Event | None = None) -> Iterator[bool]:
    """Hold the lock of an image's build on this machine; yields whether another was waited for.

    Raises
    ------
    BuildError
        ``stopped`` was set before another process had built it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.lock"
    with ExitStack() as held:
        waited = False
        while True:
            try:
                held.enter_context(_locked(path, wait=False))
            except BlockingIOError:
                waited = True
                if (stopped or Event()).wait(_LOOK_AGAIN):
                    raise BuildError(
                        f"{name} is being built by another process, and was not waited for"
                    ) from None
            else:
                break
        yield waited


@contextmanager
def _locked(path: Path, *, wait: bool) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(descriptor)  # the kernel lets the lock go, also where the process is killed

"""What images there are: ``platform/images/catalogue.yaml``, as data."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field
from difflib import get_close_matches
from hashlib import sha256
from typing import TYPE_CHECKING

import yaml
from pydantic import BaseModel, ConfigDict, Field
from swath_developer.wheels import MEMBERS

from swath_sde.errors import ConfigurationError
from swath_sde.places import checkout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

_RECIPE = 1
"""Counts changes to how a build is put together, which no file of an image shows."""


class _Entry(BaseModel):
    """One image, as the catalogue has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    parents: dict[str, str] = Field(default_factory=dict)
    rootfs: str | None = None
    wheels: bool = False
    part: bool = False
    inner_locks: dict[str, str] = Field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Image:
    """One image of the project."""

    name: str
    """Its name: that of its folder, and the last part of its reference."""
    title: str
    """What it is, in a few words."""
    folder: Path
    """Folder of its Dockerfile."""
    tag: str
    """Hash of everything that the image follows from: 16 hexadecimal digits."""
    parents: Mapping[str, str] = field(default_factory=dict)
    """Build argument → name of the image that it names."""
    rootfs: str | None = None
    """Debian suite whose root file system stands in its context, for the image that others stand on."""
    wheels: bool = False
    """Whether its context has the wheels of this checkout's own packages."""
    part: bool = False
    """Whether it is there for other images alone, and so is not delivered by itself."""
    inner_locks: Mapping[str, str] = field(default_factory=dict)
    """Folder with a package lock → folder inside the fetched npm packages that it is the lock of."""

    @property
    def local(self) -> str:
        """Name of the image in the builder's own storage."""
        return f"localhost/swath/{self.name}:{self.tag}"


def catalogue() -> dict[str, Image]:
    """Return all images by name, each after the images that it stands on.

    Raises
    ------
    ConfigurationError
        If the catalogue contradicts the folders beside it.
    """
    root = checkout()
    folder = root / "platform" / "images"
    raw = yaml.safe_load((folder / "catalogue.yaml").read_text(encoding="utf-8"))
    entries = {name: _Entry.model_validate(entry) for name, entry in raw.items()}
    images: dict[str, Image] = {}
    for name in _ordered(entries):
        entry = entries[name]
        if not (folder / name / "Dockerfile").is_file():
            raise ConfigurationError(
                f"{folder}/catalogue.yaml names {name}, but there is no {name}/Dockerfile"
            )
        images[name] = Image(
            name=name,
            title=entry.title,
            folder=folder / name,
            tag=_tag(root, folder / name, entry, [images[parent].tag for parent in entry.parents.values()]),
            parents=entry.parents,
            rootfs=entry.rootfs,
            wheels=entry.wheels,
            part=entry.part,
            inner_locks=entry.inner_locks,
        )
    return images


def selected(images: Mapping[str, Image], names: Iterable[str]) -> list[Image]:
    """Return the named images and all that they stand on, in an order to build in; without names, all.

    Raises
    ------
    ConfigurationError
        If there is no image of a name.
    """
    wanted: set[str] = set()

    def add(name: str) -> None:
        if name not in images:
            near = get_close_matches(name, images, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(images)}"
            raise ConfigurationError(f"no image {name!r}; {hint}")
        wanted.add(name)
        for parent in images[name].parents.values():
            add(parent)

    for name in list(names) or list(images):
        add(name)
    return [image for name, image in images.items() if name in wanted]


def _ordered(entries: Mapping[str, _Entry]) -> Iterator[str]:
    """Yield each name after its parents."""
    done: list[str] = []
    while len(done) < len(entries):
        ready = [
            name
            for name, entry in entries.items()
            if name not in done and all(parent in done for parent in entry.parents.values())
        ]
        if not ready:
            left = ", ".join(name for name in entries if name not in done)
            raise ConfigurationError(
                f"images stand on each other in a circle, or on one that is missing: {left}"
            )
        done += ready
        yield from ready


def _tag(root: Path, folder: Path, entry: _Entry, parents: list[str]) -> str:
    """Hash what an image follows from: files with their mode, the locks' tools, the core, its parents."""
    digest = sha256(f"{_RECIPE}\0{platform.machine()}\0{entry.model_dump_json()}\0{parents}\0".encode())
    sources = [folder]
    if (folder / "requirements.txt").is_file():
        sources.append(root / "requirements" / "uv.txt")
    if entry.wheels:
        sources += [
            root / member / part for member in MEMBERS for part in ("src", "pyproject.toml", "README.md")
        ]
    for source in sources:
        for path in _files(source):
            content = path.read_bytes()
            executable = bool(path.stat().st_mode & 0o100)
            digest.update(f"{path.relative_to(root)}\0{executable}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _files(source: Path) -> list[Path]:
    if source.is_file():
        return [source]
    # What is resolved from another file follows from it no more than the image does.
    return sorted(
        path
        for path in source.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.name != "requirements.in"
    )

"""What goes into images from package registries: fetched on the machine, checked by hash, kept by content.

The machine's own clients fetch (pip, npm, mvn, go), as it has them configured. A build then needs no network
but for Debian packages, and a second build fetches nothing.
"""

from __future__ import annotations

import os
import shutil
import sys
from hashlib import file_digest, sha256
from typing import TYPE_CHECKING

import yaml
from swath_developer.wheels import wheel_folder

from swath_sde.images._apt import MOUNTED, package_sources
from swath_sde.images._errors import BuildError, ChangedHashError
from swath_sde.images._go import go_programs
from swath_sde.images._programs import logged, program
from swath_sde.places import cache_folder, checkout, made_whole

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from swath_sde.images._catalogue import Image

PYTHON = "3.13"
"""Python of the images: the one of their Debian suite."""

EPOCH = "1767225600"
"""Time of change that files in images get, seconds since 1970 (2026-01-01): equal builds are equal."""

_COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
_PACKAGES = "ca-certificates"


def images_folder() -> Path:
    """Return the folder of all that image builds keep on this machine."""
    folder = cache_folder().resolve() / "images"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def assemble(image: Image, context: Path, *, log: Path) -> float:
    """Make the build context of an image: its folder, and what its locks name, as hard links into the cache.

    Returns the CPU seconds that it took.

    Raises
    ------
    BuildError
        If something cannot be fetched.
    ChangedHashError
        If something is not what the lock says.
    """
    shutil.copytree(image.folder, context, symlinks=True)
    cpu = 0.0
    uv = checkout() / "requirements" / "uv.txt"
    if _locked(image):
        cpu += _wheels(image.folder / "requirements.txt", log=log) + _wheels(uv, log=log)
        _link(_wheel_place(image.folder / "requirements.txt"), context / "wheels" / "locked")
        _link(_wheel_place(uv), context / "wheels" / "uv")
    if image.wheels:
        shutil.copytree(wheel_folder(), context / "wheels" / "swath")
    if _npm_locks(image):
        cpu += _npm(image, log=log)
        _link(_npm_place(image), context / "npm")
    for name, entry in _artifacts(image).items():
        cpu += _artifact(name, entry, log=log)
        _link(_artifact_place(name, entry), context / "artifacts")
    if _go_module(image):
        cpu += go_programs(image.folder, _programs_place(image), log=log)
        _link(_programs_place(image), context / "programs")
    if image.rootfs:
        cpu += _root_file_system(image.rootfs, context / "rootfs.tar", log=log)
    return cpu


def sources_of(image: Image) -> list[Path]:
    """Return the folders of the cache that an image's context is made of."""
    places = []
    if _locked(image):
        places += [_wheel_place(image.folder / "requirements.txt")]
        places += [_wheel_place(checkout() / "requirements" / "uv.txt")]
    if _npm_locks(image):
        places.append(_npm_place(image))
    if _go_module(image):
        places.append(_programs_place(image))
    return places + [_artifact_place(name, entry) for name, entry in _artifacts(image).items()]


def _locked(image: Image) -> bool:
    return (image.folder / "requirements.txt").is_file()


def _npm_locks(image: Image) -> list[Path]:
    names = ("", *image.inner_locks)
    return [path for name in names if (path := image.folder / name / "package-lock.json").is_file()]


def _go_module(image: Image) -> bool:
    return (image.folder / "go.mod").is_file()


def _artifacts(image: Image) -> dict[str, dict[str, str]]:
    file = image.folder / "artifacts.yaml"
    return yaml.safe_load(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _wheel_place(requirements: Path) -> Path:
    return _kept("wheels", requirements.read_bytes())


def _npm_place(image: Image) -> Path:
    return _kept("npm", *(lock.read_bytes() for lock in _npm_locks(image)))


def _artifact_place(name: str, entry: Mapping[str, str]) -> Path:
    return _kept("artifact", name.encode(), entry["sha256"].encode())


def _programs_place(image: Image) -> Path:
    return _kept("programs", *((image.folder / name).read_bytes() for name in ("go.mod", "go.sum")))


def _link(source: Path, target: Path) -> None:
    shutil.copytree(source, target, symlinks=True, copy_function=os.link, dirs_exist_ok=True)


def _kept(kind: str, *contents: bytes) -> Path:
    digest = sha256(b"\0".join(contents)).hexdigest()[:16]
    return images_folder() / "sources" / f"{kind}-{digest}"


def _wheels(requirements: Path, *, log: Path) -> float:
    """Download the wheels of a lock for the images' Python."""
    folder = _wheel_place(requirements)
    cpu = 0.0
    if not folder.is_dir():
        with made_whole(folder) as partial:
            shutil.copy(requirements, partial / "requirements.txt")
            target = ["--python-version", PYTHON, "--implementation", "cp"]
            for abi in ("cp" + PYTHON.replace(".", ""), "abi3", "none"):
                target += ["--abi", abi]
            # glibc of the suite is 2.41: wheels for it and for all before it.
            machine = os.uname().machine
            for minor in (41, 39, 38, 36, 35, 34, 31, 28, 27, 26, 24, 17, 12, 5):
                target += ["--platform", f"manylinux_2_{minor}_{machine}"]
            target += ["--platform", f"manylinux2014_{machine}", "--platform", f"manylinux2010_{machine}"]
            target += ["--platform", f"manylinux1_{machine}", "--platform", f"linux_{machine}"]
            command = [sys.executable, "-m", "pip", "download", "--no-deps", "--require-hashes", "--quiet"]
            command += [
                "--only-binary",
                ":all:",
                *target,
                "--dest",
                str(partial),
                "--requirement",
                str(requirements),
            ]
            cpu = logged(command, step=f"the download of the wheels of {requirements.parent.name}", log=log)
    return cpu


def _npm(image: Image, *, log: Path) -> float:
    """Fetch npm packages by their lock, without running any of their scripts."""
    folder = _npm_place(image)
    cpu = 0.0
    if not folder.is_dir():
        with made_whole(folder) as partial:
            for name in ("package.json", "package-lock.json", ".npmrc"):
                shutil.copy(image.folder / name, partial)
            install = [program("npm"), "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
            install.append("--loglevel=error")
            step = f"the download of the npm packages of {image.name}"
            cpu += logged(install, step=step, log=log, folder=partial)
            for name, inside in image.inner_locks.items():
                inner = partial / inside
                (inner / "npm-shrinkwrap.json").unlink(missing_ok=True)
                shutil.copy(image.folder / name / "package-lock.json", inner)
                cpu += logged([*install, "--prefix", str(inner)], step=step, log=log, folder=inner)
    return cpu


def _artifact(name: str, entry: Mapping[str, str], *, log: Path) -> float:
    """Fetch one archive from the Maven repositories and check its hash."""
    folder = _artifact_place(name, entry)
    cpu = 0.0
    if not folder.is_dir():
        with made_whole(folder) as partial:
            command = [program("mvn"), "--quiet", "--batch-mode", _COPY, f"-Dartifact={entry['maven']}"]
            command += [f"-DoutputDirectory={partial}", "-Dmdep.useBaseVersion=true"]
            cpu = logged(command, step=f"the download of {entry['maven']}", log=log)
            found = list(partial.iterdir())
            if len(found) != 1:
                raise BuildError(
                    f"the download of {entry['maven']} brought {len(found)} files; one was expected"
                )
            check_hash(found[0], entry["sha256"])
            found[0].rename(partial / name)
    return cpu


def check_hash(file: Path, expected: str) -> None:
    """Refuse a file that has not the hash that a lock gives.

    Raises
    ------
    ChangedHashError
        If its SHA-256 is another.
    """
    with file.open("rb") as source:
        got = file_digest(source, "sha256").hexdigest()
    if got != expected:
        raise ChangedHashError(
            f"{file.name} has the SHA-256 {got}, but its lock says {expected}: it was changed on its way "
            "or at its source, and is not used. Compare with the checksum that its publisher gives before "
            "you change the lock."
        )


def _root_file_system(suite: str, target: Path, *, log: Path) -> float:
    """Make a root file system of a Debian suite, from the machine's package sources."""
    apt = package_sources(target.parent / "apt", suite=suite)
    excluded = target.parent / "files" / "etc" / "dpkg" / "dpkg.cfg.d" / "swath"
    command = [
        program("mmdebstrap"),
        "--quiet",
        "--variant=minbase",
        "--format=tar",
        f"--include={_PACKAGES}",
    ]
    command += [f"--aptopt={line}" for line in _options(apt)]
    command += [f"--dpkgopt={line}" for line in excluded.read_text().splitlines() if line.startswith("path-")]
    # No trace of where the packages came from; the folders of manuals are expected by packages.
    command += [
        "--customize-hook=rm -rf $1/etc/apt/sources.list.d/* $1/etc/apt/sources.list $1/var/log/*",
        "--customize-hook=rm -f $1/etc/apt/apt.conf.d/99mmdebstrap $1/etc/dpkg/dpkg.cfg.d/99mmdebstrap",
        "--customize-hook=rm -f $1/var/cache/ldconfig/aux-cache",
        "--customize-hook=mkdir -p $1/usr/share/man/man1 $1/usr/share/man/man7 $1/usr/share/man/man8",
    ]
    sources = apt / "sources.list.d" / "debian.sources"
    sources.write_text(sources.read_text().replace(f"{MOUNTED}/", f"{apt}/"))  # read outside, here
    command += [suite, str(target), str(sources)]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": EPOCH}
    cpu = logged(command, step=f"the root file system of {suite}", log=log, environment=environment)
    shutil.rmtree(apt)
    return cpu


def _options(apt: Path) -> list[str]:
    """Return apt's own settings for a run outside of the root file system that is made."""
    lines = [
        line
        for path in sorted((apt / "apt.conf.d").iterdir())
        for line in path.read_text().splitlines()
        if line.strip()
    ]
    return [line.replace(f"{MOUNTED}/", f"{apt}/") for line in lines]

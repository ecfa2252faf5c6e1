"""Builds with buildah on this machine: as root, without a daemon, in a storage of our own."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from swath_sde.address import loopback_of
from swath_sde.errors import ConfigurationError
from swath_sde.images._apt import MOUNTED, package_sources
from swath_sde.images._errors import BuildError
from swath_sde.images._programs import logged, printed, program, see_to
from swath_sde.images._sources import EPOCH, images_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from swath_sde.images._catalogue import Image


class Buildah:
    """Images in a storage below the cache folder; steps are isolated by a change of root."""

    name = "buildah"

    def __init__(self, *, suite: str, driver: str = "overlay") -> None:
        self._suite = suite
        self._driver = driver

    def check(self) -> None:
        """Refuse where builds cannot work.

        Raises
        ------
        ConfigurationError
            If a program is missing, or this is not root: to make other users' files takes that.
        """
        if os.geteuid() != 0:
            raise ConfigurationError(
                "image builds on this machine need root, as they make files of other users: "
                "run `sudo swath image build`"
            )
        see_to(("buildah", "mmdebstrap", "npm", "mvn"))

    def _command(self, *arguments: str) -> list[str]:
        storage = images_folder() / "storage"
        return [
            program("buildah"),
            *("--root", str(storage / "root"), "--runroot", str(storage / "run")),
            *("--storage-driver", self._driver),
            *arguments,
        ]

    def command(self, image: Image, context: Path, *, apt: Path, parents: Mapping[str, str]) -> list[str]:
        """Return the command line of a build."""
        arguments = ["build", "--isolation", "chroot", "--network", "host", "--layers=false", "--pull=never"]
        arguments += ["--format", "oci", "--timestamp", EPOCH, "--identity-label=false"]
        # Only while it builds: the site's package sources and their login stay outside of every layer.
        arguments += ["--volume", f"{apt}:{MOUNTED}:ro"]
        for argument, parent in parents.items():
            arguments += ["--build-arg", f"{argument}={parent}"]
        arguments += ["--label", f"org.opencontainers.image.title=swath/{image.name}"]
        arguments += ["--label", f"org.opencontainers.image.version={image.tag}"]
        return self._command(*arguments, "--tag", image.local, str(context))

    def build(self, image: Image, context: Path, *, parents: Mapping[str, str], log: Path) -> float:
        """Build an image from its context; the parents are names in the same storage. Returns CPU seconds.

        Raises
        ------
        BuildError
            If a step fails.
        """
        apt = package_sources(context.with_name(context.name + ".apt"), suite=self._suite)
        try:
            command = self.command(image, context, apt=apt, parents=parents)
            return logged(command, step=f"the build of {image.name}", log=log)
        finally:
            shutil.rmtree(apt, ignore_errors=True)  # it may hold a login

    def has(self, image: Image) -> bool:
        """Say whether the storage has an image of this tag."""
        return any(image.local in (entry.get("names") or ()) for entry in self._listed())

    def size(self, image: Image) -> int:
        """Return the bytes of an image's layers, its parents' among them."""
        told = printed(self._command("inspect", "--type", "image", image.local), step="buildah inspect")
        return sum(layer["size"] for layer in json.loads(json.loads(told)["Manifest"])["layers"])

    def tags(self) -> list[str]:
        """Return the local names of all images of the storage that are Swath's."""
        return [name for entry in self._listed() for name in entry.get("names") or () if "/swath/" in name]

    def remove(self, local: str) -> None:
        """Remove an image from the storage."""
        printed(self._command("rmi", local), step=f"the removal of {local}")

    @contextmanager
    def mounted(self, image: Image) -> Iterator[Path]:
        """Yield the image's root file system, to be read."""
        working = printed(self._command("from", "--pull=never", image.local), step="buildah from").strip()
        try:
            yield Path(printed(self._command("mount", working), step="buildah mount").strip())
        finally:
            printed(self._command("rm", working), step="buildah rm")

    def archive(self, image: Image, reference: str, target: Path, *, log: Path) -> None:
        """Write an image as a docker archive, which containerd imports under ``reference``."""
        partial = target.with_name(f".{target.name}.partial")
        partial.unlink(missing_ok=True)
        command = self._command("push", "--quiet", image.local, f"docker-archive:{partial}:{reference}")
        logged(command, step=f"the archive of {image.name}", log=log)
        partial.replace(target)

    def push(self, image: Image, reference: str, *, authfile: Path, certificates: Path, log: Path) -> str:
        """Push an image to a registry, its layers uncompressed, and return its digest."""
        digest = authfile.with_name("digest")
        command = self._command("push", "--quiet", "--disable-compression", "--authfile", str(authfile))
        command += ["--cert-dir", str(certificates), "--digestfile", str(digest)]
        command += [image.local, f"docker://{reference}"]
        host = reference.partition("/")[0].partition(":")[0]
        if address := loopback_of(f"https://{host}"):
            command = _resolving(host, address, authfile.with_name("hosts"), command)
        logged(command, step=f"the push of {image.name}", log=log)
        return digest.read_text().strip()

    def _listed(self) -> list[dict[str, Any]]:
        if shutil.which("buildah") is None:  # a plan may come before anything is installed
            return []
        told = printed(self._command("images", "--json"), step="buildah images")
        try:
            return list(json.loads(told or "[]") or [])
        except ValueError as error:
            raise BuildError(f"buildah images told no JSON: {error}") from error


def _resolving(host: str, address: str, hosts: Path, command: list[str]) -> list[str]:
    """Return a command that runs another where ``host`` has an address: in a mount namespace of its own.

    The machine's own ``/etc/hosts`` stays as it is.
    """
    hosts.write_text(f"{Path('/etc/hosts').read_text()}\n{address} {host}\n", encoding="utf-8")
    script = 'mount --bind "$0" /etc/hosts && exec "$@"'
    return [
        program("unshare"),
        "--mount",
        "--propagation",
        "private",
        "sh",
        "-c",
        script,
        str(hosts),
        *command,
    ]

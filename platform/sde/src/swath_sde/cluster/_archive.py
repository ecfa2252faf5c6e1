"""A container image from a few files, as an archive that the runtime imports."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["write_image"]


def write_image(
    target: Path,
    *,
    reference: str,
    files: Mapping[str, Path],
    command: Sequence[str],
    links: Mapping[str, str] | None = None,
    user: str = "65534:65534",
) -> None:
    """Write an image archive (Docker image specification 1.2); the same input gives the same bytes.

    Parameters
    ----------
    target
        The archive.
    reference
        Name and tag of the image.
    files
        Files by their path in the image; each is executable.
    command
        Entry point.
    links
        Symbolic links by their path in the image.
    user
        Numeric user and group.
    """
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        folders = {"tmp": 0o1777}
        for path in (*files, *(links or {})):
            for parent in path.strip("/").split("/")[:-1]:
                folders.setdefault(parent, 0o755)
        for name, mode in sorted(folders.items()):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            archive.addfile(entry)
        for path, source in files.items():
            content = source.read_bytes()
            entry = tarfile.TarInfo(path.strip("/"))
            entry.mode, entry.size = 0o755, len(content)
            archive.addfile(entry, io.BytesIO(content))
        for path, aim in (links or {}).items():
            entry = tarfile.TarInfo(path.strip("/"))
            entry.type, entry.linkname = tarfile.SYMTYPE, aim
            archive.addfile(entry)
    digest = hashlib.sha256(layer.getvalue()).hexdigest()
    configuration = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Entrypoint": list(command), "User": user, "Env": ["PATH=/bin"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
            "history": [{"created_by": "swath"}],
        }
    ).encode()
    configuration_name = f"{hashlib.sha256(configuration).hexdigest()}.json"
    manifest = [{"Config": configuration_name, "RepoTags": [reference], "Layers": [f"{digest}/layer.tar"]}]
    with tarfile.open(target, "w") as archive:
        for name, content in (
            (configuration_name, configuration),
            (f"{digest}/layer.tar", layer.getvalue()),
            ("manifest.json", json.dumps(manifest).encode()),
        ):
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))

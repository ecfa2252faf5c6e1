"""Wheels of the packages that a scaffolded repository and a workspace run on.

No public index has distributions of these names: asking one for them could only bring somebody else's. A
scaffolded repository therefore takes them from one place that it is told, and from nowhere else.
"""

import hashlib
import os
import sys
from pathlib import Path

from uv import find_uv_bin

from swath_developer._process import outcome
from swath_developer.errors import DeveloperError
from swath_developer.places import cache_folder, checkout, made_whole

MEMBERS = ("platform/cli", "processors/core", "processors/sentinel2")
"""Members of the checkout that have wheels: the command, the core, and processors with their simulators."""


def wheel_folder() -> str:
    """Return where Swath's own packages are to be had: ``$SWATH_WHEELS``, else wheels of the checkout.

    The wheels are built once for each state of the sources and kept in the cache.

    Returns
    -------
    str
        The absolute path of a folder of wheels, or the address of the package index in ``SWATH_WHEELS``.

    Raises
    ------
    DeveloperError
        If a wheel cannot be built.
    """
    named = os.environ.get("SWATH_WHEELS")
    if named:
        return named if named.startswith("http") else str(Path(named).absolute())
    root = checkout()
    folder = cache_folder() / "wheels" / _fingerprint(root)
    if not folder.is_dir():
        _build(root, folder)
    return str(folder)


def _fingerprint(root: Path) -> str:
    """Hash the names and contents of all that goes into the wheels."""
    digest = hashlib.sha256()
    for member in MEMBERS:
        base = root / member
        sources = (
            path for path in (base / "src").rglob("*") if path.is_file() and "__pycache__" not in path.parts
        )
        for path in sorted([base / "pyproject.toml", base / "README.md", *sources]):
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root)}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


def _build(root: Path, folder: Path) -> None:
    """Build the wheels into ``folder``, which is there when all of them are."""
    options = (
        "--quiet",
        "--wheel",
        "--no-build-isolation",
        "--no-create-gitignore",
        "--python",
        sys.executable,
    )
    with made_whole(folder) as partial:
        for member in MEMBERS:
            done = outcome([find_uv_bin(), "build", *options, "--out-dir", partial, root / member])
            if done.returncode:
                raise DeveloperError(f"The wheel of {member} could not be built:\n{done.stderr.strip()}")

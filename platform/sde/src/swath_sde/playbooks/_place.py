"""Where a run of a playbook has its files, all below the installation's state, and its environment."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.errors import PlatformError
from swath_sde.places import checkout

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["collection_folder", "environment", "run_folder"]

_OF_THE_USER = ("ANSIBLE_VAULT_", "ANSIBLE_LOG_PATH", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR")
"""Ansible's variables that are taken over from the user's shell; others could change what a playbook does."""


def collection_folder() -> Path:
    """Return the folder of the Ansible collection: that of the checkout.

    Raises
    ------
    PlatformError
        It is not there.
    """
    folder = checkout() / "ansible"
    if not (folder / "galaxy.yml").is_file():
        raise PlatformError(
            f"{folder} has no galaxy.yml, so it is not the Ansible collection swath.sde of this checkout"
        )
    return folder


def environment(home: Path, run: Path, collection: Path, *, for_people: bool) -> dict[str, str]:
    """Return the environment of ansible-playbook; all that it writes is below the installation's state."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith("ANSIBLE_") or key.startswith(_OF_THE_USER)
    }
    places = {
        "ANSIBLE_ASYNC_DIR": run / "async",
        "ANSIBLE_COLLECTIONS_PATH": _farm(home, collection),
        "ANSIBLE_CONFIG": collection / "ansible.cfg",
        "ANSIBLE_HOME": run / "home",
        "ANSIBLE_LOCAL_TEMP": run / "tmp",
        "ANSIBLE_REMOTE_TEMP": run / "tmp",
        "SWATH_DURATIONS": home / "durations.json",
        "SWATH_RUN_FOLDER": run,
    }
    return {
        **kept,
        **{key: str(value) for key, value in places.items()},
        "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), kept.get("PATH", os.defpath)]),
        "PYTHONUNBUFFERED": "1",
        "SWATH_CHECKOUT": str(collection.parent),
        "SWATH_RUNNER": str(os.getpid()),
        "SWATH_PROGRESS_FORMAT": "people" if for_people else "json",
    }


def _farm(home: Path, collection: Path) -> Path:
    """Return a folder in which Ansible finds the collection under the name that it must have there."""
    farm = home / "collections"
    link = farm / "ansible_collections" / "swath" / "sde"
    link.parent.mkdir(parents=True, exist_ok=True)
    if not (link.is_symlink() and link.readlink() == collection):
        fresh = link.with_name(f".sde-{os.getpid()}")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(collection, target_is_directory=True)
        fresh.replace(link)
    return farm


@contextmanager
def run_folder(home: Path) -> Iterator[Path]:
    """Give a folder for one run, and remove it with those of runs that were killed."""
    for left in home.glob("run-*"):
        process = left.name.split("-")[1]
        if not Path("/proc", process).exists():
            shutil.rmtree(left, ignore_errors=True)
    run = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=home))
    try:
        for name in ("async", "home", "running", "tmp"):
            (run / name).mkdir(mode=0o700)
        yield run
    finally:
        shutil.rmtree(run, ignore_errors=True)

"""Where a run of a playbook has its files, all below the installation's state, and its environment."""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from swath_sde.errors import PlatformError
from swath_sde.places import checkout, typed

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BusyError", "alone", "collection_folder", "environment", "run_folder"]

_OF_THE_USER = ("ANSIBLE_VAULT_", "ANSIBLE_LOG_PATH", "ANSIBLE_NOCOLOR", "ANSIBLE_FORCE_COLOR")
"""Ansible's variables that are taken over from the user's shell; others could change what a playbook does."""


class BusyError(PlatformError):
    """Another run changes the same installation."""


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
def alone(home: Path, installation: str, *, shared: bool) -> Iterator[None]:
    """Keep two runs from changing one installation at the same time; a plan may look at any time."""
    if shared:
        yield
        return
    with (home / "lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "just started"
            raise BusyError(
                f"another run changes {installation!r} ({holder}): wait for its end, then start again; "
                f"{typed('plan')} can look meanwhile"
            ) from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, since {time.strftime('%H:%M:%S')}")
        lock.flush()
        yield
        lock.truncate(0)


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

"""The peer's environment: eopf of one version, from hashed requirements, in the cache of this user."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

__all__ = ["PeerError", "cache", "peer_python"]

REQUIREMENTS = Path(__file__).parents[1] / "eopf.txt"
"""What is installed; made by ``benchmarks/compile``."""

PYTHON = "3.13"
"""The least that eopf 3.0.0 takes."""


class PeerError(Exception):
    """The peer's environment cannot be made."""


def cache() -> Path:
    """Return the folder of what can be made anew: ``$SWATH_HOME/cache``, else the XDG cache of this user."""
    home = os.environ.get("SWATH_HOME")
    if home:
        return Path(home) / "cache" / "benchmarks"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "swath" / "benchmarks"


def peer_python() -> Path:
    """Return the Python of an environment that has eopf, made where there is none yet.

    Raises
    ------
    PeerError
        There is no Python that eopf takes, or a package cannot be had.
    """
    edition = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    folder = cache() / f"eopf-{edition}"
    python = folder / "bin" / "python"
    complete = folder / "complete"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if complete.exists():
            return python
        shutil.rmtree(folder, ignore_errors=True)
        uv = Path(sys.executable).with_name("uv")
        _run(uv, "venv", "--quiet", "--python", _interpreter(), folder)
        _run(uv, "pip", "sync", "--quiet", "--python", python, "--require-hashes", REQUIREMENTS)
        _run(python, "-c", "import eopf")  # compiled now, not while something is measured
        complete.touch()
    return python


def _interpreter() -> Path:
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    places = [*map(str, sorted(root.glob(f"versions/{PYTHON}.*/bin"))), os.environ.get("PATH", os.defpath)]
    found = shutil.which(f"python{PYTHON}", path=os.pathsep.join(places))
    if found is None:
        raise PeerError(
            f"eopf needs Python {PYTHON}, and there is no python{PYTHON} on PATH; install it, or pass "
            "--without eopf"
        )
    return Path(found)


def _run(*command: object) -> None:
    environment = {**os.environ, "UV_PYTHON_DOWNLOADS": "never"}
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise PeerError(f"{' '.join(map(str, command))} failed:\n{done.stderr.strip()[-2000:]}")

"""Fixtures for all members: where the sample products are."""

import os
import platform
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes says something of the machine, and nothing of the code.
settings.register_profile("swath", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("swath")

SAMPLES = Path(os.environ.get("SWATH_SAMPLES") or Path(__file__).parent.parent / "shared" / "samples")
"""Folder of real sample products; what it holds is told in its SOURCES.md."""

# pytest names the tests of platform/ as modules under "platform". Without this, it would put a package of
# that name in the place of the standard library's module, for everything that is imported after.
platform.__path__ = [str(Path(__file__).parent / "platform")]  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def samples() -> Path:
    """Return the folder of sample products. Where it is present, tests that ask for it must run."""
    if not SAMPLES.is_dir():
        where = "in CI" if os.environ.get("CI") else "on this machine"
        pytest.skip(f"no sample products {where}: set SWATH_SAMPLES to their folder (looked in {SAMPLES})")
    return SAMPLES.resolve()


@pytest.fixture(scope="session")
def free_port() -> Callable[[], int]:
    """Return a function that names a port of this machine's loopback which nobody listens on."""

    def find() -> int:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            return int(probe.getsockname()[1])

    return find


BROWSER_PACKAGES = {"chromium": "chromium", "certutil": "libnss3-tools"}
"""Programs of tests that look at pages as a person does, and the Debian package of each."""


@pytest.fixture(scope="session")
def chromium() -> str:
    """Return where the browser is; it is installed where it is missing, which takes root."""
    missing = [package for program, package in BROWSER_PACKAGES.items() if not shutil.which(program)]
    if missing:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        subprocess.run([*install, *missing], check=True, env=quiet)
    found = shutil.which("chromium")
    assert found, "Debian's chromium is installed and not on PATH"
    return found

"""Fixtures for all members: where the sample products are."""

import os
import platform
from pathlib import Path

import pytest

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

"""What every test of the repository shares."""

import os
import platform
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent

# To pytest a test below platform/ is `platform.cli.tests…`: for lack of a `__path__` it would put a package
# of that name in the place of the standard library's module, and whoever imports `platform` then breaks.
platform.__path__ = [str(ROOT / "platform")]  # type: ignore[attr-defined]


@pytest.fixture(scope="session")
def samples() -> Path:
    """Give the folder of real products: ``SWATH_SAMPLES``, else ``../shared/samples`` beside the checkout.

    Where the folder is there, every test that asks for it runs; where it is not, they are skipped and say so.
    """
    folder = Path(os.environ.get("SWATH_SAMPLES") or ROOT.parent / "shared" / "samples")
    if not folder.is_dir():
        if "SWATH_SAMPLES" in os.environ:
            pytest.fail(f"SWATH_SAMPLES names {folder}, which is not a folder")
        pytest.skip(f"no real products: {folder} is not there, and SWATH_SAMPLES names no other folder")
    return folder

"""What every test of the repository shares."""

# The standard library's module must be there before pytest names our tests' folders:
# a test of platform/cli is `platform.cli.tests…` to pytest, which would else make a `platform` of its own.
import os
import platform  # noqa: F401
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent


@pytest.fixture(scope="session")
def samples() -> Path:
    """Give the folder of real products: ``SWATH_SAMPLES``, else ``../shared/samples`` beside the checkout.

    Where the folder is there, every test that asks for it runs; where it is not, those tests are skipped and say so.
    """
    folder = Path(os.environ.get("SWATH_SAMPLES") or ROOT.parent / "shared" / "samples")
    if not folder.is_dir():
        if "SWATH_SAMPLES" in os.environ:
            pytest.fail(f"SWATH_SAMPLES names {folder}, which is not a folder")
        pytest.skip(f"no real products: {folder} is not there, and SWATH_SAMPLES names no other folder")
    return folder

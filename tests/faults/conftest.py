"""Broken products, made from a simulated scene or from the real sample."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SWATH = Path(sys.executable).with_name("swath")


@pytest.fixture(scope="session")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a small simulated scene; tests copy it before they break it."""
    folder = tmp_path_factory.mktemp("scenes")
    command = [SWATH, "samples", "simulate", "s2-l1c", folder, "--size", "1098"]
    subprocess.run(command, check=True, capture_output=True)
    (product,) = folder.iterdir()
    return product


@pytest.fixture
def broken(scene: Path, tmp_path: Path) -> Path:
    """Give a copy of the scene that a test may break."""
    return Path(shutil.copytree(scene, tmp_path / scene.name))


@pytest.fixture
def swath() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the swath command as a user does, in a process of its own."""

    def run(*arguments: str | Path, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SWATH, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, check=False, timeout=300
        )

    return run


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a file system of one mebibyte; where only root may mount, that must be said aloud."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount the small file system of this test")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", place], check=True)
    yield place
    subprocess.run(["umount", place], check=True)

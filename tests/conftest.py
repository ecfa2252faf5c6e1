"""What tests of several folders need of the machine."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest


@dataclass(frozen=True)
class Disk:
    """A file system in a sparse file: what is reserved on it takes no room on the machine's own disk."""

    folder: Path
    """Where it is mounted."""

    def fill(self, *, leave: int = 0) -> None:
        """Leave no byte, or about so many."""
        about = os.statvfs(self.folder)
        reserved = about.f_bavail * about.f_frsize - (leave or 64 << 20)
        subprocess.run(["fallocate", "--length", str(reserved), self.folder / "ballast-0"], check=True)
        if leave:
            return
        for number, block in ((1, "64k"), (2, "1k")):  # a last block may be left for nothing but small files
            ballast = self.folder / f"ballast-{number}"
            done = subprocess.run(
                ["dd", "if=/dev/zero", f"of={ballast}", f"bs={block}", "conv=fsync"],
                capture_output=True,
                text=True,
                check=False,
            )
            assert "No space left on device" in done.stderr

    def make_room(self) -> None:
        """Remove what filled it."""
        for ballast in self.folder.glob("ballast-*"):
            ballast.unlink()


@pytest.fixture(scope="session")
def new_disk() -> Callable[[Path, str], AbstractContextManager[Disk]]:
    """Make disks of a test's own: ext4, on which no block is kept for root."""

    @contextmanager
    def made(folder: Path, size: str) -> Iterator[Disk]:
        if os.geteuid() != 0:
            pytest.skip("only root may mount the file system of this test")
        image = folder.with_suffix(".ext4")
        folder.mkdir()
        subprocess.run(["truncate", f"--size={size}", image], check=True)
        subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", image], check=True)
        subprocess.run(["mount", "-o", "loop", image, folder], check=True)
        try:
            yield Disk(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)
            image.unlink()

    return made

"""What stands in the way of an installation is told before anything is made, all at once, each with a remedy.

No installation is brought up here: whatever is right already, something else is made to be wrong.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from installation import SWATH


class Machine:
    """A machine whose disk for Swath is a small one, with a description of an installation."""

    def __init__(self, folder: Path, size: str) -> None:
        self.home = folder / "disk"
        self.file = folder / "swath.yaml"
        self.home.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "swath-test", self.home], check=True)
        self.port = socket.socket()
        self.port.bind(("127.0.0.1", 0))
        while not 8000 <= self.port.getsockname()[1] <= 32767:
            self.port.close()
            self.port = socket.socket()
            self.port.bind(("127.0.0.1", int.from_bytes(os.urandom(2)) % 20000 + 9000))
        self.describe("refused.localhost")

    def describe(self, domain: str) -> None:
        description = {
            "version": 1,
            "name": "refused",
            "domain": domain,
            "where": {"kind": "embedded", "https_port": self.port.getsockname()[1]},
        }
        self.file.write_text(yaml.safe_dump(description))

    def swath(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [SWATH, *words, "--file", self.file],
            env={**os.environ, "SWATH_HOME": str(self.home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def grow(self, size: str) -> None:
        subprocess.run(["mount", "-o", f"remount,size={size}", self.home], check=True)

    def fill(self) -> None:
        """Leave no byte."""
        with (self.home / "ballast").open("wb", buffering=0) as ballast, suppress(OSError):
            while True:
                ballast.write(bytes(4096))

    def clear(self) -> None:
        self.port.close()
        subprocess.run(["umount", "--lazy", self.home], check=True)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path, "8m")
    try:
        yield made
    finally:
        made.clear()


TAKEN = "is taken: stop what listens there"
FULL = "MiB are free in"
ASTRAY = "registry.swath.invalid leads to nowhere, not to this machine's loopback"


def test_a_taken_port_a_full_disk_and_a_wrong_domain_are_told_before_anything_is_made(
    machine: Machine,
) -> None:
    machine.port.listen()
    machine.describe("swath.invalid")
    told = machine.swath("up", "--no-tour")
    assert told.returncode == 2
    for message in (TAKEN, FULL, ASTRAY, "or set SWATH_HOME to a folder on a larger disk"):
        assert message in told.stdout + told.stderr
    assert "Traceback" not in told.stdout + told.stderr
    told = machine.swath("apply")
    assert told.returncode == 2
    for message in (TAKEN, FULL, ASTRAY):
        assert message in told.stderr
    made = {path.name for path in machine.home.rglob("*") if path.is_file()}
    assert not made & {"cluster.json", "kubeconfig", "images.json"}, made
    # What is mended is told no more, and the same command goes on to what is left.
    machine.grow("100g")
    machine.describe("refused.localhost")
    told = machine.swath("apply")
    assert told.returncode == 2
    assert TAKEN in told.stderr
    assert FULL not in told.stderr
    assert "leads to" not in told.stderr


def test_a_disk_without_a_byte_left_is_told_by_its_place_and_loses_nothing(machine: Machine) -> None:
    assert machine.swath("plan").returncode == 3
    before = {path: path.read_bytes() for path in machine.home.rglob("*") if path.is_file()}
    machine.fill()
    for verb in ("up", "apply"):
        told = machine.swath(verb, *(["--no-tour"] if verb == "up" else []))
        assert told.returncode in {1, 2}, told
        assert "No space left on device" in told.stderr or FULL in told.stdout + told.stderr
        assert "Traceback" not in told.stdout + told.stderr
        assert "internal error" not in told.stderr
    (machine.home / "ballast").unlink()
    assert {path: path.read_bytes() for path in before} == before
    assert machine.swath("plan").returncode == 3

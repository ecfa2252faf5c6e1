"""A checkout whose collection has one module and two playbooks more, for what needs no cluster."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = Path(sys.executable).parent


@pytest.fixture
def repository() -> Path:
    return ROOT


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty folder for all state."""
    monkeypatch.setenv("SWATH_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def swath_file(tmp_path: Path) -> Path:
    file = tmp_path / "swath.yaml"
    file.write_text("version: 1\nname: drill\n")
    return file


@pytest.fixture
def with_note(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a checkout with the collection, the module ``note`` and its playbooks."""
    checkout = tmp_path / "checkout"
    (checkout / "ci" / "templates").mkdir(parents=True)
    (checkout / "copier.yml").touch()
    shutil.copytree(ROOT / "ansible", checkout / "ansible", ignore=shutil.ignore_patterns(".ansible"))
    shutil.copytree(Path(__file__).parent / "collection", checkout / "ansible", dirs_exist_ok=True)
    monkeypatch.setenv("SWATH_CHECKOUT", str(checkout))
    return checkout


@pytest.fixture
def collections(tmp_path: Path) -> Callable[[Path], dict[str, str]]:
    """Give the environment in which Ansible's own programs find the collection of a checkout."""

    def environment(checkout: Path) -> dict[str, str]:
        link = tmp_path / "collections" / "ansible_collections" / "swath" / "sde"
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(checkout / "ansible")
        clean = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return clean | {
            "ANSIBLE_COLLECTIONS_PATH": str(tmp_path / "collections"),
            "ANSIBLE_CONFIG": str(checkout / "ansible" / "ansible.cfg"),
            "ANSIBLE_HOME": str(tmp_path / "ansible-home"),
            "HOME": str(tmp_path),
            "PATH": f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}",
            "SWATH_DURATIONS": str(tmp_path / "durations.json"),
        }

    return environment


@pytest.fixture
def call() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call a program of this environment."""

    def run(
        program: str, *arguments: str | Path, env: dict[str, str], cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [PROGRAMS / program, *arguments],
            env=env,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    return run

"""A Git repository with this work tree's templates, as copier takes them."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the repository: what there is now, tagged 0.1.0."""
    folder = tmp_path_factory.mktemp("template")
    for name in ("copier.yml", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "templates", folder / "templates")
    plain = [
        "git",
        "-c",
        "user.name=Test",
        "-c",
        "user.email=test@example.org",
        "-c",
        "core.hooksPath=/dev/null",
    ]
    for command in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        ["commit", "-qm", "templates"],
        ["tag", "0.1.0"],
    ):
        subprocess.run([*plain, *command], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="session")
def make(template: Path) -> Callable[..., Path]:
    """Return a function that scaffolds a repository with some answers."""
    from swath_developer.scaffolding import scaffold

    def scaffolded(destination: Path, answers: Mapping[str, Any] | None = None) -> Path:
        return scaffold(destination, answers=answers, template=str(template)).path

    return scaffolded


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Variables of a shell in which the template's locked environment, made once for all tests, is active."""
    from swath_developer.wheels import wheel_folder
    from uv import find_uv_bin

    folder = tmp_path_factory.mktemp("environment") / ".venv"
    project = ROOT / "templates" / "processor" / "project"
    plain = {
        name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTHON", "COV"))
    }
    variables = {
        **plain,
        "VIRTUAL_ENV": str(folder),
        "PATH": f"{folder / 'bin'}{os.pathsep}{plain['PATH']}",
        "SWATH_WHEELS": wheel_folder(),
        "UV_PYTHON_DOWNLOADS": "never",
        "MYPY_CACHE_DIR": str(folder.parent / "mypy"),
    }
    uv = find_uv_bin()
    for command in (
        [uv, "venv", "-q", folder],
        [uv, "pip", "sync", "-q", "--require-hashes", project / "requirements-dev.lock"],
    ):
        subprocess.run(command, env=variables, check=True)
    return variables

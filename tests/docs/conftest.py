"""The web site, built once for all tests of this folder."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "docs" / "_extensions"))  # the extensions are no package


@dataclass(frozen=True)
class Site:
    """The built pages and what the build said."""

    root: Path
    status: int
    messages: str

    def pages(self) -> list[Path]:
        return sorted(path for path in self.root.rglob("*.html") if "_static" not in path.parts)

    def text(self, name: str) -> str:
        return (self.root / name).read_text("utf-8")


@pytest.fixture(scope="session")
def repository() -> Path:
    return REPOSITORY


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-n", "-q", "-E"]
    built = subprocess.run(
        [*command, "-d", str(root / "doctrees"), str(REPOSITORY / "docs"), str(root / "html")],
        check=False,
        capture_output=True,
        text=True,
    )
    return Site(root / "html", built.returncode, built.stdout + built.stderr)

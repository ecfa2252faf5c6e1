"""gitlab-ci-local, installed from its own hashed lock when it is first needed."""

import hashlib
import re
import shutil
import sys
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from swath_developer._process import outcome
from swath_developer.errors import DeveloperError
from swath_developer.places import data_folder, made_whole

FILES = ("package.json", "package-lock.json", ".npmrc")
OLDEST_NODE = 20


@dataclass(frozen=True, slots=True)
class Tool:
    """The installed program."""

    node: str
    script: Path

    def command(self, *options: str) -> list[str]:
        """Return the command line that runs every job in a shell of its own folder, without containers."""
        always = ["--force-shell-executor", "--shell-isolation", "--no-artifacts-to-source", "--no-color"]
        return [self.node, str(self.script), *always, "--max-job-name-padding", "0", *options]


def tool() -> Tool:
    """Return gitlab-ci-local; install it first where it is not there yet.

    Raises
    ------
    DeveloperError
        If Node.js, npm, rsync or git is missing or too old, or npm fails; the message says what to install.
    """
    _need("git", "rsync")
    node = shutil.which("node")
    found = re.match(r"v(\d+)", outcome([node, "--version"]).stdout) if node else None
    if node is None or found is None or int(found[1]) < OLDEST_NODE:
        has = f"found {found[0]}…" if found else "there is none on PATH"
        raise DeveloperError(f"swath ci needs Node.js {OLDEST_NODE} or newer to run pipelines; {has}.")
    contents = {name: (files(__package__) / "tools" / name).read_bytes() for name in FILES}
    digest = hashlib.sha256(b"\0".join(contents.values())).hexdigest()[:12]
    folder = data_folder() / "tools" / f"gitlab-ci-local-{digest}"
    if not folder.is_dir():
        _install(folder, contents)
    return Tool(node, folder / "node_modules" / "gitlab-ci-local" / "dist" / "index.js")


def _install(folder: Path, contents: dict[str, bytes]) -> None:
    """Install into the folder: it is whole or not there."""
    _need("npm")
    sys.stderr.write("swath ci: installing gitlab-ci-local, once …\n")
    with made_whole(folder) as partial:
        for name, content in contents.items():
            (partial / name).write_bytes(content)
        done = outcome(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], folder=partial
        )
        if done.returncode:
            raise DeveloperError(f"npm could not install gitlab-ci-local:\n{done.stderr.strip()}")


def _need(*programs: str) -> None:
    missing = [program for program in programs if shutil.which(program) is None]
    if missing:
        raise DeveloperError(
            f"swath ci needs {' and '.join(missing)}, not found on PATH. "
            f"On Debian: apt-get install {' '.join(missing)}."
        )

"""Components of another GitLab project, replaced by the checkout's own copy of them."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from swath_developer.errors import BadInputError
from swath_developer.places import checkout

FOLDER = ".swath-components"
"""Where the copies are put in the scratch copy of a repository."""

_LINE = re.compile(
    r"""^(?P<before>\s*(?:-\s+)?)component:\s*(?P<quote>["']?)(?P<address>[^\s"'\#]+)(?P=quote)[^\S\n]*(?:\#.*)?$""",
    re.M,
)
_ADDRESS = re.compile(r"^(?P<project>.+)/(?P<name>[\w-]+)@(?P<version>\S+)$")


@dataclass(frozen=True, slots=True)
class Replaced:
    """One component and the local file that stands for it."""

    address: str
    """As the repository writes it."""
    source: Path
    """The file in the checkout."""


def replace_components(tree: Path) -> list[Replaced]:
    """Make a pipeline's component includes local ones, by copies of the checkout's components.

    Parameters
    ----------
    tree
        Scratch copy of a repository; its ``.gitlab-ci.yml`` is rewritten.

    Raises
    ------
    BadInputError
        If a component is not one of Swath's, or its version is not the one of the checkout.
    """
    pipeline = tree / ".gitlab-ci.yml"
    replaced: list[Replaced] = []

    def local(match: re.Match[str]) -> str:
        source = _local_copy(match["address"])
        target = tree / FOLDER / f"{source.parent.name}.yml"
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(source, target)
        replaced.append(Replaced(match["address"], source))
        return f"{match['before']}local: /{FOLDER}/{target.name}"

    pipeline.write_text(_LINE.sub(local, pipeline.read_text()))
    return replaced


def _local_copy(address: str) -> Path:
    """Return the checkout's file for a component's address."""
    found = _ADDRESS.match(address)
    if found is None:
        raise BadInputError(f".gitlab-ci.yml: {address} is no address of a component (PROJECT/NAME@VERSION).")
    folder = checkout() / "ci"
    source = folder / "templates" / found["name"] / "template.yml"
    if not found["project"].endswith("/ci") or not source.is_file():
        here = ", ".join(sorted(path.parent.name for path in folder.glob("templates/*/template.yml")))
        raise BadInputError(
            f".gitlab-ci.yml: {address} has no local copy; Swath's components have one (…/ci/NAME: {here})."
        )
    ours = (folder / "VERSION").read_text().strip()
    asked = found["version"]
    # As GitLab reads versions: 1, 1.2, 1.2.3, ~latest; $CI_COMMIT_SHA in the components' own project.
    if not (asked in ("~latest", ours) or asked.startswith("$") or ours.startswith(asked + ".")):
        raise BadInputError(
            f".gitlab-ci.yml asks for {address}, and this checkout of Swath has the components {ours}. "
            f"Ask for {ours}, or check out the release of Swath that has {asked}."
        )
    return source

"""A new repository from a template: all of it, committed on its GitFlow branches, or nothing."""

import re
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import yaml
from copier import run_copy
from copier.errors import CopierError

from swath_developer._process import git
from swath_developer.errors import BadInputError, DeveloperError
from swath_developer.places import checkout


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffolded:
    """What was made."""

    path: Path
    """Absolute path of the new repository."""
    answers: Mapping[str, Any]
    """All answers, given and by default."""
    template: str
    """Git URL or absolute path of the template, as recorded in the repository."""
    version: str
    """Tag or commit of the template, as recorded; empty where the template is not under version control."""


def kinds() -> dict[str, str]:
    """Return the kinds of template that the checkout has, each with its one-line description."""
    questions = yaml.safe_load((checkout() / "copier.yml").read_text())
    return {name: text for text, name in questions["kind"]["choices"].items()}


def scaffold(
    destination: Path,
    *,
    kind: str = "processor",
    answers: Mapping[str, Any] | None = None,
    template: str | None = None,
    ref: str | None = None,
    interactive: bool = False,
) -> Scaffolded:
    """Make a repository from a template, with a first commit on ``main`` and ``develop``.

    Parameters
    ----------
    destination
        Folder of the new repository: absent, or empty.
    kind
        Which template.
    answers
        Answers to its questions; those that are missing are asked for or take their defaults.
    template
        Git URL or path of a template source; by default the checkout of Swath at its current commit.
    ref
        Tag, branch or commit of the template; by default the latest tag of a given ``template``.
    interactive
        Whether to ask, in the terminal, the questions that have no answer here.

    Raises
    ------
    BadInputError
        If the destination is taken, or an answer is unknown or not valid.
    DeveloperError
        If the template cannot be fetched or rendered. Nothing is left behind.
    """
    destination = destination.absolute()
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise BadInputError(f"{destination} exists and is not an empty folder. Choose another destination.")
    source, ref = _source(template, ref)
    if template is None and kind not in kinds():
        raise BadInputError(f"No template of the kind {kind!r}. There is: {', '.join(kinds())}.")
    given = {"kind": kind, **(answers or {})}
    created = _make_parents(destination.parent)
    try:
        partial = Path(tempfile.mkdtemp(prefix=f".{destination.name}.partial-", dir=destination.parent))
    except OSError as error:
        raise BadInputError(f"{destination} cannot be made: {error.strerror}.") from error
    try:
        made = _render(
            source, ref, partial, given, defaults=_named_after(destination), interactive=interactive
        )
        _commit(partial, made["author"], made["email"])
        partial.chmod(0o755)
        partial.rename(destination)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        for folder in reversed(created):
            folder.rmdir()
        raise
    recorded = yaml.safe_load((destination / ".copier-answers.yml").read_text())
    return Scaffolded(path=destination, answers=made, template=source, version=recorded.get("_commit", ""))


def _named_after(folder: Path) -> dict[str, Any]:
    """Return the default of the question for a name: the folder's, as people would write it."""
    words = re.sub(r"[\W_]+", " ", folder.name).strip()
    return {"name": words[:1].upper() + words[1:]} if re.match(r"[^\W\d_]{3}", words) else {}


def _make_parents(folder: Path) -> list[Path]:
    """Make a folder and those above it; return those that were not there, the topmost first."""
    missing = [path for path in (folder, *folder.parents) if not path.exists()][::-1]
    try:
        for path in missing:
            path.mkdir()
    except OSError as error:
        raise BadInputError(f"{folder} cannot be made: {error.strerror}.") from error
    return missing


def _source(template: str | None, ref: str | None) -> tuple[str, str | None]:
    """Return the template's address for the record and the commit to take from it."""
    if template is not None:
        local = Path(template).expanduser()
        if local.exists() and not local.is_dir():
            raise BadInputError(
                f"The template {local} cannot be used: it is a file. "
                "Give the Git URL or the path of a checkout."
            )
        return (str(local.absolute()) if local.exists() else template), ref
    root = checkout()
    # The commit by its hash: for the word HEAD, copier would add uncommitted changes under a commit that no
    # later update can find.
    found = git(root, "rev-parse", "--verify", "--quiet", f"{ref or 'HEAD'}^{{commit}}")
    if found.returncode and ref:
        raise BadInputError(f"{root} has no tag, branch or commit {ref!r}.")
    return str(root), found.stdout.strip() or None


def _render(
    source: str,
    ref: str | None,
    folder: Path,
    given: Mapping[str, Any],
    *,
    defaults: dict[str, Any],
    interactive: bool,
) -> dict[str, Any]:
    """Render the template and return all answers; errors of copier become ours."""
    try:
        with warnings.catch_warnings():
            # About shallow clones and the like: nothing that a user could act on.
            warnings.simplefilter("ignore")
            worker = run_copy(
                source,
                folder,
                data=dict(given),
                user_defaults=defaults,
                vcs_ref=ref,
                defaults=not interactive,
                overwrite=True,
                quiet=True,
            )
    except (ValueError, TypeError) as error:  # for answers that do not pass their validators
        raise BadInputError(str(error)) from error
    except KeyboardInterrupt:  # copier's own is an error of its, too: first come, first served
        raise
    except (CopierError, subprocess.CalledProcessError) as error:
        raise DeveloperError(f"The template {source} could not be rendered: {error}") from error
    except Exception as error:
        # plumbum's error of a git command has no base class that copier would name
        if type(error).__name__ != "ProcessExecutionError":
            raise
        told = str(getattr(error, "stderr", "")).strip() or str(error)
        raise BadInputError(f"The template {source} cannot be fetched: {told}") from error
    questions = set(worker.template.questions_data)
    for name in set(given) - questions:
        near = get_close_matches(name, questions, n=1)
        asked = sorted(
            q for q in questions if worker.template.questions_data[q].get("when", True) is not False
        )
        meant = f"Did you mean {near[0]!r}?" if near else f"Questions: {', '.join(asked)}."
        raise BadInputError(f"The template has no question {name!r}. {meant}")
    return {name: value for name, value in worker.answers.combined.items() if name in questions}


def _commit(folder: Path, author: str, email: str) -> None:
    """Make the folder a Git repository with one commit, on ``main`` and, checked out, ``develop``."""
    environment: dict[str, str] = {}
    for key, value in (("user.name", author), ("user.email", email)):
        if git(folder, "config", key).returncode:  # this user has not told Git: the answers do
            role = key.removeprefix("user.").upper()
            environment |= {f"GIT_AUTHOR_{role}": value, f"GIT_COMMITTER_{role}": value}
    for arguments in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "chore: start from Swath's template"],
        ["checkout", "--quiet", "-b", "develop"],
    ):
        done = git(folder, *arguments, environment=environment)
        if done.returncode:
            raise DeveloperError(f"git {arguments[0]} failed in the new repository: {done.stderr.strip()}")

"""A scratch copy of a repository's work tree: the pipeline runs in it, the repository stays untouched."""

import contextlib
import fcntl
import shutil
from collections.abc import Iterator
from pathlib import Path

from swath_developer._process import git
from swath_developer.errors import BadInputError, DeveloperError
from swath_developer.places import cache_folder

SLOTS = 64
"""Pipelines that may run on this machine at the same time, for one user."""
NOWHERE = "https://gitlab.invalid/swath/{name}.git"
"""Address of a repository without a remote; the top-level domain can never exist (RFC 2606)."""


def repository_of(path: Path) -> Path:
    """Return the root of the Git repository that holds ``path``.

    Raises
    ------
    BadInputError
        If there is none, or it has no pipeline.
    """
    if not path.is_dir():
        raise BadInputError(f"{path} is not a folder.")
    done = _git(path, "rev-parse", "--show-toplevel", check=False)
    if not done:
        raise BadInputError(
            f"{path} is not in a Git repository, and only its tracked files make a pipeline's work tree."
        )
    root = Path(done)
    if not (root / ".gitlab-ci.yml").is_file():
        raise BadInputError(f"{root} has no .gitlab-ci.yml: there is no pipeline to run.")
    return root


@contextlib.contextmanager
def scratch_copy(repository: Path) -> Iterator[Path]:
    """Copy the files that are tracked, or new and not ignored, to a folder of the cache.

    The folder is one of a few with fixed names, locked while it is in use. What jobs made there that follows
    from their locks alone serves the next pipeline: environments, byte code, the type checker's cache. After
    anything but a pass it is made anew.
    """
    with _slot() as slot:
        tree, whole = slot / "tree", slot / "whole"
        _clear(tree, keep_environments=whole.exists())
        whole.unlink(missing_ok=True)
        listed = _git(
            repository, "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"
        )
        for name in filter(None, listed.split("\0")):
            source, target = repository / name, tree / name
            if source.is_symlink() or source.is_file():  # a tracked file may have been deleted
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, target, follow_symlinks=False)
        yield tree


def keep_environments(tree: Path) -> None:
    """Let the next pipeline in this folder have the jobs' environments: all of them are whole."""
    (tree.parent / "whole").touch()


def commit_copy(tree: Path, repository: Path) -> str:
    """Make the copy a repository as gitlab-ci-local wants it, and return the branch.

    It has one commit on the branch that the original has checked out, a remote named origin, and the remote
    branches that ``rules:changes`` compares with.
    """
    branch = _git(repository, "branch", "--show-current", check=False) or "detached"
    branches = _git(repository, "branch", "--format=%(refname:short)", check=False).split()
    default = next((name for name in ("develop", "main") if name in branches), branch)
    remote = _git(repository, "remote", "get-url", "origin", check=False)
    _git(tree, "init", "--quiet", f"--initial-branch={branch}")
    _git(tree, "add", "--all", "--force", "--", ".", ":(exclude).gitlab-ci-local")
    _git(tree, "commit", "--quiet", "--no-verify", "--message", "work tree of the local pipeline")
    _git(tree, "remote", "add", "origin", remote or NOWHERE.format(name=repository.name))
    _git(tree, "update-ref", f"refs/remotes/origin/{default}", "HEAD")
    _git(tree, "symbolic-ref", "refs/remotes/origin/HEAD", f"refs/remotes/origin/{default}")
    return branch


@contextlib.contextmanager
def _slot() -> Iterator[Path]:
    """Lock the first folder that no other pipeline uses."""
    base = cache_folder() / "ci"
    for number in range(SLOTS):
        folder = base / f"slot-{number}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            yield folder
            return
    raise DeveloperError(f"{SLOTS} pipelines are running already, in the folders of {base}.")


def _clear(tree: Path, *, keep_environments: bool) -> None:
    """Empty the folder, but for what the next pipeline may have."""
    state = tree / ".gitlab-ci-local"
    kept = {state, state / "cache"}
    if keep_environments:
        environments = set(state.glob("builds/*/.venv"))
        kept |= environments | {path.parent for path in environments} | {state / "builds"}
    folders = [tree, *(path for path in kept if path.name != ".venv" and path != state / "cache")]
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        for path in set(folder.iterdir()) - kept:
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()


def _git(folder: Path, *arguments: str, check: bool = True) -> str:
    """Return what git prints; nothing if it fails and ``check`` is off."""
    identity = {f"GIT_{role}_NAME": "swath ci" for role in ("AUTHOR", "COMMITTER")}
    identity |= {f"GIT_{role}_EMAIL": "ci@swath.invalid" for role in ("AUTHOR", "COMMITTER")}
    done = git(folder, *arguments, environment=identity)
    if done.returncode and check:
        raise DeveloperError(f"git {arguments[0]} failed in {folder}: {done.stderr.strip()}")
    return "" if done.returncode else done.stdout.strip()

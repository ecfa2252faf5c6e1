"""Other programs, as this package calls them: found on PATH, with arguments that no shell reads."""

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

Command = Sequence[str | os.PathLike[str]]


def outcome(
    command: Command, *, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end and return what it printed and its status, which may be a failure."""
    return subprocess.run(  # noqa: S603 -- the commands are ours, the arguments go to no shell
        command, cwd=folder, env=environment, capture_output=True, text=True, errors="replace", check=False
    )


def start(
    command: Command, *, folder: Path, environment: Mapping[str, str], new_group: bool = False
) -> "subprocess.Popen[str]":
    """Start a program whose output is read while it runs; with ``new_group``, as head of a process group."""
    return subprocess.Popen(  # noqa: S603 -- as above
        command,
        cwd=folder,
        env=environment,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=new_group,
    )


def git(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run git in a folder, without the user's hooks and outside of any Git hook that this may run in."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    # Without optional locks: to look at a repository must not write to it, not even its index.
    plain = ["--no-optional-locks", "-c", "core.hooksPath=/dev/null", "-c", "commit.gpgSign=false"]
    return outcome(["git", *plain, *arguments], folder=folder, environment={**clean, **(environment or {})})

"""What was done in a directory, part by part: said while done, remembered so that it is not done twice."""

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from swath_developer.errors import DeveloperError
from swath_developer.places import typed

INTERRUPTED = 130

SWATH = Path(sys.executable).with_name("swath")
"""The command that this package's verbs belong to."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part that is done."""

    title: str
    """What was done, in a few words."""
    made: str
    """Path of what it made."""
    seconds: float
    """How long it took when it was done."""
    key: str
    """Fingerprint of all that it follows from: while that stays the same, the part is not done again."""


class Logbook:
    """The parts that were done in a directory.

    Parameters
    ----------
    directory
        An existing directory; the record is kept in it.
    """

    NAME = "tour.json"
    """Name of the record in the directory."""

    def __init__(self, directory: Path) -> None:
        self.parts: list[Part] = []
        """The parts of this call, done now or right already, in their order."""
        self._record = directory / self.NAME
        self._known: dict[str, Part] = {}
        if self._record.is_file():
            told = json.loads(self._record.read_text())
            self._known = {part["title"]: Part(**part) for part in told}
        else:
            self._write()  # so that what an interrupted first part leaves is known for a tour's

    def part(self, title: str, why: str, *, made: Path, key: str, do: Callable[[], None]) -> None:
        """Do a part unless it is right already, saying so.

        Parameters
        ----------
        title, why
            What it is, and a sentence on what it shows.
        made
            Path that is there when the part is done.
        key
            Fingerprint of what the part follows from.
        do
            Does it.
        """
        heading = f"{len(self.parts) + 1}. {title}"
        known = self._known.get(title)
        if known and known.key == key and known.made == str(made) and made.exists():
            click.echo(f"{click.style(heading, bold=True)}: right already")
            self.parts.append(known)
            return
        click.echo(f"\n{click.style(heading, bold=True)}\n   {why}")
        began = time.monotonic()
        do()
        seconds = round(time.monotonic() - began, 2)
        self.parts.append(Part(title=title, made=str(made), seconds=seconds, key=key))
        self._known[title] = self.parts[-1]
        self._write()
        click.secho(f"   done in {seconds:.1f} s", fg="green")

    def _write(self) -> None:
        partial = self._record.with_suffix(".partial")
        partial.write_text(json.dumps([asdict(part) for part in self._known.values()], indent=2) + "\n")
        partial.replace(self._record)


def shown_command(
    *words: str | Path, folder: Path | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Show a command as a user would type it and run it, with its output where the user sees it.

    While it runs, Ctrl-C and SIGTERM are for it: it is left to clear up, however long that takes.

    Parameters
    ----------
    words
        Program and arguments.
    folder
        Where it runs; by default here.
    environment
        Variables for it besides those of this process; they are shown, but for PATH.

    Raises
    ------
    DeveloperError
        If it fails; what it said stands above.
    KeyboardInterrupt
        If it was interrupted.
    """
    program = Path(words[0])
    arguments = list(map(str, words[1:]))
    if program == SWATH:
        shown = typed(*arguments)
    elif folder and program.is_relative_to(folder):
        shown = shlex.join([str(program.relative_to(folder)), *arguments])
    else:
        on_path = shutil.which(program.name) == str(program)
        shown = shlex.join([program.name if on_path else str(program), *arguments])
    given = "".join(
        f"{key}={shlex.quote(value)} " for key, value in (environment or {}).items() if key != "PATH"
    )
    if folder:
        click.secho(f"   $ cd {shlex.quote(str(folder))}", fg="cyan")
    click.secho(f"   $ {given}{shown}", fg="cyan")
    sys.stdout.flush()
    status = _run(list(map(str, words)), folder, {**os.environ, **(environment or {})})
    if status in {INTERRUPTED, -signal.SIGINT, -signal.SIGTERM}:
        raise KeyboardInterrupt
    if status:
        raise DeveloperError(f"`{shown}` ended with status {status}; what it said stands above.")


def _run(command: list[str], folder: Path | None, environment: Mapping[str, str]) -> int:
    """Run a command to its end and return its status; no signal makes this process leave it alone.

    A terminal sends Ctrl-C to both. ``subprocess.run`` would kill the command a quarter of a second later,
    in the middle of its clearing up.
    """
    process = subprocess.Popen(command, cwd=folder, env=environment)  # noqa: S603 -- ours, read by no shell
    handlers = {
        signal.SIGINT: lambda *_: None,
        signal.SIGTERM: lambda *_: process.terminate(),
    }
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        return process.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

"""Running a playbook to its end, whatever that is."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from swath_sde.configuration import FILE_NAME, load_installation
from swath_sde.errors import ConfigurationError
from swath_sde.places import state_folder
from swath_sde.playbooks._outcome import Outcome
from swath_sde.playbooks._place import collection_folder, environment, run_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from swath_sde.playbooks._outcome import Event

__all__ = ["run_playbook"]

_PATIENCE = 90.0
"""Seconds that what is interrupted has to clear up."""


def run_playbook(
    name: str,
    installation_file: Path | str | None = None,
    *,
    check: bool = False,
    diff: bool = False,
    extra: Mapping[str, Any] | None = None,
    tags: tuple[str, ...] = (),
    on_event: Callable[[Event], None] | None = None,
) -> int:
    """Run a playbook of the collection to its end.

    Whoever changes an installation holds it with `swath_sde.exclusive.exclusively` meanwhile.

    Parameters
    ----------
    name
        ``site``, ``plan`` or ``remove``.
    installation_file
        ``swath.yaml``; by default that of the working folder, else the embedded one with all defaults.
    check
        Change nothing; find what would be changed.
    diff
        Tell the differences.
    extra
        Further variables. They go to Ansible in a file that only this user reads, not on a command line.
    tags
        Run only these roles; by default all.
    on_event
        Gets every event; without it the playbook prints for people.

    Returns
    -------
    int
        0 done, or a check found nothing; 1 failed; 2 an error of ``swath.yaml`` that only showed on the way;
        3 a check found something; 130 interrupted. Before it returns, all that it started has ended.

    Raises
    ------
    ConfigurationError
        ``swath.yaml`` is refused, or there is no such playbook.
    """
    collection = collection_folder()
    playbook = collection / "playbooks" / f"{name}.yml"
    if not playbook.is_file():
        known = ", ".join(sorted(path.stem for path in playbook.parent.glob("*.yml")))
        raise ConfigurationError(f"no playbook {name!r}; there are {known}")
    installation = load_installation(installation_file)
    home = state_folder(installation.name) / "ansible"
    home.mkdir(mode=0o700, exist_ok=True)
    reads_only = check or name == "plan"
    with run_folder(home) as run:
        variables = {"swath_file": str(_whole_file(installation_file, run)), **(extra or {})}
        (run / "variables.json").write_text(json.dumps(variables), encoding="utf-8")
        kind = "one-machine" if installation.where.kind == "embedded" else "existing-cluster"
        command = [
            str(Path(sys.executable).with_name("ansible-playbook")),
            f"swath.sde.{name}",
            f"--inventory={collection / 'inventories' / kind}",
            f"--extra-vars=@{run / 'variables.json'}",
            *(["--check"] if check else []),
            *(["--diff"] if diff else []),
            *([f"--tags={','.join(tags)}"] if tags else []),
        ]
        outcome = Outcome(on_event)
        status = _run(command, environment(home, run, collection, for_people=on_event is None), run, outcome)
        return outcome.status(status, run / "ended", reads_only=reads_only)


def _run(command: list[str], variables: dict[str, str], run: Path, outcome: Outcome) -> int:
    """Run ansible-playbook; Ctrl-C ends it and all that it started, each after it has cleared up."""
    listening = outcome.on_event is not None
    playbook = subprocess.Popen(  # noqa: S603 -- the command is ours, the arguments go to no shell
        command,
        env=variables,
        cwd=run,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE if listening else None,
        stderr=subprocess.PIPE if listening else None,
        text=True,
        errors="replace",
        # Ctrl-C of the terminal reaches this process, which passes it on: once, and then waits.
        start_new_session=True,
    )
    with playbook:
        complaints = _in_background(playbook.stderr, outcome.warn)
        try:
            _each_line(playbook.stdout, outcome.take)
            status = playbook.wait()
        except BaseException:
            rest = _in_background(playbook.stdout, outcome.take)  # a full pipe would keep it from ending
            _end(playbook, run)
            rest.join()
            raise
        finally:
            complaints.join()
    # Asynchronous tasks end with the playbook, but not at the same moment.
    _wait_for_modules(run, time.monotonic() + _PATIENCE)
    return status


def _end(playbook: subprocess.Popen[str], run: Path) -> None:
    until = time.monotonic() + _PATIENCE
    playbook.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        playbook.wait(_PATIENCE)
    _wait_for_modules(run, until)
    if playbook.poll() is None:
        playbook.kill()


def _in_background(stream: Any, take: Callable[[str], None]) -> threading.Thread:
    thread = threading.Thread(target=_each_line, args=(stream, take), daemon=True)
    thread.start()
    return thread


def _each_line(stream: Any, take: Callable[[str], None]) -> None:
    for line in stream or ():
        take(line)


def _wait_for_modules(run: Path, until: float) -> None:
    """Wait until no module of the run holds its file in ``running`` any more."""
    for file in (run / "running").glob("*"):
        with file.open() as held:
            while time.monotonic() < until:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    time.sleep(0.1)
                else:
                    break


def _whole_file(file: Path | str | None, run: Path) -> Path:
    """Return the path of swath.yaml from the root; where there is none, of one with all defaults."""
    chosen = Path(file) if file is not None else Path(FILE_NAME)
    if file is None and not chosen.is_file():
        chosen = run / FILE_NAME
        chosen.write_text(yaml.safe_dump({"version": 1}), encoding="utf-8")
    return chosen.resolve()

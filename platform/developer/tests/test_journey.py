"""The tour: what is shown, what an interruption leaves, and what is kept."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from swath_developer import journey
from swath_developer._logbook import SWATH, Logbook, shown_command
from swath_developer.errors import BadInputError


def wait_for(path: Path) -> None:
    for _ in range(200):
        if path.exists():
            return
        time.sleep(0.05)
    pytest.fail(f"{path} did not appear")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_command_is_left_to_clear_up(number, tmp_path):
    child = (
        "import pathlib, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.default_int_handler)\n"
        "try:\n"
        "    pathlib.Path('begun').touch(); time.sleep(60)\n"
        "finally:\n"
        "    time.sleep(1); pathlib.Path('cleared').touch()\n"
    )
    parent = (
        "import sys\nfrom swath_developer._logbook import shown_command\n"
        f"shown_command(sys.executable, '-c', {child!r})"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent],
        cwd=tmp_path, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_for(tmp_path / "begun")
    if number == signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)
    _, told = process.communicate(timeout=30)
    assert (tmp_path / "cleared").exists()
    assert b"KeyboardInterrupt" in told


def test_a_tour_that_was_interrupted_in_its_first_part_goes_on(tmp_path):
    journey._open(tmp_path / "tour", fresh=False)
    (tmp_path / "tour" / ".my-processor.partial-x").mkdir()
    journey._open(tmp_path / "tour", fresh=False)


def test_a_folder_that_holds_no_tour_is_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(BadInputError, match="holds no tour"):
        journey._open(tmp_path, fresh=True)
    assert (tmp_path / "mine").exists()


def test_fresh_removes_what_a_tour_makes_and_nothing_else(tmp_path):
    (tmp_path / Logbook.NAME).write_text(
        json.dumps([{"title": "Scaffold", "made": "x", "seconds": 1.0, "key": "k"}])
    )
    for name in ("my-processor", "products", "mine"):
        (tmp_path / name).mkdir()
    logbook = journey._open(tmp_path, fresh=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", Logbook.NAME]
    done: list[str] = []
    logbook.part("Scaffold", "", made=tmp_path, key="k", do=lambda: done.append("again"))
    assert done == ["again"]


def test_a_command_is_shown_as_it_can_be_typed(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("SWATH_CALLED_AS", "./swath")
    folder = tmp_path / "a place"
    (folder / "tools").mkdir(parents=True)
    tool = folder / "tools" / "install"
    tool.write_text('#!/bin/sh\ntest -n "$SWATH_WHEELS"\n')
    tool.chmod(0o755)
    shown_command(tool, folder=folder, environment={"SWATH_WHEELS": "my wheels", "PATH": os.environ["PATH"]})
    shown_command(SWATH, "--version")
    told = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert told == [
        f"$ cd {shlex.quote(str(folder))}",
        "$ SWATH_WHEELS='my wheels' tools/install",
        "$ ./swath --version",
    ]

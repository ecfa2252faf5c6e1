"""Locks between processes."""

import subprocess
import sys
import time

from swath_sde.exclusive import in_turn

HOLDS = """
import sys, time
from pathlib import Path
from swath_sde.exclusive import in_turn
with in_turn(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
    Path(sys.argv[2]).write_text("made")
"""


def test_who_comes_second_says_that_it_waits_and_finds_what_the_first_one_made(tmp_path):
    lock, made = tmp_path / "folder" / "lock", tmp_path / "made"
    said = []
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, lock, made], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout.readline() == "held\n"

        def waits():
            said.append(made.exists())
            first.stdin.close()

        with in_turn(lock, waits):
            assert made.read_text() == "made"
    assert said == [False]


def test_nobody_is_told_to_wait_for_nobody(tmp_path):
    said = []
    for _ in range(2):
        with in_turn(tmp_path / "lock", lambda: said.append(time.time())):
            pass
    assert said == []

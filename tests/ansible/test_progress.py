"""What the callback shows, and the time that it says is left."""

import importlib.util
import os
import pty
import re
import sys
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "ansible" / "plugins"


def load(name: str):
    spec = importlib.util.spec_from_file_location(
        f"swath_sde_{name}", PLUGINS / "plugin_utils" / f"{name}.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


Estimate = load("estimate").Estimate
CLUSTER, HUB = ("cluster", "The cluster runs"), ("hub", "JupyterHub is released")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Keep the times of two runs: one that made everything, and one that found nothing to do."""
    file = tmp_path / "durations.json"
    for state, cluster, hub in (("changed", 100.0, 40.0), ("ok", 2.0, 1.0)):
        run = Estimate(file, "site")
        run.done(CLUSTER, state, cluster)
        run.done(HUB, state, hub)
        run.keep()
    return file


def test_there_is_no_estimate_before_the_first_run(tmp_path):
    assert Estimate(tmp_path / "none.json", "site").left(CLUSTER, 0) is None
    assert Estimate().left(CLUSTER, 0) is None


def test_nothing_is_expected_to_change_until_something_does(file):
    run = Estimate(file, "site")
    assert run.left(("", ""), 0) == 3
    assert run.left(CLUSTER, 1) == 2
    run.done(CLUSTER, "ok", 2)
    assert run.left(HUB, 0) == 1


def test_after_a_change_the_rest_is_expected_to_take_what_a_change_took(file):
    run = Estimate(file, "site")
    run.done(CLUSTER, "changed", 90)
    assert run.left(HUB, 10) == 30


def test_a_task_that_takes_longer_than_nothing_would_is_taken_to_change_something(file):
    run = Estimate(file, "site")
    assert run.left(CLUSTER, 20) == 80 + 40


def test_no_number_is_made_up_for_what_takes_longer_than_ever(file):
    assert Estimate(file, "site").left(CLUSTER, 101) is None


def test_other_playbooks_and_broken_files_tell_nothing(file):
    assert Estimate(file, "plan").left(CLUSTER, 0) is None
    file.write_text("{")
    assert Estimate(file, "site").left(CLUSTER, 0) is None


def test_times_of_tasks_that_are_no_more_are_forgotten_and_failures_not_kept(file):
    run = Estimate(file, "site")
    run.done(HUB, "ok", 3)
    run.done(CLUSTER, "failed", 500)
    run.keep()
    again = Estimate(file, "site")
    assert again.left(("", ""), 0) == 3
    again.done(CLUSTER, "changed", 1)
    assert again.left(("", ""), 0) == 40


class Display:
    """Takes what Ansible's own display would print."""

    def __init__(self) -> None:
        from threading import RLock

        self._lock = RLock()
        self.lines: list[str] = []

    def display(self, text: str, color: str | None = None) -> None:  # noqa: ARG002 -- Ansible's
        self.lines.append(text)


def test_in_a_log_there_is_a_line_a_task_and_nothing_that_moves(capfd):
    display = Display()
    view = load("view").View(display)
    view.take({"event": "start", "playbook": "site", "check": False, "left": 83.0})
    view.take({"event": "task", "role": "hub", "task": "JupyterHub is released", "left": None})
    view.tick(3, 20)
    view.take({"event": "progress", "of": "release", "text": "hub: 0 of 1 ready", "left": None})
    view.take({"event": "diff", "text": "--- before: now\n+++ after: then\n@@ -1 +1 @@\n-one\n+two\n\n"})
    result = {"event": "result", "role": "hub", "task": "JupyterHub is released", "elapsed": 75.0}
    view.take({**result, "state": "changed"})
    view.take({**result, "state": "skipped"})
    view.take({**result, "state": "failed", "message": "no room\nmake some"})
    view.take(
        {"event": "end", "check": False, "ok": 2, "changed": 1, "failed": 1, "skipped": 1, "seconds": 80}
    )
    assert [re.sub(" +", " ", line.strip()) for line in display.lines] == [
        "site: what differs is changed; about 1 min 23 s by earlier runs",
        "hub",
        "release: hub: 0 of 1 ready",
        "changed JupyterHub is released 1 min 15 s",
        "-one",
        "+two",
        "failed JupyterHub is released 1 min 15 s",
        "no room",
        "make some",
        "1 changed, 2 as they should be, 1 failed; 1 min 20 s",
    ]
    assert capfd.readouterr().out == ""


def test_in_a_terminal_the_last_line_tells_what_is_done_and_what_is_left(monkeypatch):
    ours, theirs = pty.openpty()
    kept = os.dup(1)
    try:
        os.dup2(theirs, 1)
        monkeypatch.setattr(sys, "stdout", os.fdopen(os.dup(theirs), "w"))
        monkeypatch.setenv("TERM", "xterm")
        display = Display()
        view = load("view").View(display)
        view.take({"event": "task", "role": "hub", "task": "JupyterHub is released", "left": None})
        view.take({"event": "progress", "of": "release", "text": "0 of 1 ready", "left": None})
        view.tick(12, 30)
        shown = os.read(ours, 4096).decode()
        sys.stdout.close()
    finally:
        os.dup2(kept, 1)
        for handle in (kept, ours, theirs):
            os.close(handle)
    assert "… JupyterHub is released: 0 of 1 ready (12 s, about 30 s left)" in shown
    assert display.lines == []

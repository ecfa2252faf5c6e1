"""Playbooks as `swath up` runs them: what is told, what is changed, how it ends."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest
from swath_sde.errors import ConfigurationError
from swath_sde.playbooks import DONE, FAILED, INTERRUPTED, PENDING, run_playbook


@pytest.fixture
def target(with_note: Path, tmp_path: Path) -> Path:
    return tmp_path / "note"


def play(
    swath_file: Path, target: Path, name: str = "note", *, check: bool = False, diff: bool = False, **extra
):
    events = []
    status = run_playbook(
        name,
        swath_file,
        check=check,
        diff=diff,
        extra={"target": str(target), **extra},
        on_event=events.append,
    )
    return status, events


def of(events, kind):
    return [event for event in events if event["event"] == kind]


def test_a_check_tells_what_would_change_and_changes_nothing(swath_file, target):
    status, events = play(swath_file, target, check=True, diff=True)
    assert status == PENDING
    assert not target.exists()
    (result,) = of(events, "result")
    assert result["state"] == "changed"
    assert result["changes"] == [
        {"kind": "Note", "name": "note", "action": "create", "details": ["text: one"]}
    ]
    (diff,) = of(events, "diff")
    assert "+  text: one" in diff["text"]
    assert of(events, "end")[0]["check"] is True


def test_a_second_run_changes_nothing_and_a_change_is_told_before_and_after(swath_file, target):
    assert play(swath_file, target)[0] == DONE
    assert target.read_text() == "one"
    status, events = play(swath_file, target)
    assert status == DONE
    assert [event["state"] for event in of(events, "result")] == ["ok"]
    assert of(events, "end")[0]["changed"] == 0
    assert play(swath_file, target, check=True)[0] == DONE
    status, events = play(swath_file, target, diff=True, text="two")
    assert status == DONE
    (diff,) = of(events, "diff")
    assert "-  text: one\n+  text: two" in diff["text"]
    assert target.read_text() == "two"


def test_progress_comes_while_the_module_works_and_time_left_from_the_run_before(swath_file, target):
    _, events = play(swath_file, target, seconds=2)
    assert [event["text"] for event in of(events, "progress")] == ["second 1 of 2", "second 2 of 2"]
    assert events.index(of(events, "progress")[0]) < events.index(of(events, "result")[0])
    assert of(events, "start")[0]["left"] is None
    _, events = play(swath_file, target, text="two")
    assert of(events, "start")[0]["left"] > 0


def test_a_failure_is_told_in_the_platforms_words_without_a_trace(swath_file, target):
    status, events = play(swath_file, target, text="broken")
    assert status == FAILED
    (failed,) = of(events, "result")
    assert failed["message"] == "the text is 'broken'; give another"
    assert not [event for event in events if "Traceback" in str(event)]


def test_the_status_is_the_same_where_people_read_along(swath_file, target, capfd):
    extra = {"target": str(target)}
    assert run_playbook("note", swath_file, check=True, extra=extra) == PENDING
    assert "changed  Note is written" in capfd.readouterr().out
    assert run_playbook("note", swath_file, extra=extra | {"text": "broken"}) == FAILED
    assert "the text is 'broken'; give another" in capfd.readouterr().out


def test_a_defect_is_called_one(swath_file, target):
    status, events = play(swath_file, target, text="defect")
    assert status == FAILED
    assert of(events, "result")[0]["message"] == (
        "internal error: RuntimeError: nobody thought of this. A defect in Swath; -vvv shows its trace."
    )


def test_an_asynchronous_task_is_waited_for(swath_file, target):
    status, events = play(swath_file, target, "begun", seconds=1)
    assert status == DONE
    assert [event["state"] for event in of(events, "result")] == ["ok", "changed"]
    assert target.read_text() == "one"


def test_nothing_is_left_of_a_run_but_its_times(swath_file, target, home):
    play(swath_file, target, secret="not for a command line")
    kept = {path.name for path in (home / "clusters" / "drill" / "ansible").iterdir()}
    assert kept == {"collections", "durations.json"}


def test_a_refused_file_is_told_before_ansible_starts(tmp_path, target):
    file = tmp_path / "wrong.yaml"
    file.write_text("version: 1\ndomian: swath.localhost\n")
    with pytest.raises(ConfigurationError, match="did you mean 'domain'"):
        play(file, target)


def test_an_unknown_playbook_is_refused_with_the_known_ones(swath_file, target):
    with pytest.raises(ConfigurationError, match=r"no playbook 'sight'; there are .*plan.*remove.*site"):
        play(swath_file, target, "sight")


def test_what_ansible_itself_refuses_is_told(swath_file, with_note, target):
    (with_note / "ansible" / "playbooks" / "note.yml").write_text("- hosts: [\n")
    with pytest.raises(Exception, match=r"(?s)ended with status 4: .*note\.yml"):
        play(swath_file, target)


PROGRAM = """
    import os, sys
    from swath_sde.playbooks import run_playbook
    extra = {"target": sys.argv[3], "seconds": 300, "token": os.environ.get("DRILL_TOKEN")}
    sys.exit(run_playbook(sys.argv[1], sys.argv[2], extra=extra))
"""


def begin(swath_file: Path, target: Path, name: str) -> "subprocess.Popen[bytes]":
    """Run a playbook for people in a process of its own, and wait until its module works."""
    running = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(PROGRAM), name, swath_file, target],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not target.with_suffix(".started").exists():
        assert running.poll() is None
        time.sleep(0.05)
    return running


def processes_that_name(text: str) -> list[str]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            line = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:  # it has just ended
            continue
        if text in line and int(process.name) != os.getpid():
            found.append(line)
    return found


def wait_until_nothing_is_left(home: Path) -> None:
    """Ansible's own watcher of an asynchronous task looks every five seconds whether that has ended."""
    until = time.monotonic() + 60
    while left := processes_that_name(str(home)):
        assert time.monotonic() < until, left
        time.sleep(0.1)


@pytest.mark.parametrize("name", ["note", "begun"])
def test_an_interrupted_module_clears_up_before_the_run_ends(swath_file, target, home, name):
    running = begin(swath_file, target, name)
    running.send_signal(signal.SIGINT)
    running.wait(60)
    assert target.with_suffix(".cleared").exists(), "the module had the time to clear up"
    assert running.returncode in (INTERRUPTED, -signal.SIGINT)
    assert not target.exists()
    wait_until_nothing_is_left(home)
    assert not list((home / "clusters" / "drill" / "ansible").glob("run-*"))


@pytest.mark.parametrize("name", ["note", "begun"])
def test_a_module_does_not_outlive_a_killed_run(swath_file, target, home, name):
    running = begin(swath_file, target, name)
    running.kill()
    running.wait()
    until = time.monotonic() + 30
    while not target.with_suffix(".cleared").exists():
        assert time.monotonic() < until, "the module works on, with nobody to tell it to end"
        time.sleep(0.1)
    wait_until_nothing_is_left(home)


def test_a_variable_is_on_no_command_line(swath_file, target, monkeypatch):
    monkeypatch.setenv("DRILL_TOKEN", "s3cret-of-the-drill")
    running = begin(swath_file, target, "note")
    try:
        assert processes_that_name("s3cret-of-the-drill") == []
        assert processes_that_name(str(target.parent / "home")) != []
    finally:
        running.send_signal(signal.SIGINT)
        running.wait(60)

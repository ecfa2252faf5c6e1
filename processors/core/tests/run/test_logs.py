"""The log: JSON lines for machines, words for people; each event says of which product, step and chunk."""

import json
import logging
import os
import sys

import pytest
from swath.errors import InputError, RunError
from swath.run import execute, logs, logs_json

WINDOW = "rows 20:120, columns 0:100"


@pytest.fixture
def lines(capsys, monkeypatch):
    monkeypatch.setenv("SWATH_LOG", "json")
    return lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_each_chunk_is_a_line_of_json(payload, lines):
    with logs():
        report = execute(payload(window=WINDOW, cogs=False))
    events = lines()
    assert [event["message"] for event in events][0::10] == ["run begins", "product written"]
    chunks = [event for event in events if event["message"] == "chunk done"]
    assert sorted(event["chunk"] for event in chunks) == [[r, c] for r in range(3) for c in range(3)]
    assert {event["product"] for event in events} == {"out"}
    assert {event["run"] for event in events} == {report.run}
    assert all(event["time"].endswith("+00:00") and event["level"] == "info" for event in events)


def test_steps_are_told_to_who_wants_to_know(payload, lines, monkeypatch):
    monkeypatch.setenv("SWATH_LOG_LEVEL", "debug")
    with logs():
        execute(payload(window=WINDOW, cogs=False))
    steps = [event for event in lines() if event["message"] == "step done"]
    assert {event["step"] for event in steps} == {"index", "dawdle", "smooth", "steep"}
    assert all(event["chunk"] and event["seconds"] >= 0 for event in steps)


def test_a_failure_is_an_event(payload, lines):
    with logs(), pytest.raises(RunError):
        execute(payload(window=WINDOW, parameters={"fail_above": 0.5}))
    last = lines()[-1]
    assert last["level"] == "error"
    assert "Step 'dawdle' of 'practice', in the output chunk (row " in last["message"]


def test_words_for_people_and_only_what_they_should_know(payload, monkeypatch, capsys):
    monkeypatch.setenv("SWATH_LOG", "human")
    with logs():
        execute(payload(window=WINDOW, cogs=False))
        logging.getLogger("swath.run").warning("fewer workers")
    assert capsys.readouterr().err == "WARNING: fewer workers\n"


def test_a_pod_gets_json_and_a_terminal_words(monkeypatch):
    assert not logs_json()
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    assert logs_json()
    ours, theirs = os.openpty()
    with os.fdopen(theirs, "w") as terminal, os.fdopen(ours, "rb"):
        monkeypatch.setattr(sys, "stderr", terminal)
        assert not logs_json()
        monkeypatch.setenv("SWATH_LOG", "json")
        assert logs_json()


def test_people_are_told_a_failure_once_and_what_is_kept(payload, monkeypatch, capsys):
    monkeypatch.setenv("SWATH_LOG", "human")
    with logs(), pytest.raises(RunError):
        execute(payload(window=WINDOW, keep=True, parameters={"fail_above": 0.5}))
    told = capsys.readouterr().err
    assert told == "WARNING: finished chunks are kept; the same command goes on from them\n"


@pytest.mark.parametrize(("name", "value"), [("SWATH_LOG", "xml"), ("SWATH_LOG_LEVEL", "loud")])
def test_a_value_that_means_nothing_is_told(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=f"{name} is '{value}'; expected one of"), logs():
        pass


def test_nothing_is_left_of_it_afterwards(payload):
    logger = logging.getLogger("swath")
    before = list(logger.handlers), logger.level, logger.propagate
    with logs():
        assert logger.handlers != before[0]
    assert (list(logger.handlers), logger.level, logger.propagate) == before

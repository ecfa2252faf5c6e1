"""A Dask scheduler that does not answer, or has nobody to work: it is said while one waits."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from distributed import LocalCluster
from swath.errors import InputError
from swath.run import execute

SWATH = Path(sys.executable).parent / "swath"
WINDOW = "rows 20:120, columns 0:100"


@pytest.fixture
def silent():
    """Yield the address of a server that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"tcp://127.0.0.1:{server.getsockname()[1]}"


@contextmanager
def begun(product, destination, plugin, engine, *options, **environment):
    """Run the command in the background."""
    process = subprocess.Popen(
        [SWATH, "run", "practice", product, destination, "--engine", engine, *options],
        env={**os.environ, "PYTHONPATH": str(plugin), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()


def lines_until(stream, text):
    """Return the lines of a stream up to one that holds a text."""
    lines = []
    for line in stream:
        lines.append(line)
        if text in line:
            return lines
    raise AssertionError(f"{text!r} is not in {lines}")


def test_who_does_not_answer_is_named_before_one_gives_up(practice_product, destination, plugin, silent):
    with begun(practice_product, destination, plugin, silent) as running:
        told = lines_until(running.stderr, "waiting")[-1]
        assert told == f"WARNING: waiting for the Dask scheduler at {silent}, 20 s at most\n"
        assert running.poll() is None  # it is said while one waits, not in the end
        out, err = running.communicate(timeout=120)
    assert running.returncode == 2, err
    assert f"error: No dask scheduler answers at {silent}: " in err
    assert "Traceback" not in err
    assert out == ""
    assert not list(destination.parent.iterdir())


def test_a_machine_is_told_in_the_log_and_nothing_on_standard_output(
    practice_product, destination, plugin, silent
):
    with begun(practice_product, destination, plugin, silent, "--json", SWATH_LOG="json") as running:
        told = json.loads(lines_until(running.stderr, "waiting for the")[-1])
        running.terminate()
        out, _ = running.communicate(timeout=60)
    assert told["message"] == f"waiting for the Dask scheduler at {silent}, 20 s at most"
    assert (told["level"], told["product"]) == ("warning", "out")
    assert told["run"]
    assert out == ""


def test_the_bar_says_whom_one_waits_for(payload, destination, monkeypatch):
    monkeypatch.setattr("swath.run._engine._CONNECT_SECONDS", 0.5)
    told = []
    with pytest.raises(InputError, match=r"No dask scheduler answers at tcp://127\.0\.0\.1:1"):
        execute(payload(engine="tcp://127.0.0.1:1"), progress=lambda what, *_: told.append(what))
    assert told == ["waiting for the Dask scheduler at tcp://127.0.0.1:1"]
    assert not list(destination.parent.iterdir())


def test_a_scheduler_without_workers_is_told_and_waited_for(payload, caplog):
    with LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster:
        address = cluster.scheduler_address
        thread = threading.Thread(target=execute, args=[payload(engine=address, window=WINDOW, cogs=False)])
        thread.start()
        until = time.monotonic() + 60
        while "has no workers yet" not in caplog.text and time.monotonic() < until:
            time.sleep(0.1)
        assert f"The Dask scheduler at {address} has no workers yet" in caplog.text
        cluster.scale(1)
        thread.join(120)
        assert not thread.is_alive()

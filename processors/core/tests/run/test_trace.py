"""One trace a run: from the client through the scheduler to the steps on the workers."""

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from collector import collector
from swath.errors import InputError
from swath.run import _trace

SWATH = Path(sys.executable).parent / "swath"


@pytest.fixture
def run(payload, plugin, practice_product, destination):
    """Return a function that runs nine chunks in a process of their own, and returns its log."""

    def run(engine, **variables):
        environment = {**os.environ, "PYTHONPATH": str(plugin), "SWATH_LOG": "json", **variables}
        done = subprocess.run(
            [SWATH, "run", "practice", practice_product, destination, "--engine", engine, "--workers", "2",
             "--window", "rows 20:120, columns 0:100", "--no-cogs"],
            env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stderr.splitlines()]

    return run


@pytest.mark.parametrize("engine", ["threads", "distributed"])
def test_a_run_is_one_trace_whose_parents_are_right(run, engine):
    with collector() as (address, spans):
        log = run(engine, OTEL_EXPORTER_OTLP_ENDPOINT=address)
    by_id = {span.identifier: span for span in spans}
    parents = Counter((span.name, by_id[span.parent].name if span.parent else "") for span in spans)
    expected = {
        ("swath run", ""): 1,
        ("plan", "swath run"): 1,
        ("compute", "swath run"): 1,
        ("quick look", "swath run"): 1,
        ("chunk", "compute"): 9,
        ("write", "chunk"): 9,
        **{(f"step {name}", "chunk"): 9 for name in ("index", "dawdle", "smooth", "steep")},
    }
    if engine == "distributed":
        expected["schedule", "compute"] = 9
    reads = parents.pop(("read", "compute"))
    assert reads >= 1
    assert parents == expected
    assert len({span.trace for span in spans}) == 1
    assert {span.attributes["service"] for span in spans} == {"swath"}
    chunks = sorted(span.attributes["swath.chunk"] for span in spans if span.name == "chunk")
    assert chunks == [[row, column] for row in range(3) for column in range(3)]
    assert {event["trace_id"] for event in log if event["message"] == "chunk done"} == {spans[0].trace}


def test_without_being_asked_nothing_of_it_is_imported(payload):
    code = (
        "import sys; from swath.run import execute, make_payload; import json; "
        "execute(make_payload(json.loads(sys.argv[1]))); "
        "print([name for name in sys.modules if name.startswith('opentelemetry')])"
    )
    job = payload(window="rows 0:9, columns 0:9", cogs=False)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent / "plugin")}
    command = [sys.executable, "-c", code, job.model_dump_json()]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_an_exporter_that_is_not_installed_is_told(monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "carrier-pigeon")
    with pytest.raises(
        InputError, match=r"names 'carrier-pigeon', which is not installed\. There are: .*otlp"
    ):
        _trace.is_tracing()


def test_the_standard_switch_turns_it_off(monkeypatch):
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    assert _trace._asked() == []

"""Measures one way of one case in a process of its own, and prints JSON: ``python child.py WAY CASE JOB``.

It runs in the environment of whoever does the work, so it needs the standard library and numpy alone.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from suite.job import Job

MOST = 15
"""How often a short operation is timed, at most."""


def main() -> None:
    way, case, told = sys.argv[1:]
    values = json.loads(told)
    paths = ("tile", "safe", "output")
    job = Job(**{name: Path(value) if name in paths else value for name, value in values["job"].items()})
    small = Job(**{name: Path(value) if name in paths else value for name, value in values["small"].items()})
    # What the peers warn of is theirs to read; our own tests make errors of warnings.
    warnings.simplefilter("ignore")
    module = importlib.import_module(f"suite.ways.{way}")
    prepare = getattr(module, case)
    prepare(small)()  # imports what is imported late, starts the pools
    _clear(small)
    run = prepare(job)
    _forget_peak()
    seconds: list[float] = []
    cpu: list[float] = []
    answer = None
    while not seconds or (sum(seconds) < values["enough"] and len(seconds) < MOST):
        answer = None
        _clear(job)
        start, started = time.process_time(), time.perf_counter()
        answer = run()
        seconds.append(time.perf_counter() - started)
        cpu.append(time.process_time() - start)
        if len(seconds) == 1:
            peak = _peak()
    print(json.dumps({"seconds": seconds, "cpu": cpu, "peak": peak, "answer": _told(answer)}))


def _told(answer: object) -> object:
    """Return an answer as JSON has it: of an array its sum, of what was written that of an array in it."""
    if isinstance(answer, int | float | str | list) or answer is None:
        return answer
    import numpy as np  # noqa: PLC0415 -- only once the clock has stopped

    if isinstance(answer, tuple):
        import zarr  # noqa: PLC0415

        store, path = answer
        answer = zarr.open_array(store, path=path, mode="r")[...]
    return float(np.nansum(np.asarray(answer), dtype=np.float64))


def _clear(job: Job) -> None:
    for path in job.output.parent.glob(f"{job.output.name}-*"):
        shutil.rmtree(path)


def _forget_peak() -> None:
    """Let the peak of resident memory start again from what is resident now (``man 5 proc``)."""
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Return the peak of resident memory in bytes: of this program, not of what started it."""
    told = Path("/proc/self/status").read_text().splitlines()
    line = next(line for line in told if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    main()

"""Measuring: each way of a case in processes of its own, turn by turn."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from suite.cases import Case
    from suite.job import Job

__all__ = ["Figures", "measure"]


@dataclass
class Figures:
    """What was measured of one way of a case."""

    seconds: list[float] = field(default_factory=list)
    """By the clock, one a process: the least of what it timed."""
    cpu: list[float] = field(default_factory=list)
    """Of all CPUs together."""
    peaks: list[int] = field(default_factory=list)
    """Peak of resident memory, bytes, imports included."""
    answer: Any = None
    failure: str = ""
    """Why it could not be measured, or nothing."""

    @property
    def clock(self) -> float:
        """Least seconds by the clock: other work on the machine only adds."""
        return min(self.seconds)

    @property
    def processors(self) -> float:
        """Least seconds of CPU."""
        return min(self.cpu)

    @property
    def peak(self) -> float:
        """Median peak of resident memory, bytes."""
        return statistics.median(self.peaks)


def measure(
    case: Case,
    jobs: Mapping[str, Job],
    pythons: Mapping[str, Path],
    told: Callable[[str], None],
    *,
    repeat: int,
    enough: float,
) -> dict[str, Figures]:
    """Run a case: every way once, then every way again, so that a busy minute is everybody's.

    Parameters
    ----------
    case
        What to measure.
    jobs
        ``job``, and ``small`` to warm up on; their outputs are put into folders of each process.
    pythons
        Module of the ways → the Python that has what it needs; a way whose Python is missing is left out.
    told
        Told what runs next.
    repeat
        Processes for each way.
    enough
        Seconds after which a short operation has been timed often enough.
    """
    figures = {way: Figures() for way, where in case.ways.items() if _python(case, way, pythons)}
    for turn in range(repeat):
        for way, found in figures.items():
            if found.failure:
                continue
            told(f"{case.name}: {way}, {turn + 1} of {repeat}")
            module, function = case.ways[way]
            python = _python(case, way, pythons)
            if module == "command":
                _command(python, function, found)
            else:
                _child(python, module, function, jobs, enough, found)
    return figures


def _python(case: Case, way: str, pythons: Mapping[str, Path]) -> Path | None:
    module, program = case.ways[way]
    of_eopf = module == "eopf_" or (module == "command" and "eopf" in program)
    return pythons.get("eopf" if of_eopf else "swath")


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONDONTWRITEBYTECODE": "", "PYTHONPATH": ""}


def _command(python: Path, program: str, found: Figures) -> None:
    """Time a program from start to end, several times: it is short."""
    script = python.with_name(program.split(maxsplit=1)[0])
    command = [str(script), *program.split()[1:]] if script.is_file() else [str(python), "-c", program]
    seconds, cpu, peaks = [], [], []
    for turn in range(4):
        started = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_environment()
        )
        assert process.stderr is not None
        told = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            found.failure = told.decode(errors="replace").strip()[-500:] or f"status {process.returncode}"
            return
        if turn:  # the first one compiles, and brings files into memory
            seconds.append(time.perf_counter() - started)
            cpu.append(usage.ru_utime + usage.ru_stime)
            peaks.append(usage.ru_maxrss * 1024)
    found.seconds.append(min(seconds))
    found.cpu.append(min(cpu))
    found.peaks.append(int(statistics.median(peaks)))


def _child(
    python: Path, module: str, function: str, jobs: Mapping[str, Job], enough: float, found: Figures
) -> None:
    with tempfile.TemporaryDirectory(prefix="swath-bench-", dir=jobs["job"].output.parent) as name:
        values: dict[str, Any] = {"enough": enough}
        for part, job in jobs.items():
            Path(name, part).mkdir()
            values[part] = asdict(replace(job, output=Path(name, part, "out")))
        command = [
            python,
            Path(__file__).with_name("child.py"),
            module,
            function,
            json.dumps(values, default=str),
        ]
        done = subprocess.run(
            [str(part) for part in command], capture_output=True, text=True, check=False, env=_environment()
        )
    if done.returncode:
        found.failure = (
            done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"status {done.returncode}"
        )
        return
    result = json.loads(done.stdout.splitlines()[-1])
    found.seconds.append(min(result["seconds"]))
    found.cpu.append(min(result["cpu"]))
    found.peaks.append(result["peak"])
    found.answer = result["answer"]

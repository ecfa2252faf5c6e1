"""What a pipeline left: states, test counts, coverage and artifacts."""

import shutil
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal
from xml.etree import ElementTree as ET

from swath_developer.pipeline._jobs import Job

State = Literal["pending", "running", "passed", "failed", "warning", "not run"]
KEPT_PIPELINES = 10
"""Pipelines whose artifacts stay in a repository; older ones are removed."""


@dataclass(frozen=True, slots=True)
class Tests:
    """Counts from a JUnit report."""

    passed: int
    failed: int
    skipped: int


@dataclass(frozen=True, slots=True)
class Coverage:
    """Shares from a Cobertura report, in per cent."""

    lines: float
    branches: float


@dataclass(slots=True)
class JobResult:
    """A job's way through the pipeline."""

    job: Job
    state: State = "pending"
    seconds: float = 0.0
    """How long it ran."""
    note: str = ""
    """Why it did not run, or how it ended."""
    log: list[str] = field(default_factory=list)
    """Lines of its output, without line ends."""
    tests: Tests | None = None
    coverage: Coverage | None = None

    def to_dict(self) -> dict[str, Any]:
        """Return what a machine wants to know of it."""
        return {
            "name": self.job.name,
            "stage": self.job.stage,
            "state": self.state,
            "seconds": round(self.seconds, 2),
            "note": self.note,
            "tests": asdict(self.tests) if self.tests else None,
            "coverage": asdict(self.coverage) if self.coverage else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole pipeline."""

    branch: str
    jobs: tuple[JobResult, ...]
    seconds: float
    folder: Path
    """Folder of logs and artifacts, ``.swath/ci/<pipeline>`` in the repository."""
    replaced: tuple[str, ...] = ()
    """Components that a local copy stood for."""

    @property
    def passed(self) -> bool:
        """Whether no job failed that was not allowed to, and at least one ran."""
        states = [result.state for result in self.jobs]
        return "failed" not in states and ("passed" in states or "warning" in states)

    def to_dict(self) -> dict[str, Any]:
        """Return the report for a machine."""
        return {
            "passed": self.passed,
            "branch": self.branch,
            "seconds": round(self.seconds, 2),
            "artifacts": str(self.folder),
            "local_copies_of": list(self.replaced),
            "jobs": [result.to_dict() for result in self.jobs],
        }


def collect(results: Iterable[JobResult], state: Path, repository: Path) -> Path:
    """Copy logs and artifacts to the repository, and read the reports among them.

    Parameters
    ----------
    results
        Jobs; their test counts and coverage are filled in.
    state
        gitlab-ci-local's folder: ``artifacts/<job>`` and, for what a failed job wrote, ``builds/<job>``.
    repository
        Gets ``.swath/ci/<pipeline>/``, with a file that tells Git to ignore it.

    Returns
    -------
    Path
        The folder of this pipeline.
    """
    base = repository / ".swath" / "ci"
    base.mkdir(parents=True, exist_ok=True)
    (base.parent / ".gitignore").write_text("*\n")
    for old in sorted(path for path in base.iterdir() if path.is_dir())[: -KEPT_PIPELINES + 1 or None]:
        shutil.rmtree(old, ignore_errors=True)
    folder = _new_folder(base)
    for result in results:
        if result.state in ("pending", "not run"):
            continue
        name = result.job.name.replace("/", "_")
        (folder / f"{name}.log").write_text("".join(f"{line}\n" for line in result.log))
        artifacts = state / "artifacts" / name
        if artifacts.is_dir():
            shutil.copytree(artifacts, folder / name, symlinks=True)
        for kind, path in result.job.reports.items():
            written = next(
                (root / path for root in (artifacts, state / "builds" / name) if (root / path).is_file()),
                None,
            )
            if written is None:
                continue
            kept = folder / name / path
            if not kept.is_file():
                kept.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(written, kept)
            _read(result, kind, kept)
    return folder


def _new_folder(base: Path) -> Path:
    """Make a folder named for the time; a second pipeline in that second gets a number."""
    stem = time.strftime("%Y%m%d-%H%M%S")
    for number in range(1000):
        folder = base / (f"{stem}-{number}" if number else stem)
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise FileExistsError(base / stem)


def _read(result: JobResult, kind: str, path: Path) -> None:
    """Take the figures from one report; one that is not XML tells nothing, as in GitLab."""
    try:
        root = ET.parse(path).getroot()  # noqa: S314 -- written by the job that ran here a moment ago
    except ET.ParseError:
        return
    if kind == "junit":
        suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
        total, bad, skipped = (
            sum(int(suite.get(name, 0)) for suite in suites for name in names)
            for names in (["tests"], ["failures", "errors"], ["skipped"])
        )
        result.tests = Tests(passed=total - bad - skipped, failed=bad, skipped=skipped)
    else:
        lines, branches = (float(root.get(name, 0)) * 100 for name in ("line-rate", "branch-rate"))
        result.coverage = Coverage(lines=round(lines, 1), branches=round(branches, 1))

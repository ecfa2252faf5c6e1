"""One pipeline from start to end."""

import contextlib
import os
import queue
import signal
import subprocess
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

from swath_developer._process import start
from swath_developer.errors import BadInputError, DeveloperError
from swath_developer.pipeline._components import replace_components
from swath_developer.pipeline._display import Display, display_for, failed_log, summary
from swath_developer.pipeline._events import Events
from swath_developer.pipeline._jobs import Job, job_environment, list_jobs
from swath_developer.pipeline._report import JobResult, Report, collect
from swath_developer.pipeline._scratch import commit_copy, keep_environments, repository_of, scratch_copy
from swath_developer.pipeline._tool import tool
from swath_developer.wheels import wheel_folder

GRACE = 3.0
"""Seconds that jobs get to end after an interrupt, before they are killed."""


def jobs_of(path: Path) -> list[Job]:
    """Return the jobs of a repository's pipeline, with the reasons of those that would not run here.

    Raises
    ------
    BadInputError
        If there is no valid pipeline.
    """
    repository = repository_of(path)
    runner = tool()
    with scratch_copy(repository) as tree:
        replace_components(tree)
        branch = commit_copy(tree, repository)
        return list_jobs(runner, tree, job_environment(wheel_folder()), branch)


def run(path: Path, *, names: Sequence[str] = (), display: Display | None = None) -> Report:
    """Run a repository's pipeline as for a push of its work tree.

    Parameters
    ----------
    path
        A folder of the repository.
    names
        Jobs to run, with those that they need; all that a push would start where it is empty.
    display
        Shows the jobs as they go; by default a table or plain lines on standard output.

    Raises
    ------
    BadInputError
        If there is no valid pipeline, or no job of a name.
    DeveloperError
        If a tool is missing, or gitlab-ci-local itself fails.
    KeyboardInterrupt
        If interrupted; all processes of the jobs have ended then.
    """
    began = time.monotonic()
    repository = repository_of(path)
    runner = tool()
    environment = job_environment(wheel_folder())
    with scratch_copy(repository) as tree, display or display_for() as shown:
        replaced = replace_components(tree)
        branch = commit_copy(tree, repository)
        for component in replaced:
            shown.say(f"{component.address}: the copy of this checkout stands for it, {component.source}")
        environment["PYTHONPYCACHEPREFIX"] = str(tree.parent / "bytecode")
        jobs = list_jobs(runner, tree, environment, branch)
        results = _select(jobs, names)
        shown.begin(results)
        command = runner.command("--no-json-schema-validation", "--variable", "SWATH_CI_LOCAL=true")
        _follow([*command, *(["--needs", *names] if names else [])], tree, environment, results, shown)
        for (
            result
        ) in results:  # only now is each log complete: a job's last lines come after the news of its end
            if result.state == "failed":
                for line in failed_log(result):
                    shown.say(line)
        _explain_the_rest(results)
        folder = collect(results, tree / ".gitlab-ci-local", repository)
        report = Report(
            branch=branch,
            jobs=tuple(results),
            seconds=time.monotonic() - began,
            folder=folder,
            replaced=tuple(component.address for component in replaced),
        )
        if report.passed:
            keep_environments(tree)
    for line in summary(report):
        shown.say(line)
    return report


def _select(jobs: Sequence[Job], names: Sequence[str]) -> list[JobResult]:
    """Return a result for each job; those that will not run say so from the start."""
    known = {job.name: job for job in jobs}
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            meant = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
            raise BadInputError(f"The pipeline has no job {name!r}. {meant}")
        if known[name].why_not and "--job" not in known[name].why_not:
            raise BadInputError(f"{name} does not run here: {known[name].why_not}.")
    wanted = set(names)
    while more := {need for name in wanted for need in known[name].needs or () if need in known} - wanted:
        wanted |= more
    results = []
    for job in jobs:
        why = job.why_not if job.name not in names else ""
        if names and job.name not in wanted:
            why = "not asked for"
        results.append(JobResult(job, state="not run" if why else "pending", note=why))
    if not any(result.state == "pending" for result in results):
        raise BadInputError("No job of this pipeline runs for a push of this branch.")
    return results


def _follow(
    command: Sequence[str],
    tree: Path,
    environment: Mapping[str, str],
    results: list[JobResult],
    shown: Display,
) -> None:
    """Run the command in a process group of its own, and show what it says until it ends."""
    process = start(command, folder=tree, environment=environment, new_group=True)
    lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
    streams = [stream for stream in (process.stdout, process.stderr) if stream is not None]
    for stream in streams:
        threading.Thread(target=_read, args=(stream, lines), daemon=True).start()
    events, other, open_streams = Events(results), [], len(streams)
    try:
        while open_streams:
            with contextlib.suppress(queue.Empty):
                line = lines.get(timeout=0.1)
                if line is None:
                    open_streams -= 1
                elif changed := events.take(line):
                    shown.changed(changed)
                else:
                    other.append(line)
            shown.tick({result.job.name: events.running_seconds(result) for result in results})
        status = process.wait()
    except BaseException:
        _end(process)
        raise
    for stream in streams:
        stream.close()
    if status and not any(result.state == "failed" for result in results):
        raise DeveloperError(f"gitlab-ci-local failed with exit status {status}:\n" + "\n".join(other[-20:]))


def _read(stream: Iterable[str], lines: "queue.SimpleQueue[str | None]") -> None:
    for line in stream:
        lines.put(line.rstrip("\r\n"))
    lines.put(None)


def _end(process: "subprocess.Popen[str]") -> None:
    """End the whole process group: politely, then not."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=GRACE)
            break
    with contextlib.suppress(ProcessLookupError):  # jobs that outlived gitlab-ci-local itself
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _explain_the_rest(results: Sequence[JobResult]) -> None:
    """Say of each job that never started what it waited for."""
    bad = [result.job.name for result in results if result.state == "failed"]
    for result in results:
        if result.state == "pending":
            needed = [name for name in result.job.needs or bad if name in bad]
            result.state = "not run"
            result.note = (
                f"it needs {', '.join(needed)}, which failed" if needed else "what it needs did not run"
            )
        elif result.state == "running":
            result.state, result.note = "failed", "it never ended"

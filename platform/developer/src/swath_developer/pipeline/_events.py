"""What gitlab-ci-local prints while it works, turned into the states of jobs."""

import re
import time
from collections.abc import Iterable

from swath_developer.pipeline._report import JobResult

_LINE = re.compile(r" *(?P<mark>[>$]|starting shell \(|finished in )(?P<rest>.*)")
_END = re.compile(
    r"(?P<number>[\d.]+) (?P<unit>ms|s|m|min|h)\b.*?(?P<outcome>FAIL|WARN)?\s*(?P<status>\d+)?\s*$"
)


class Events:
    """Follows the jobs line by line.

    Parameters
    ----------
    results
        The jobs; their states, times and logs change as lines come in.
    """

    def __init__(self, results: Iterable[JobResult]) -> None:
        # The longest name first: a job may be named as another one begins.
        self._results = sorted(results, key=lambda result: -len(result.job.name))
        self._began: dict[str, float] = {}

    def take(self, line: str) -> JobResult | None:
        """Take in one line of output; return the job whose state changed, if one did."""
        for result in self._results:
            name = result.job.name
            if line.startswith(name + " ") and (found := _LINE.match(line[len(name) :])):
                return self._job_line(result, found["mark"], found["rest"])
        return None

    def running_seconds(self, result: JobResult) -> float:
        """Return for how long a job has been running, or ran."""
        if result.state == "running":
            return time.monotonic() - self._began[result.job.name]
        return result.seconds

    def _job_line(self, result: JobResult, mark: str, rest: str) -> JobResult | None:
        if mark in (">", "$"):
            if rest == " still running...":  # gitlab-ci-local's own, every ten seconds
                return None
            result.log.append(f"${rest}" if mark == "$" else rest.removeprefix(" "))
            return None
        if mark.startswith("starting"):
            result.state = "running"
            self._began[result.job.name] = time.monotonic()
            return result
        if mark.startswith("finished") and result.state == "running":
            result.seconds = time.monotonic() - self._began[result.job.name]
            found = _END.match(rest)
            outcome = found["outcome"] if found else None
            result.state = {"FAIL": "failed", "WARN": "warning"}.get(outcome or "", "passed")  # type: ignore[assignment]
            if found and outcome and found["status"]:
                result.note = f"exit status {found['status']}"
            return result
        return None

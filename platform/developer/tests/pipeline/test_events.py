"""The lines of gitlab-ci-local, as it printed them, turned into states."""

from swath_developer.pipeline import Job, JobResult
from swath_developer.pipeline._events import Events


def results() -> dict[str, JobResult]:
    return {name: JobResult(Job(name, "test")) for name in ("test", "test docs", "lint")}


def test_follows_a_job_that_passes_and_one_that_fails():
    jobs = results()
    events = Events(jobs.values())
    for line in (
        "json schema validated in 429 ms",
        "test starting shell (test)",
        "lint starting shell (check)",
        "test $ echo hello; sleep 1",
        "test > hello",
        "test > still running...",
        "lint > finished in 3 s",
        "test finished in 1.12 s",
        "test exported artifacts in 45 ms",
        "lint finished in 95 ms  FAIL 3 ",
    ):
        events.take(line)
    assert (jobs["test"].state, jobs["test"].log) == ("passed", ["$ echo hello; sleep 1", "hello"])
    assert (jobs["lint"].state, jobs["lint"].note) == ("failed", "exit status 3")
    assert jobs["test docs"].state == "pending"


def test_tells_a_job_from_another_whose_name_it_begins_with():
    jobs = results()
    changed = Events(jobs.values()).take("test docs starting shell (test)")
    assert changed is jobs["test docs"]
    assert jobs["test"].state == "pending"


def test_a_failure_that_is_allowed_is_a_warning():
    jobs = results()
    events = Events(jobs.values())
    events.take("lint starting shell (check)")
    events.take("lint finished in 95 ms  WARN 1 ")
    assert jobs["lint"].state == "warning"

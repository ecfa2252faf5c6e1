"""Whole pipelines, run by the real gitlab-ci-local."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner
from swath_developer import pipeline
from swath_developer.errors import BadInputError, DeveloperError
from swath_developer.pipeline import PlainDisplay
from swath_developer.pipeline import _tool as tools
from swath_developer.verbs import ci

JUNIT = '<testsuites><testsuite tests="4" failures="1" errors="0" skipped="1"/></testsuites>'
COBERTURA = '<coverage line-rate="0.925" branch-rate="0.5"/>'
PIPELINE = f"""
stages: [check, test, build]
quick:
  stage: check
  needs: []
  script: [cat kept.txt, test ! -e ignored.txt]
tests:
  stage: test
  needs: []
  script:
    - mkdir reports
    - echo '{JUNIT}' > reports/junit.xml
    - echo '{COBERTURA}' > reports/coverage.xml
    - if [ -e fail.txt ]; then echo "that is wrong"; exit 3; fi
  artifacts:
    when: always
    paths: [reports/]
    reports:
      junit: reports/junit.xml
      coverage_report: {{coverage_format: cobertura, path: reports/coverage.xml}}
after:
  stage: build
  needs: [tests]
  script: [test -e reports/junit.xml]
tagged:
  stage: build
  rules: [{{if: $CI_COMMIT_TAG}}]
  script: [echo tagged]
container:
  stage: build
  variables: {{SWATH_NOT_LOCAL: there are no containers here}}
  rules: [{{if: $SWATH_CI_LOCAL, when: never}}, {{when: always}}]
  script: [echo container]
"""


@pytest.fixture(autouse=True)
def wheels(tmp_path_factory, monkeypatch):
    """These pipelines install nothing."""
    monkeypatch.setenv("SWATH_WHEELS", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
def repository(repository_of_files, tmp_path):
    return repository_of_files(
        tmp_path / "repository",
        {".gitlab-ci.yml": PIPELINE, "kept.txt": "kept\n", ".gitignore": "ignored.txt\n"},
    )


def states(report):
    return {result.job.name: result.state for result in report.jobs}


def test_a_pipeline_that_passes_leaves_figures_and_artifacts_and_says_what_did_not_run(repository):
    (repository / "ignored.txt").touch()
    (repository / "new.txt").touch()
    shown = io.StringIO()
    report = pipeline.run(repository, display=PlainDisplay(shown))
    assert report.passed
    assert states(report) == {
        "quick": "passed", "tests": "passed", "after": "passed", "tagged": "not run", "container": "not run",
    }  # fmt: skip
    notes = {result.job.name: result.note for result in report.jobs}
    assert notes["container"] == "there are no containers here"
    assert notes["tagged"] == "its rules leave it out of a push to develop"
    tests = next(result for result in report.jobs if result.job.name == "tests")
    assert (tests.tests.passed, tests.tests.failed, tests.tests.skipped) == (2, 1, 1)
    assert (tests.coverage.lines, tests.coverage.branches) == (92.5, 50.0)
    assert report.folder.parent == repository / ".swath" / "ci"
    assert (report.folder / "tests" / "reports" / "junit.xml").is_file()
    assert "kept" in (report.folder / "quick.log").read_text()
    status = subprocess.run(
        ["git", "status", "--porcelain"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert status.stdout == "?? new.txt\n"
    assert "tests    tests: 2 passed, 1 failed, 1 skipped" in shown.getvalue()


def test_a_failed_job_shows_its_log_and_what_waits_for_it_does_not_run(repository):
    (repository / "fail.txt").touch()
    done = CliRunner().invoke(ci, [str(repository), "--json"])
    report = json.loads(done.stdout)
    assert done.exit_code == 1
    assert report["passed"] is False
    jobs = {job["name"]: job for job in report["jobs"]}
    assert (jobs["tests"]["state"], jobs["tests"]["note"]) == ("failed", "exit status 3")
    assert (jobs["after"]["state"], jobs["after"]["note"]) == ("not run", "it needs tests, which failed")
    assert jobs["tests"]["tests"] == {"passed": 2, "failed": 1, "skipped": 1}
    assert "  | that is wrong" in done.stderr


def test_one_job_runs_with_those_that_it_needs(repository):
    report = pipeline.run(repository, names=["after"], display=PlainDisplay(io.StringIO()))
    assert states(report) == {
        "quick": "not run", "tests": "passed", "after": "passed", "tagged": "not run", "container": "not run",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "told"), [("test", "Did you mean 'tests'"), ("container", "no containers here")]
)
def test_a_job_that_cannot_run_is_refused(name, told, repository):
    with pytest.raises(BadInputError, match=told):
        pipeline.run(repository, names=[name], display=PlainDisplay(io.StringIO()))
    assert not (repository / ".swath").exists()


def test_lists_the_jobs_without_running_them(repository):
    done = CliRunner().invoke(ci, [str(repository), "--list"])
    assert "tests          runs" in done.output
    assert "container      does not run: there are no containers here" in done.output
    assert not (repository / ".swath").exists()


@pytest.mark.parametrize("text", ["job: {stage: nowhere, script: echo}", "job: [", "job: {script: {a: b}}"])
def test_a_pipeline_that_is_not_valid_is_bad_input(text, repository):
    (repository / ".gitlab-ci.yml").write_text(text)
    with pytest.raises(BadInputError, match="not valid") as caught:
        pipeline.run(repository, display=PlainDisplay(io.StringIO()))
    assert "node_modules" not in str(caught.value)


def test_a_folder_without_a_pipeline_is_bad_input(repository):
    (repository / ".gitlab-ci.yml").unlink()
    with pytest.raises(BadInputError, match="no pipeline"):
        pipeline.run(repository)


def test_an_interrupt_ends_all_processes(repository):
    mark = f"31{os.getpid()}"
    (repository / ".gitlab-ci.yml").write_text(f"job: {{script: [sleep {mark}]}}\n")
    program = (
        f"from swath_developer.pipeline import run; from pathlib import Path; run(Path({str(repository)!r}))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )

    def sleeping() -> bool:
        lines = [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if path.exists()]
        return any(line == f"sleep\0{mark}\0".encode() for line in lines)

    deadline = time.monotonic() + 60
    while not sleeping() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert sleeping()
    process.send_signal(signal.SIGINT)
    _, problem = process.communicate(timeout=30)
    assert b"KeyboardInterrupt" in problem
    assert not sleeping()


@pytest.mark.parametrize("missing", ["rsync", "node"])
def test_a_missing_program_is_told_with_what_to_do(missing, monkeypatch):
    found = tools.shutil.which
    monkeypatch.setattr(tools.shutil, "which", lambda name: None if name == missing else found(name))
    with pytest.raises(DeveloperError, match="Node" if missing == "node" else "apt-get install rsync"):
        tools.tool()


def test_the_lock_of_gitlab_ci_local_names_no_registry():
    lock = json.loads((Path(tools.__file__).parent / "tools" / "package-lock.json").read_text())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages["node_modules/gitlab-ci-local"]["version"] == "4.73.0"
    assert all("integrity" in entry and "resolved" not in entry for entry in packages.values())

"""A repository's GitLab pipeline on this machine, without Docker and without a GitLab.

`run` is the whole of it: scratch copy, local copies of the components, gitlab-ci-local, report.
"""

from swath_developer.pipeline._display import Display, PlainDisplay, TableDisplay, display_for
from swath_developer.pipeline._jobs import Job
from swath_developer.pipeline._report import Coverage, JobResult, Report, Tests
from swath_developer.pipeline._run import jobs_of, run

__all__ = [
    "Coverage",
    "Display",
    "Job",
    "JobResult",
    "PlainDisplay",
    "Report",
    "TableDisplay",
    "Tests",
    "display_for",
    "jobs_of",
    "run",
]

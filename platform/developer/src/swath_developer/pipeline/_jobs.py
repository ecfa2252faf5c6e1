"""Which jobs a pipeline has here, and why some of them do not run."""

import json
import os
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from swath_developer._process import start
from swath_developer.errors import BadInputError, DeveloperError
from swath_developer.pipeline._tool import Tool

KEPT = (
    "HOME",
    "LANG",
    "LOGNAME",
    "TERM",
    "TMPDIR",
    "TZ",
    "USER",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
)
KEPT_BEGINNINGS = ("LC_", "XDG_", "UV_", "PIP_", "SWATH_", "http_", "https_", "no_", "HTTP_", "HTTPS_", "NO_")

_NOISE = re.compile(r"finished in|^\s+at .+:\d+:\d+\)?$")
"""Lines of gitlab-ci-local that tell a user nothing: how long it took, and where in its code it was."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job of the pipeline."""

    name: str
    stage: str
    needs: tuple[str, ...] | None = None
    """Jobs that must have passed; None where those of the earlier stages must have."""
    why_not: str = ""
    """Why it does not run here; empty for a job that does."""
    reports: Mapping[str, str] = field(default_factory=dict)
    """Kind of report (junit, cobertura) → its path in the job's folder."""


def job_environment(wheels: str) -> dict[str, str]:
    """Return the variables that jobs see: few of this shell's, as a runner has few.

    The programs of this Python's environment (uv among them) come first on PATH. No variable that changes how
    Python itself works is handed on.
    """
    own = {
        name: value for name, value in os.environ.items() if name in KEPT or name.startswith(KEPT_BEGINNINGS)
    }
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {
        **own,
        "PATH": path,
        "SWATH_WHEELS": wheels,
        "SWATH_CI_LOCAL": "true",
        "UV_PYTHON_DOWNLOADS": "never",
    }


def list_jobs(tool: Tool, tree: Path, environment: Mapping[str, str], branch: str) -> list[Job]:
    """Ask gitlab-ci-local for the jobs of a push to the branch.

    Raises
    ------
    BadInputError
        If the pipeline is not valid.
    """
    variables = ["--variable", "SWATH_CI_LOCAL=true"]
    asked = [
        start(tool.command(*variables, *what), folder=tree, environment=environment)
        for what in (["--list-json"], ["--preview", "--no-json-schema-validation"])
    ]
    (listed, problem), (preview, _) = [process.communicate() for process in asked]
    if asked[0].returncode or asked[1].returncode:
        told = "\n".join(line for line in problem.splitlines() if not _NOISE.search(line))
        raise BadInputError(f"The pipeline is not valid:\n{told.strip()}")
    try:
        details = yaml.load(preview, _PipelineLoader)  # noqa: S506 -- a SafeLoader with one more tag
        return [_job(entry, details.get(entry["name"], {}), branch) for entry in json.loads(listed)]
    except (ValueError, yaml.YAMLError) as error:
        raise DeveloperError(
            f"What gitlab-ci-local says of the pipeline is not understood: {error}"
        ) from error


class _PipelineLoader(yaml.SafeLoader):
    """Reads GitLab's YAML; a ``!reference`` that was not resolved becomes the list of its names."""


def _reference(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
    return loader.construct_sequence(node)


_PipelineLoader.add_constructor("!reference", _reference)


def _job(entry: Mapping[str, Any], details: Mapping[str, Any], branch: str) -> Job:
    needs = entry.get("needs")
    reports = (details.get("artifacts") or {}).get("reports") or {}
    paths = {}
    if isinstance(reports.get("junit"), str | list):
        paths["junit"] = reports["junit"] if isinstance(reports["junit"], str) else reports["junit"][0]
    if isinstance(coverage := reports.get("coverage_report"), dict):
        paths["cobertura"] = coverage["path"]
    why = ""
    if entry["when"] == "never":
        said = (details.get("variables") or {}).get("SWATH_NOT_LOCAL")
        why = str(said) if said else f"its rules leave it out of a push to {branch}"
    elif entry["when"] == "manual":
        why = "it is started by hand; name it with --job to run it"
    elif entry["when"] in ("on_failure", "delayed"):
        why = f"it runs {entry['when'].replace('_', ' ')} only"
    return Job(
        name=entry["name"],
        stage=entry["stage"],
        needs=None if needs is None else tuple(need["job"] for need in needs if "job" in need),
        why_not=why,
        reports=paths,
    )

"""Components as GitLab reads them: inputs filled in, and rules evaluated for an event.

gitlab-ci-local ignores ``workflow:rules`` and knows one event only; which job runs when is worked out here,
for the part of GitLab's expression language that we use: variables, strings, ``null``, ``== != =~ !~ && ||``
and parentheses.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEMPLATES = ROOT / "ci" / "templates"
NAMES = sorted(path.parent.name for path in TEMPLATES.glob("*/template.yml"))
TOKEN = re.compile(
    r"""\s*(?:(\()|(\))|(&&|\|\||==|!=|=~|!~)|\$(\w+)|"([^"]*)"|'([^']*)'|/((?:[^/\\]|\\.)*)/(i?)|(null)\b)"""
)

EVENTS: dict[str, dict[str, str]] = {
    "merge request": {
        "CI_PIPELINE_SOURCE": "merge_request_event",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_OPEN_MERGE_REQUESTS": "group/project!7",
    },
    "push to a branch": {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "feature/clouds"},
    "push to the default branch": {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "develop"},
    "tag": {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "0.2.0"},
    "schedule": {"CI_PIPELINE_SOURCE": "schedule", "CI_COMMIT_BRANCH": "develop"},
    "`swath ci`": {"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_BRANCH": "develop", "SWATH_CI_LOCAL": "true"},
}
EVERY = {"CI_DEFAULT_BRANCH": "develop"}


def holds(expression: str, variables: Mapping[str, str]) -> bool:
    """Evaluate a ``rules:if`` expression."""
    tokens, position = [], 0
    while expression[position:].strip():
        found = TOKEN.match(expression, position)
        if found is None:
            raise ValueError(f"not understood: {expression[position:]!r} in {expression!r}")
        tokens.append(found)
        position = found.end()

    def value(found: re.Match[str]) -> Any:
        if found[4]:
            return variables.get(found[4])
        if found[7] is not None:
            return re.compile(found[7], re.I if found[8] else 0)
        return None if found[9] else (found[5] if found[5] is not None else found[6])

    def either() -> bool:
        left = both()
        while tokens and tokens[0][3] == "||":
            tokens.pop(0)
            right = both()
            left = left or right
        return left

    def both() -> bool:
        left = one()
        while tokens and tokens[0][3] == "&&":
            tokens.pop(0)
            right = one()
            left = left and right
        return left

    def one() -> bool:
        first = tokens.pop(0)
        if first[1]:
            inner = either()
            if not tokens.pop(0)[2]:
                raise ValueError(f"a parenthesis is open: {expression!r}")
            return inner
        left = value(first)
        if not tokens or tokens[0][3] not in ("==", "!=", "=~", "!~"):
            return bool(left)
        operator, right = tokens.pop(0)[3], value(tokens.pop(0))
        if operator in ("=~", "!~"):
            return (left is not None and bool(right.search(left))) == (operator == "=~")
        return (left == right) == (operator == "==")

    result = either()
    if tokens:
        raise ValueError(f"left over: {tokens[0][0]!r} in {expression!r}")
    return result


def included(rules: list[Mapping[str, Any]] | None, variables: Mapping[str, str]) -> bool:
    """Return whether the first rule that holds lets a job, or a pipeline, run."""
    if rules is None:
        return True
    for rule in rules:
        if holds(rule["if"], variables) if "if" in rule else True:
            return bool(rule.get("when", "on_success") != "never")
    return False


class Component:
    """One component's file, its header apart from its jobs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.path = TEMPLATES / name / "template.yml"
        self.text = self.path.read_text()
        header, self.body = self.text.split("\n---\n")
        self.inputs: dict[str, dict[str, Any]] = yaml.safe_load(header)["spec"]["inputs"]

    def jobs(self, **inputs: Any) -> dict[str, Any]:
        """Return the jobs for some inputs, the others by default."""
        values = {name: entry["default"] for name, entry in self.inputs.items()} | inputs

        def filled(found: re.Match[str]) -> str:
            value = values[found[1]]
            return str(value).lower() if isinstance(value, bool) else str(value)

        made: dict[str, Any] = yaml.safe_load(re.sub(r"\$\[\[ inputs\.([\w-]+) \]\]", filled, self.body))
        return made


@pytest.fixture(params=NAMES)
def component(request: pytest.FixtureRequest) -> Component:
    return Component(request.param)


@pytest.fixture(scope="session")
def components() -> dict[str, Component]:
    return {name: Component(name) for name in NAMES}


@pytest.fixture(scope="session")
def pipeline() -> dict[str, Any]:
    """The pipeline of a scaffolded repository, its components not yet included."""
    source = ROOT / "templates" / "processor" / "project" / ".gitlab-ci.yml.jinja"
    text = (
        jinja2.Environment(autoescape=False)
        .from_string(source.read_text())
        .render(docs=True, container=True, components_version="0.1.0")
    )
    made: dict[str, Any] = yaml.safe_load(text)
    return made


@pytest.fixture(scope="session")
def jobs_at(components: dict[str, Component], pipeline: dict[str, Any]) -> Any:
    """Function from the variables of an event to the names of the jobs that run."""

    def jobs(variables: Mapping[str, str], **inputs: Any) -> set[str]:
        known = EVERY | dict(variables)
        if not included(pipeline["workflow"]["rules"], known):
            return set()
        return {
            name
            for component in components.values()
            for name, job in component.jobs(**(inputs if component.name == "build" else {})).items()
            if included(job.get("rules"), known)
        }

    return jobs


@pytest.fixture(scope="session")
def evaluate() -> Any:
    return holds


@pytest.fixture(scope="session")
def events() -> dict[str, dict[str, str]]:
    return EVENTS

"""Components: valid by GitLab's published schema, documented, and alike where they must be."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TYPES = {"string": str, "number": (int, float), "boolean": bool, "array": list}


def judge(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Let GitLab's own schema judge a pipeline."""
    path = folder / ".gitlab-ci.yml"
    path.write_text(text)
    command = ["check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", "--data-transform", "gitlab-ci"]
    program = Path(sys.executable).parent / command[0]
    return subprocess.run(
        [program, *command[1:], "--regex-variant", "nonunicode", path],
        capture_output=True,
        text=True,
        check=False,
    )


def test_gitlabs_schema_takes_the_component(component, tmp_path):
    judged = judge(tmp_path, yaml.safe_dump(component.jobs()))
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_gitlabs_schema_takes_the_pipeline_of_a_new_repository(pipeline, tmp_path):
    judged = judge(tmp_path, yaml.safe_dump(pipeline))
    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize(
    "broken",
    [
        "job: {script: true, stage: [1]}",
        "job: {script: [echo], rules: [{when: sometimes}]}",
        "job: {artifacts: 3, script: x}",
    ],
)
def test_gitlabs_schema_refuses_a_broken_one(broken, tmp_path):
    assert judge(tmp_path, broken).returncode == 1


def test_every_input_has_a_description_and_a_default_of_its_type(component):
    for name, entry in component.inputs.items():
        assert entry["description"].endswith("."), name
        assert isinstance(entry["default"], TYPES[entry.get("type", "string")]), name


def test_every_input_is_used_and_every_use_declared(component):
    assert set(re.findall(r"\$\[\[ inputs\.([\w-]+) \]\]", component.body)) == set(component.inputs)


def test_jobs_are_interruptible_unless_they_publish(component):
    for name, job in component.jobs().items():
        assert job.get("interruptible", False) is (name not in {"container", "publish"}), name


def test_all_jobs_make_the_locked_environment_in_the_same_way(components):
    scripts = {
        job["before_script"][0]
        for component in components.values()
        for job in component.jobs().values()
        if "before_script" in job
    }
    assert len(scripts) == 1
    (script,) = scripts
    assert script.count("--require-hashes") == 2  # by uv and by pip
    assert "--extra-index-url" not in script


def test_tests_report_to_gitlab(components):
    reports = components["test"].jobs()["test"]["artifacts"]["reports"]
    assert reports["junit"] == "reports/junit.xml"
    assert reports["coverage_report"] == {"coverage_format": "cobertura", "path": "reports/coverage.xml"}


def test_the_coverage_pattern_finds_the_total(components):
    pattern = components["test"].jobs()["test"]["coverage"].strip("/")
    line = "TOTAL                            22      1      4      1    92%"
    assert re.search(pattern, line)[1] == "92"
    assert re.search(pattern, line.replace("92%", "92.31%"))[1] == "92.31"


def test_the_image_job_runs_the_executor_of_the_input(components):
    job = components["build"].jobs(**{"kaniko-image": "kaniko@sha256:0"})["container"]
    assert job["image"] == {"name": "kaniko@sha256:0", "entrypoint": [""]}
    assert "/kaniko/executor" in job["script"][0]
    assert "SWATH_NOT_LOCAL" in job["variables"]


def test_the_readme_tells_the_inputs(components):
    done = subprocess.run(
        [sys.executable, ROOT / "ci" / "document", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("branch", "target", "allowed"),
    [
        ("feature/clouds", "", True),
        ("main", "", True),
        ("my-work", "", False),
        ("feature/clouds", "develop", True),
        ("feature/clouds", "main", False),
        ("release/0.2", "main", True),
        ("hotfix/0.1.1", "main", True),
        ("develop", "main", False),
    ],
)
def test_the_job_branches_keeps_to_gitflow(components, branch, target, allowed):
    (script,) = components["lint"].jobs()["branches"]["script"]
    variables = {"CI_MERGE_REQUEST_SOURCE_BRANCH_NAME": branch, "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": target}
    variables = variables if target else {"CI_COMMIT_BRANCH": branch}
    done = subprocess.run(["sh", "-ec", script], env=variables, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) is allowed
    assert allowed or branch in done.stdout

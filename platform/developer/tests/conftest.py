"""Small repositories and templates to work on."""

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

Make = Callable[[Path, Mapping[str, str]], Path]


def git(folder: Path, *arguments: str) -> str:
    plain = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "core.hooksPath=/dev/null"]
    done = subprocess.run(["git", *plain, *arguments], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="session")
def repository_of_files() -> Make:
    """Return a function that makes a Git repository, on develop, of files by name."""

    def make(folder: Path, files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        git(folder, "init", "-q", "-b", "develop")
        git(folder, "add", "-A")
        git(folder, "commit", "-qm", "files")
        return folder

    return make


@pytest.fixture
def template(repository_of_files: Make, tmp_path: Path) -> Path:
    """Return a template of one file, with two versions."""
    questions = """
_subdirectory: "templates/{{ kind }}/project"
kind: {type: str, choices: {"A processor": processor}, default: processor}
name: {type: str, default: My processor, validator: "{% if name == 'bad' %}not that one{% endif %}"}
package: {type: str, default: my_processor}
author: {type: str, default: The developers}
email: {type: str, default: developers@example.org}
"""
    project = "templates/processor/project"
    folder = repository_of_files(
        tmp_path / "template",
        {
            "copier.yml": questions,
            f"{project}/README.md.jinja": "# {{ name }}\n",
            f"{project}/{{{{ _copier_conf.answers_file }}}}.jinja": "{{ _copier_answers | to_nice_yaml }}",
        },
    )
    git(folder, "tag", "0.1.0")
    (folder / project / "README.md.jinja").write_text("# {{ name }}, newer\n")
    git(folder, "commit", "-qam", "newer")
    git(folder, "tag", "0.2.0")
    return folder

"""Every tutorial, run from top to bottom as its reader would: the commands, the files, the lines of Python.

``console`` blocks hold commands after a ``$``, each followed by what it prints; an ellipsis (…) stands for
what differs from run to run or is too long to show. A command fails if and only if an ``error:`` is shown for
it. ``pycon`` blocks are one Python session. A block with a caption is a file for the reader to write.
"""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

TUTORIALS = Path(__file__).resolve().parents[2] / "docs" / "tutorials"
FENCE = re.compile(
    r"^(?P<fence>`{3,})(?:\{code-block\} )?(?P<language>\w+)\n"
    r"(?P<options>(?::[\w-]+:[^\n]*\n)*)\n?(?P<text>.*?)^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """One fenced block of a page."""

    language: str
    caption: str | None
    text: str
    line: int


def blocks(page: str) -> list[Block]:
    found = []
    for match in FENCE.finditer(page):
        caption = re.search(r"^:caption: (.+)$", match["options"], re.MULTILINE)
        line = page.count("\n", 0, match.start()) + 1
        found.append(
            Block(match["language"], caption[1].strip("`") if caption else None, match["text"], line)
        )
    return found


def commands(text: str) -> list[tuple[str, str]]:
    """Split a console block into commands and what is shown below each; ``> `` continues a command."""
    found: list[tuple[str, str]] = []
    for line in text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], ""))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1] = (f"{found[-1][0]}\n{line[2:]}", "")
        elif found:
            command, shown = found[-1]
            found[-1] = (command, f"{shown}{line}\n")
        else:
            message = f"a console block begins with a command: {line!r}"
            raise ValueError(message)
    return found


class Reader:
    """Somebody who does what a tutorial says, in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.names: dict[str, Any] = {"__name__": "__main__"}
        scripts = sysconfig.get_path("scripts")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GIT_", "PYTEST_"))}
        self.environment = {
            **kept,
            "PATH": f"{scripts}{os.pathsep}{kept['PATH']}",
            "SWATH_HOME": str(folder / ".swath-home"),
            "COLUMNS": "100",
            "NO_COLOR": "1",
            "SWATH_LOG": "human",  # as in the reader's terminal, wherever the tests run
            "PYTHONWARNINGS": "error",
        }

    def follow(self, block: Block) -> None:
        if block.caption:
            path = self.folder / block.caption
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text, "utf-8")
        elif block.language == "console":
            for command, shown in commands(block.text):
                self.run(command, shown)
        elif block.language == "pycon":
            self.interpret(block)

    def run(self, command: str, shown: str) -> None:
        if command.startswith("cd "):
            self.folder = (self.folder / command[3:].strip()).resolve(strict=True)
            return
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            check=False,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        fails = re.search(r"^(Error|error):", shown, re.MULTILINE) is not None
        assert (done.returncode != 0) == fails, f"$ {command}\nended with {done.returncode}:\n{done.stdout}"
        wanted = shown.replace("…", "...")
        assert doctest.OutputChecker().check_output(wanted, done.stdout, OPTIONS), (
            f"$ {command}\nThe page shows:\n{shown}\nIt printed:\n{done.stdout}"
        )

    def interpret(self, block: Block) -> None:
        """Run a block in the page's one Python session."""
        source = block.text.replace("…", "...")
        example = doctest.DocTestParser().get_doctest(source, self.names, "tutorial", None, block.line)
        runner = doctest.DocTestRunner(optionflags=OPTIONS, verbose=False)
        report = io.StringIO()
        with contextlib.chdir(self.folder), pytest.MonkeyPatch.context() as patch:
            patch.syspath_prepend(self.folder)  # as in a Python that was started there
            runner.run(example, out=report.write, clear_globs=False)
        self.names = {**self.names, **example.globs}
        assert runner.summarize(verbose=False).failed == 0, report.getvalue()


@pytest.mark.parametrize(
    "page",
    sorted(path for path in TUTORIALS.glob("*.md") if path.name != "index.md"),
    ids=lambda path: path.stem,
)
def test_the_tutorial_does_what_it_says(page, tmp_path):
    steps = blocks(page.read_text("utf-8"))
    assert [step for step in steps if step.language == "console"], "a tutorial without a command"
    reader = Reader(tmp_path)
    for step in steps:
        reader.follow(step)


def test_a_wrong_output_is_found(tmp_path):
    reader = Reader(tmp_path)
    reader.run("echo one two", "one …\n")
    with pytest.raises(AssertionError, match=r"It printed:\s+one two"):
        reader.run("echo one two", "three\n")


def test_a_failure_that_the_page_does_not_show_is_found(tmp_path):
    reader = Reader(tmp_path)
    reader.run("echo error: no; exit 2", "error: no\n")
    with pytest.raises(AssertionError, match="ended with 2"):
        reader.run("exit 2", "")
    with pytest.raises(AssertionError, match="ended with 0"):
        reader.run("echo error: no", "error: no\n")


def test_python_blocks_share_one_session_and_are_compared(tmp_path):
    reader = Reader(tmp_path)
    reader.follow(Block("pycon", None, ">>> a = 2\n", 1))
    reader.follow(Block("pycon", None, ">>> a + 1\n3\n", 2))
    with pytest.raises(AssertionError, match="Got:"):
        reader.follow(Block("pycon", None, ">>> a\n3\n", 3))


def test_blocks_are_read_as_the_reader_sees_them(tmp_path):
    page = (
        "# T\n\n```{code-block} yaml\n:caption: job.yaml\n\na: 1\n```\n\n"
        "text\n\n```console\n$ cat job.yaml\na: 1\n```\n"
    )
    found = blocks(page)
    assert [(block.language, block.caption, block.line) for block in found] == [
        ("yaml", "job.yaml", 3),
        ("console", None, 11),
    ]
    reader = Reader(tmp_path)
    for block in found:
        reader.follow(block)


def test_a_command_may_go_over_several_lines_and_into_a_folder(tmp_path):
    assert commands("$ echo a \\\n> b\na b\n$ true\n") == [("echo a \\\nb", "a b\n"), ("true", "")]
    reader = Reader(tmp_path)
    reader.run("mkdir inside", "")
    reader.run("cd inside", "")
    reader.run("basename $PWD", "inside\n")
    assert Path.cwd() != reader.folder

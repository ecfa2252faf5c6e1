"""Decision records stay short, complete and numbered without gaps."""

import re


def records(repository):
    return sorted((repository / "docs" / "decisions").glob("[0-9]*.md"))


def test_numbers_have_no_gap(repository):
    numbers = [int(path.name[:4]) for path in records(repository)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_each_says_context_decision_and_consequences_on_one_screen(repository):
    for path in records(repository):
        lines = path.read_text("utf-8").splitlines()
        assert re.fullmatch(rf"# {path.name[:4]}: .+", lines[0]), (
            f"{path.name}: its title begins with its number"
        )
        assert [line for line in lines if line.startswith("## ")] == [
            "## Context",
            "## Decision",
            "## Consequences",
        ], path.name
        status = r"- Status: (proposed|accepted|superseded by \d{4})"
        assert any(re.fullmatch(status, line) for line in lines), f"{path.name}: no status"
        assert any(re.fullmatch(r"- Date: \d{4}-\d\d-\d\d", line) for line in lines), f"{path.name}: no date"
        assert len(lines) <= 40, f"{path.name}: a record fits on one screen"

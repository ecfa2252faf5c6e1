"""The last result of a drill as a page of the docs, and back."""

import re
from pathlib import Path
from typing import Final, get_args

from swath_developer.drills._catalogue import Drill
from swath_developer.drills._result import Outcome, Result, Word

PAGES: Final = Path("docs", "reference", "drills")
"""Where the pages are, in a checkout."""

_ROW: Final = re.compile(r"^\| (.+?) \| (.+?) \|$", re.MULTILINE)
_TEST: Final = re.compile(r"^\| `(.+)` \| (passed|failed|skipped) \| ([\d.]+) \|$", re.MULTILINE)


def write_page(checkout: Path, drill: Drill, result: Result) -> Path:
    """Write a result in the place of the one before, and return its page."""
    page = checkout / PAGES / f"{drill.name}.md"
    page.parent.mkdir(parents=True, exist_ok=True)
    tests = "\n".join(f"| `{one.test}` | {one.outcome} | {one.seconds:.1f} |" for one in result.outcomes)
    partial = page.with_suffix(".partial")
    partial.write_text(
        f"""# {drill.name}

{drill.shows}

| | |
|---|---|
| result | {result.word}: {len(result.outcomes)} tests |
| took | {result.seconds / 60:.1f} minutes |
| date | {result.date} |
| commit | {result.commit} |
| machine | {result.machine} |

Again: `./swath drill {drill.name}`, which writes this page.

| test | result | seconds |
|---|---|---|
{tests}
""",
        encoding="utf-8",
    )
    partial.replace(page)
    return page


def last_result(checkout: Path, name: str) -> Result | None:
    """Return what a drill's page tells, or None where it has none, or one that somebody has rewritten."""
    try:
        text = (checkout / PAGES / f"{name}.md").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    told = {row[1]: row[2] for row in _ROW.finditer(text)}
    if not {"result", "took", "date", "commit", "machine"} <= told.keys():
        return None
    words: dict[str, Word] = {word: word for word in get_args(Word)}
    outcomes = [Outcome(row[1], words[row[2]], float(row[3])) for row in _TEST.finditer(text)]
    return Result(
        drill=name,
        passed=told["result"].startswith("passed"),
        outcomes=tuple(outcomes),
        seconds=float(told["took"].split()[0]) * 60,
        date=told["date"],
        commit=told["commit"],
        machine=told["machine"],
    )

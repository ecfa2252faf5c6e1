"""The verb ``drill``."""

import json
import sys
from pathlib import Path
from typing import get_args

import click

SHOWN_LINES = 60
"""Lines of pytest's output that are shown of a drill that failed; all are in its log."""


@click.command(short_help="Run the tests that take too long for ./swath test.")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON; progress goes to standard error.")
@click.pass_context
def drill(context: click.Context, *, name: str | None, as_json: bool) -> None:
    """Run a long drill of Swath's own tests, or list the drills.

    ./swath test runs all that fits into an hour. What takes longer, such as every process killed in turn or a
    second cluster that is somebody else's, is a drill: it runs by name, and when it has passed, its page in
    docs/reference/drills is written with date, commit and machine. It works in a clone of Swath. Exit status:
    0 passed, 1 failed, 2 no such drill.

    \b
    Examples:
      swath drill                      which there are, what each shows, how long the last run took
      swath drill own-cluster          run one
      swath drill own-cluster --json > result.json
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    from swath_developer import drills  # noqa: PLC0415 -- the work, imported when it is wanted
    from swath_developer.drills._progress import Progress  # noqa: PLC0415
    from swath_developer.places import checkout  # noqa: PLC0415

    folder = checkout()
    if name is None:
        _list(folder, as_json=as_json)
        return
    wanted = drills.find(folder, name)
    last = drills.last_result(folder, name)
    known = {one.test: one.seconds for one in last.outcomes} if last else {}
    told = Progress(sys.stderr if as_json else sys.stdout, known=known)
    result, log = drills.run(wanted, checkout=folder, progress=told)
    page = drills.write_page(folder, wanted, result) if result.passed else None
    if as_json:
        click.echo(
            json.dumps({**result.to_dict(), "log": str(log), "page": str(page) if page else None}, indent=2)
        )
    elif page:
        click.echo(f"passed in {result.seconds / 60:.1f} min; {page.relative_to(folder)} is written")
    else:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        click.echo("\n".join(f"  | {line}" for line in lines[-SHOWN_LINES:]))
        counts = ", ".join(f"{result.count(word)} {word}" for word in get_args(drills.Word))
        click.echo(f"failed in {result.seconds / 60:.1f} min: {counts}; all that pytest told: {log}")
    context.exit(0 if result.passed else 1)


def _list(folder: Path, *, as_json: bool) -> None:
    """List the drills of a checkout."""
    from swath_developer import drills  # noqa: PLC0415 -- as above

    found = [(one, drills.last_result(folder, one.name)) for one in drills.catalogue(folder).values()]
    if as_json:
        listed = [
            {
                "name": one.name,
                "shows": one.shows,
                "tests": list(one.tests),
                "last": last.to_dict() if last else None,
            }
            for one, last in found
        ]
        click.echo(json.dumps(listed, indent=2))
        return
    for one, last in found:
        when = (
            f"{last.word} in {last.seconds / 60:.1f} min on {last.date}, {last.commit}"
            if last
            else "not run yet"
        )
        click.echo(f"{click.style(one.name, bold=True)}: {when}\n    {one.shows}")

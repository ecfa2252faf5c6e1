"""The developer's verbs; each imports what it works with only when it runs."""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from swath_developer._drill import drill
from swath_developer._tour import tour

__all__ = ["ci", "drill", "new", "tour"]


@click.command()
@click.argument("words", nargs=-1, metavar="[KIND] DESTINATION")
@click.option(
    "--answer",
    "-a",
    "answers",
    multiple=True,
    metavar="KEY=VALUE",
    help="An answer, in YAML; may be repeated.",
)
@click.option("--defaults", is_flag=True, help="Ask nothing: take the default for what has no answer.")
@click.option(
    "--template", metavar="URL", help="Git URL or path of the templates; by default those of this checkout."
)
@click.option("--ref", metavar="TAG", help="Tag, branch or commit of the templates.")
@click.option("--list", "list_kinds", is_flag=True, help="List the kinds of template and leave.")
def new(
    *,
    words: tuple[str, ...],
    answers: tuple[str, ...],
    defaults: bool,
    template: str | None,
    ref: str | None,
    list_kinds: bool,
) -> None:
    """Scaffold a repository from a template.

    In a terminal the template's few questions are asked; elsewhere, and with --defaults, they take their
    defaults. DESTINATION must be absent or empty; nothing is left there if anything fails.

    \b
    Examples:
      swath new snow-cover                         ask, then write ./snow-cover
      swath new processor snow-cover --defaults -a "name=Snow cover" -a licence=MIT
      swath new snow-cover --template https://git.example.org/swath.git --ref 0.1.0
      swath new --list                             which templates there are
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    from swath_developer.places import typed  # noqa: PLC0415
    from swath_developer.scaffolding import kinds, scaffold  # noqa: PLC0415

    if list_kinds:
        for kind, description in kinds().items():
            click.echo(f"{kind:12} {description}")
        return
    if not 1 <= len(words) <= 2:
        raise click.UsageError("Say where to: swath new [KIND] DESTINATION.")
    kind = words[0] if len(words) == 2 else "processor"
    made = scaffold(
        Path(words[-1]),
        kind=kind,
        answers=_parse_answers(answers),
        template=template,
        ref=ref,
        interactive=not defaults and sys.stdin.isatty(),
    )
    where = words[-1]
    click.echo(f"{made.path}: {made.answers['name']}, from {made.template} at {made.version or 'no version'}")
    click.echo("\nNext:")
    following = {
        typed("ci", where): "run its pipeline here: lint, tests, docs, wheel",
        shlex.join(["cd", where]): f"the step is in src/{made.answers['package']}/, its test in tests/",
        "less README.md": "set up, run, change, release",
        "git remote add origin … && git push origin main develop": "",
    }
    width = max(len(command) for command, meaning in following.items() if meaning)
    for command, meaning in following.items():
        click.echo(f"  {command:{width}}  {meaning}".rstrip())


def _parse_answers(answers: tuple[str, ...]) -> dict[str, Any]:
    """Read KEY=VALUE pairs, the values as YAML."""
    import yaml  # noqa: PLC0415

    parsed: dict[str, Any] = {}
    for answer in answers:
        key, equals, value = answer.partition("=")
        if not equals or not key.strip():
            raise click.BadParameter(
                f"got {answer!r}; expected KEY=VALUE, as in licence=MIT", param_hint="--answer"
            )
        try:
            parsed[key.strip()] = yaml.safe_load(value)
        except yaml.YAMLError:
            parsed[key.strip()] = value
    return parsed


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=Path(), metavar="[PATH]")
@click.option(
    "--job",
    "-j",
    "names",
    multiple=True,
    metavar="NAME",
    help="Run this job and those it needs; may be repeated.",
)
@click.option("--list", "list_only", is_flag=True, help="List the jobs and leave.")
@click.option(
    "--json", "as_json", is_flag=True, help="Write the report as JSON; progress goes to standard error."
)
@click.pass_context
def ci(context: click.Context, *, path: Path, names: tuple[str, ...], list_only: bool, as_json: bool) -> None:
    """Run a repository's GitLab pipeline on this machine.

    The pipeline is that of a push of the work tree as it is, committed or not; ignored files stay out. Copies
    in this checkout stand for Swath's components. Jobs run in shells, without containers; a job that needs
    more does not run, and the reason is told. Logs, reports and artifacts are kept in .swath/ci/ of the
    repository. Exit status: 0 passed, 1 failed, 2 no valid pipeline.

    \b
    Examples:
      swath ci                      the repository around the current folder
      swath ci snow-cover           another one
      swath ci --job test           one job
      swath ci --list               what would run, and what not, and why
      swath ci --json > report.json
    """  # noqa: D301 -- click's mark for text to keep as it is is a real backspace
    from swath_developer import pipeline  # noqa: PLC0415
    from swath_developer.pipeline._display import display_for  # noqa: PLC0415

    if list_only:
        jobs = pipeline.jobs_of(path)
        if as_json:
            click.echo(
                json.dumps(
                    [{"name": job.name, "stage": job.stage, "why_not": job.why_not} for job in jobs], indent=2
                )
            )
            return
        for job in jobs:
            click.echo(
                f"{job.stage:10} {job.name:14} {'does not run: ' + job.why_not if job.why_not else 'runs'}"
            )
        return
    report = pipeline.run(path, names=names, display=display_for(sys.stderr if as_json else sys.stdout))
    if as_json:
        click.echo(json.dumps(report.to_dict(), indent=2))
    context.exit(0 if report.passed else 1)

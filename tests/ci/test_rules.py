"""Which job runs when: evaluated from the rules, and told by the table in ci/README.md."""

from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "ci" / "README.md"
CHECKS = {"lint", "test"}
EXPECTED = {
    "merge request": CHECKS | {"branches", "docs", "wheel"},
    "push to a branch": CHECKS | {"branches", "docs", "wheel"},
    "push to the default branch": CHECKS | {"branches", "docs", "wheel", "container"},
    "tag": CHECKS | {"docs", "wheel", "container", "publish"},
    "schedule": CHECKS,
    "`swath ci`": CHECKS | {"branches", "docs", "wheel"},
}


@pytest.mark.parametrize("event", EXPECTED)
def test_an_event_starts_its_jobs(event, events, jobs_at):
    assert jobs_at(events[event]) == EXPECTED[event]


def test_a_branch_with_an_open_merge_request_has_one_pipeline_not_two(events, jobs_at):
    assert jobs_at(events["push to a branch"] | {"CI_OPEN_MERGE_REQUESTS": "group/project!7"}) == set()


def test_no_image_is_built_where_there_is_no_dockerfile(events, jobs_at):
    assert "container" not in jobs_at(events["tag"], container=False)


def test_nothing_is_built_in_a_container_or_published_from_a_laptop(events, jobs_at):
    for variables in events.values():
        assert not jobs_at(variables | {"SWATH_CI_LOCAL": "true"}) & {"container", "publish"}


def test_the_readme_tells_the_same(events, jobs_at):
    table = README.read_text().partition("## Which job runs when\n\n")[2].partition("<!-- jobs -->")[0]
    titles, _, *rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()
    ]
    assert titles[1:] == list(EXPECTED)
    told = {
        row[0].strip("`"): {title for title, cell in zip(titles[1:], row[1:], strict=True) if cell}
        for row in rows
    }
    every = set().union(*EXPECTED.values())
    assert told == {job: {event for event in EXPECTED if job in jobs_at(events[event])} for job in every}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("$A", True),
        ("$B", False),
        ("$EMPTY", False),
        ('$A == "one"', True),
        ("$B == null", True),
        ("$A != $B", True),
        ("$A =~ /^O.e$/i", True),
        ("$A !~ /two/", True),
        ("$B =~ /one/", False),
        ("$B || $A && $B", False),
        ("($B || $A) && $A", True),
        ("'x' == 'x'", True),
    ],
)
def test_expressions_mean_what_gitlab_says(evaluate, expression, expected):
    assert evaluate(expression, {"A": "one", "EMPTY": ""}) is expected


@pytest.mark.parametrize("expression", ["$A === 1", "($A", "$A $A", "$A == yes"])
def test_an_expression_outside_of_the_language_is_refused(evaluate, expression):
    with pytest.raises((ValueError, IndexError)):
        evaluate(expression, {"A": "one"})

"""The table of a pydantic model's fields says what each may be."""

from typing import Any, Literal

import swath_tables
from pydantic import BaseModel, Field


class Inner(BaseModel):
    """What is inside."""

    rows: tuple[int, int]


class Job(BaseModel):
    name: str = Field(description="What | to\ndo.")
    grid: Literal[10, 20, 60] = 10
    weight: float = Field(0.5, ge=0, lt=1)
    window: str | Inner | None = None
    files: dict[str, str] = {}
    inner: Inner
    pair: tuple[int, float] = (0, 1)
    free: dict[str, Any] = {}
    bands: list[str] = ["b02"]


def rows() -> dict[str, str]:
    lines = swath_tables.schema_markdown(Job.model_json_schema()).splitlines()
    return {line.split("`")[1]: line for line in lines[2:]}


def test_every_field_has_a_row():
    assert list(rows()) == list(Job.model_fields)


def test_a_description_cannot_break_the_table():
    assert rows()["name"] == "| `name` | string | *required* | What \\| to do. |"


def test_says_what_a_field_may_be():
    assert "| `10`, `20`, `60` | `10` |" in rows()["grid"]
    assert "| number ≥ 0 < 1 | `0.5` |" in rows()["weight"]
    assert "| string or mapping of `rows` | none |" in rows()["window"]
    assert "| mapping of `rows` | *required* | What is inside. |" in rows()["inner"]
    assert "| list of 2: integer, number |" in rows()["pair"]
    assert "| mapping | `{}` |" in rows()["free"]
    assert "| mapping to string | `{}` |" in rows()["files"]
    assert '| list of string | `["b02"]` |' in rows()["bands"]

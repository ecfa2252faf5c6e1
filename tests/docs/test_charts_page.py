"""The charts' reference names every value of every chart."""

import json

import yaml


def test_every_value_of_every_chart_is_in_the_reference(repository):
    from swath_charts import values_table

    for schema in sorted((repository / "charts").glob("*/values.schema.json")):
        table = values_table(schema.parent)
        for name in set(json.loads(schema.read_text("utf-8"))["properties"]) - {"global", "library"}:
            assert f"| `{name}" in table, f"{schema.parent.name}: {name}"


def test_defaults_are_those_of_the_values_file(repository):
    from swath_charts import values_table

    chart = repository / "charts" / "hub"
    idle = yaml.safe_load((chart / "values.yaml").read_text("utf-8"))["culling"]["idleMinutes"]
    assert (
        f"| `culling.idleMinutes` | integer from 1 | `{idle}` | Minutes without activity. |"
        in values_table(chart)
    )


def test_the_page_has_a_section_for_every_chart(repository):
    page = (repository / "docs" / "reference" / "charts.md").read_text("utf-8")
    for schema in (repository / "charts").glob("*/values.schema.json"):
        assert f"```{{chart-values}} {schema.parent.name}\n" in page

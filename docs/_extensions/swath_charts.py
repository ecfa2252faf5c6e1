"""Values of the Helm charts, from each chart's schema and defaults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import yaml
from swath_tables import REPOSITORY, MarkdownDirective, cell

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sphinx.application import Sphinx

CHARTS = REPOSITORY / "charts"

# Given by Helm to every chart with a library; nobody sets them.
HELMS_OWN = {"global", "library"}


def values_table(chart: Path) -> str:
    """Return the table of a chart's values: each with what it takes, its default, and what it is for."""
    schema = json.loads((chart / "values.schema.json").read_text("utf-8"))
    defaults = yaml.safe_load((chart / "values.yaml").read_text("utf-8"))
    lines = ["| value | takes | default | what it is for |", "|---|---|---|---|"]
    for path, node, default in _values(schema, schema["$defs"], defaults):
        shown = f"`{json.dumps(default)}`" if default is not None else ""
        lines.append(
            f"| `{path}` | {cell(_takes(node))} | {cell(shown)} | {cell(node.get('description', ''))} |"
        )
    return "\n".join(lines)


def _values(
    schema: dict[str, Any], definitions: dict[str, Any], defaults: Any, prefix: str = ""
) -> Iterator[tuple[str, dict[str, Any], Any]]:
    for name, told in schema["properties"].items():
        if not prefix and name in HELMS_OWN:
            continue
        node = _resolved(told, definitions)
        default = defaults.get(name) if isinstance(defaults, dict) else None
        if "properties" in node:
            yield from _values(node, definitions, default, f"{prefix}{name}.")
        elif node.get("type") == "array" and "properties" in (item := _resolved(node["items"], definitions)):
            yield f"{prefix}{name}", node, default
            yield from _values(item, definitions, None, f"{prefix}{name}[].")
        else:
            yield f"{prefix}{name}", {**node, "items": _resolved(node.get("items", {}), definitions)}, default


def _resolved(node: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return a node with what it refers to; its own description has precedence."""
    if "$ref" not in node:
        return node
    return {**definitions[node["$ref"].rsplit("/", 1)[1]], **{k: v for k, v in node.items() if k != "$ref"}}


def _takes(node: dict[str, Any]) -> str:
    if "enum" in node:
        return " or ".join(f"`{value}`" for value in node["enum"])
    kinds = node.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    text = " or ".join(kinds)
    if node.get("type") == "array" and node.get("items"):
        items = node["items"]
        text += f" of {_takes(items) if 'enum' in items else items.get('type', 'object')}"
    bounds = [f"{word} {node[key]}" for key, word in (("minimum", "from"), ("maximum", "to")) if key in node]
    return " ".join([text, *bounds])


class ChartValues(MarkdownDirective):
    """The values of the chart that is named."""

    required_arguments = 1

    def markdown(self) -> str:
        """Return the table."""
        chart = CHARTS / self.arguments[0]
        self.env.note_dependency(str(chart / "values.schema.json"))
        self.env.note_dependency(str(chart / "values.yaml"))
        return values_table(chart)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("chart-values", ChartValues)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

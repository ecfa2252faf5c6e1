"""Tables that follow from the installed packages: verbs, errors, entry points, schemas, news."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx

REPOSITORY = Path(__file__).resolve().parents[2]


class MarkdownDirective(SphinxDirective):
    """A directive whose content is Markdown that follows from the code."""

    def markdown(self) -> str:
        """Return the text to insert."""
        raise NotImplementedError

    def run(self) -> list[nodes.Node]:
        """Parse the text where the directive stands."""
        return self.parse_text_to_nodes(self.markdown(), allow_section_headings=True)


def cell(text: str) -> str:
    """Return text as it may stand in a cell of a Markdown table."""
    return " ".join(text.replace("``", "`").replace("|", "\\|").split())


class VerbsTable(MarkdownDirective):
    """The verbs of the command line, what each does, and the package that brings it."""

    def markdown(self) -> str:
        """Return the table."""
        lines = ["| verb | what it does | package |", "|---|---|---|"]
        for verb in sorted(entry_points(group="swath.verbs"), key=lambda verb: verb.name):
            command = verb.load()
            package = verb.dist.name if verb.dist else ""
            what = cell(command.get_short_help_str(limit=200))
            lines.append(f"| `swath {verb.name}` | {what} | `{package}` |")
        return "\n".join(lines)


class ErrorsTable(MarkdownDirective):
    """The errors of the core and the exit status that each gives a command line."""

    def markdown(self) -> str:
        """Return the table."""
        module = importlib.import_module("swath.errors")
        lines = ["| error | exit status | when |", "|---|---|---|"]
        for name in module.__all__:
            error = getattr(module, name)
            when = cell((inspect.getdoc(error) or "").split("\n\n")[0])
            lines.append(f"| {{py:exc}}`~swath.errors.{name}` | {error.exit_status} | {when} |")
        return "\n".join(lines)


class EntryPointsTable(MarkdownDirective):
    """What installed packages registered under an entry-point group."""

    required_arguments = 1

    def markdown(self) -> str:
        """Return the table, or a sentence where nothing is registered."""
        found = sorted(entry_points(group=self.arguments[0]), key=lambda entry: entry.name)
        if not found:
            return "No installed package registers any."
        lines = ["| name | object | package |", "|---|---|---|"]
        lines += [
            f"| `{entry.name}` | `{entry.value}` | `{entry.dist.name if entry.dist else ''}` |"
            for entry in found
        ]
        return "\n".join(lines)


class SchemaTable(MarkdownDirective):
    """The fields of a pydantic model, from its JSON Schema: ``swath.run:Payload``."""

    required_arguments = 1
    option_spec = {"prefix": directives.unchanged}  # noqa: RUF012 -- docutils reads a plain dictionary

    def markdown(self) -> str:
        """Return the table."""
        module, _, name = self.arguments[0].partition(":")
        schema = getattr(importlib.import_module(module), name).model_json_schema()
        return schema_markdown(schema, self.options.get("prefix", ""))


def schema_markdown(schema: dict[str, Any], prefix: str = "") -> str:
    """Return a table of a schema's properties."""
    lines = ["| field | type | default | meaning |", "|---|---|---|---|"]
    required = schema.get("required", [])
    for name, rule in schema.get("properties", {}).items():
        default = "*required*" if name in required else _default(rule)
        meaning = cell(rule.get("description") or _referred(rule, schema).get("description", ""))
        lines.append(f"| `{prefix}{name}` | {cell(_kind(rule, schema))} | {default} | {meaning} |")
    return "\n".join(lines)


def _default(rule: dict[str, Any]) -> str:
    if "default" not in rule:
        return ""
    import json  # noqa: PLC0415 -- next to its only use

    return f"`{json.dumps(rule['default'])}`" if rule["default"] is not None else "none"


def _referred(rule: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Return the definition that a rule refers to, or nothing."""
    found: dict[str, Any] = schema.get("$defs", {}).get(str(rule.get("$ref", "")).rsplit("/", 1)[-1], {})
    return found


def _kind(rule: dict[str, Any], schema: dict[str, Any]) -> str:  # noqa: PLR0911 -- a case a keyword
    """Say in a few words what a value may be."""
    if "$ref" in rule:
        return _kind(_referred(rule, schema), schema)
    for key in ("anyOf", "oneOf", "allOf"):
        if key in rule:
            kinds = [_kind(option, schema) for option in rule[key]]
            return " or ".join(dict.fromkeys(kind for kind in kinds if kind != "null")) or "null"
    if "enum" in rule:
        return ", ".join(f"`{value}`" for value in rule["enum"])
    if "const" in rule:
        return f"`{rule['const']}`"
    kind = rule.get("type", "any")
    if kind == "array" and isinstance(rule.get("items"), dict):
        return f"list of {_kind(rule['items'], schema)}"
    if kind == "array" and "prefixItems" in rule:
        kinds = [_kind(item, schema) for item in rule["prefixItems"]]
        return f"list of {len(kinds)}: {', '.join(kinds)}"
    if kind == "object" and isinstance(rule.get("additionalProperties"), dict):
        return f"mapping to {_kind(rule['additionalProperties'], schema)}"
    if kind == "object" and rule.get("properties"):
        return "mapping of " + ", ".join(f"`{name}`" for name in rule["properties"])
    if kind == "object":
        return "mapping"
    limits = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    return " ".join([str(kind), *(f"{sign} {rule[key]}" for key, sign in limits.items() if key in rule)])


class News(MarkdownDirective):
    """What the next release will say, gathered by towncrier from the fragments in changelog.d."""

    def markdown(self) -> str:
        """Return the draft."""
        draft = subprocess.run(
            [
                sys.executable,
                "-m",
                "towncrier",
                "build",
                "--draft",
                "--version",
                "Next release",
                "--date",
                "not yet",
            ],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=True,
        )
        return draft.stdout


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives."""
    app.add_directive("verbs-table", VerbsTable)
    app.add_directive("errors-table", ErrorsTable)
    app.add_directive("entry-points", EntryPointsTable)
    app.add_directive("schema-table", SchemaTable)
    app.add_directive("next-release", News)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

"""Make the help of verbs, which is written for a terminal, right for a page.

sphinx-click reads help as reStructuredText. Blocks that click must not wrap become literal blocks if they
hold examples, so that a file name's underscores and stars stay what they are; elsewhere those are escaped.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import click
    from sphinx.application import Sphinx

UNWRAPPED = "| "  # how sphinx-click marks the lines of a block after \b
TITLE = re.compile(r"Examples?:?$")


def lay_out(lines: list[str]) -> list[str]:
    """Return the lines of a help text as reStructuredText that looks the same."""
    result: list[str] = []
    for unwrapped, block in groupby(lines, key=lambda line: line.startswith(UNWRAPPED)):
        texts = [line.removeprefix(UNWRAPPED if unwrapped else "") for line in block]
        if unwrapped and TITLE.match(texts[0].strip()):
            result += ["", f"{texts[0].strip().rstrip(':')}:", "", ".. code-block:: text", ""]
            result += [f"   {text}" for text in texts[1:]] + [""]
        else:
            result += [(UNWRAPPED if unwrapped else "") + escape(text) for text in texts]
    return result


def escape(text: str) -> str:
    """Escape what reStructuredText would take for a reference or an emphasis; ``code`` stays code."""
    parts = re.split(r"(``.+?``)", text)
    return "".join(
        part if part.startswith("``") else re.sub(r"([*|]|_(?!\w))", r"\\\1", part) for part in parts
    )


def on_text(app: Sphinx, context: click.Context, lines: list[str]) -> None:  # noqa: ARG001 -- sphinx-click's call
    """Lay a description or an epilogue out, in place as sphinx-click wants it."""
    lines[:] = lay_out(lines)


def on_option(app: Sphinx, context: click.Context, lines: list[str]) -> None:  # noqa: ARG001 -- as above
    """Escape the help of options, which stands indented below each option's directive."""
    for index, line in enumerate(lines):
        if line.startswith(" ") and not line.lstrip().startswith(":"):
            lines[index] = escape(line)


def setup(app: Sphinx) -> dict[str, Any]:
    """Join sphinx-click's events."""
    app.setup_extension("sphinx_click")
    app.connect("sphinx-click-process-description", on_text)
    app.connect("sphinx-click-process-epilog", on_text)
    app.connect("sphinx-click-process-options", on_option)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

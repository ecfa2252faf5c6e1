"""Draw the architecture from the import-linter contracts of pyproject.toml.

The directive ``layers-picture`` draws every ``layers`` contract as a stack of boxes (a box that another
contract divides further holds that contract's stack) and every ``forbidden`` contract as a wall between two
stacks. The picture is inline SVG in the theme's colours, with a title and a description for those who cannot
see it; the directive ``layers-table`` says the same in words.
"""

from __future__ import annotations

import ast
import textwrap
import tomllib
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

if TYPE_CHECKING:
    from sphinx.application import Sphinx

REPOSITORY = Path(__file__).resolve().parents[2]
WIDTH = 260  # of a box without children, in SVG units, as all lengths here
PADDING, GAP, WALL = 16, 34, 120
NAME_HEIGHT, LINE_HEIGHT, CHARACTERS = 26, 17, 36


@dataclass
class Box:
    """One layer: a package, what it is for, and the layers inside it: rows of siblings, from the top."""

    name: str
    text: str = ""
    rows: list[list[Box]] = field(default_factory=list)

    @property
    def lines(self) -> list[str]:
        """Return the description, broken to fit the box."""
        return textwrap.wrap(self.text, CHARACTERS)

    @property
    def head(self) -> float:
        """Return the height of the name and the description."""
        return NAME_HEIGHT + LINE_HEIGHT * len(self.lines) + PADDING

    @property
    def width(self) -> float:
        """Return the width with all that is inside."""
        inside = [sum(box.width for box in row) + PADDING * (len(row) - 1) for row in self.rows]
        return max([WIDTH, *(width + 2 * PADDING for width in inside)])

    @property
    def height(self) -> float:
        """Return the height with all that is inside."""
        if not self.rows:
            return self.head
        inside = sum(max(box.height for box in row) for row in self.rows) + GAP * (len(self.rows) - 1)
        return self.head + inside + PADDING

    def names(self) -> list[str]:
        """Return the names of this box and of all boxes inside, from top to bottom."""
        return [self.name, *(name for row in self.rows for box in row for name in box.names())]


@dataclass
class Architecture:
    """The stacks side by side, and the names of those pairs between which imports are forbidden."""

    stacks: list[tuple[str, list[list[Box]]]]
    walls: list[tuple[str, str, str]]
    contracts: list[dict[str, Any]]


def purpose(package: str, repository: Path = REPOSITORY) -> str:
    """Return the first sentence of a package's docstring, or nothing where it has none."""
    path = package.replace(".", "/")
    for source in [*repository.glob(f"p*/*/src/{path}/__init__.py"), *repository.glob(f"p*/*/src/{path}.py")]:
        docstring = ast.get_docstring(ast.parse(source.read_text("utf-8"))) or ""
        sentence = docstring.split("\n\n")[0].replace("\n", " ").replace("``", "")
        return sentence.strip().rstrip(".")
    return ""


def read(repository: Path = REPOSITORY) -> Architecture:
    """Read the contracts; a kind of contract that cannot be drawn is an error, so that none goes missing."""
    linter = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    stacks: dict[str, list[list[Box]]] = {}
    walls: list[tuple[str, str, str]] = []
    for contract in linter["contracts"]:
        match contract["type"]:
            case "layers":
                stacks[contract["name"]] = [
                    [Box(name, purpose(name, repository)) for name in _siblings(layer)]
                    for layer in contract["layers"]
                ]
            case "forbidden":
                for source in contract["source_modules"]:
                    walls += [(source, target, contract["name"]) for target in contract["forbidden_modules"]]
            case other:
                message = f"docs/_extensions/swath_layers.py cannot draw a contract of type {other!r}"
                raise ValueError(message)
    outer = [name for name in stacks if not _nest(name, stacks)]
    return Architecture([(name, stacks[name]) for name in outer], walls, linter["contracts"])


def _siblings(layer: str) -> list[str]:
    """Split ``a | b`` and ``(a)``, the ways in which import-linter writes siblings and optional layers."""
    return [part.strip(" ()") for part in layer.replace(":", "|").split("|")]


def _nest(name: str, stacks: dict[str, list[list[Box]]]) -> bool:
    """Put a stack into the box that all its layers are modules of; say whether there is one."""
    layers = [box.name for row in stacks[name] for box in row]
    for other, rows in stacks.items():
        for box in (box for row in rows for box in row):
            if other != name and all(layer.startswith(f"{box.name}.") for layer in layers):
                box.rows = stacks[name]
                return True
    return False


ARROW = 'class="arrow" marker-end="url(#layers-arrow)"'


def draw(architecture: Architecture) -> str:
    """Return the whole picture as an SVG element."""
    parts: list[str] = []
    left, top, bottom = 1.0, 40.0, 0.0
    edges: list[tuple[set[str], float, float, float]] = []
    for title, rows in architecture.stacks:
        frame = Box("", rows=rows)
        width = frame.width - 2 * PADDING
        parts.append(_text(left + width / 2, 20, title, "title"))
        height = _rows(rows, left, top, width, parts)
        edges.append(
            ({name for row in rows for box in row for name in box.names()}, left, left + width, height)
        )
        left += width + WALL
        bottom = max(bottom, top + height)
    for (names, _, right, height), (others, next_left, _, next_height) in pairwise(edges):
        if any(
            {source, target} & names and {source, target} & others for source, target, _ in architecture.walls
        ):
            parts += _wall((right + next_left) / 2, top, bottom, top + min(height, next_height) / 2)
    width = left - WALL + 1
    return (
        f'<svg class="layers" viewBox="0 0 {width:g} {bottom + 4:g}" style="max-width: {width:g}px" '
        f'role="img" aria-labelledby="layers-title layers-description" xmlns="http://www.w3.org/2000/svg">'
        f'<title id="layers-title">The layers of Swath\'s packages</title>'
        f'<desc id="layers-description">{escape(describe(architecture))}</desc>'
        '<defs><marker id="layers-arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto-start-reverse">'
        '<path class="head" d="M0 0 10 5 0 10z"/></marker></defs>'
        f"{''.join(parts)}</svg>"
    )


def _rows(rows: list[list[Box]], left: float, top: float, width: float, parts: list[str]) -> float:
    """Draw rows of boxes below one another with an arrow between; return their whole height."""
    y = top
    for index, row in enumerate(rows):
        if index:
            middle = left + width / 2
            parts.append(f'<path {ARROW} d="M{middle:g} {y + 4:g}V{y + GAP - 4:g}"/>')
            y += GAP
        spare = (width - sum(box.width for box in row) - PADDING * (len(row) - 1)) / len(row)
        x = left
        for box in row:
            _box(box, x, y, box.width + spare, parts)
            x += box.width + spare + PADDING
        y += max(box.height for box in row)
    return y - top


def _box(box: Box, x: float, y: float, width: float, parts: list[str]) -> None:
    kind = "outer" if box.rows else "inner"
    parts.append(
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{box.height:g}" rx="8"/>'
    )
    parts.append(_text(x + width / 2, y + NAME_HEIGHT, box.name, "name"))
    for index, line in enumerate(box.lines):
        parts.append(_text(x + width / 2, y + NAME_HEIGHT + LINE_HEIGHT * (index + 1) + 2, line, "text"))
    if box.rows:
        _rows(box.rows, x + PADDING, y + box.head, width - 2 * PADDING, parts)


def _wall(x: float, top: float, bottom: float, middle: float) -> list[str]:
    return [
        f'<path class="wall" d="M{x:g} {top:g}V{middle - 44:g}M{x:g} {middle + 44:g}V{bottom:g}"/>',
        f'<path {ARROW} marker-start="url(#layers-arrow)" d="M{x - 44:g} {middle:g}H{x + 44:g}"/>',
        f'<path class="cross" d="M{x - 9:g} {middle - 9:g}l18 18m0 -18l-18 18"/>',
        _text(x, middle - 24, "no imports", "text"),
        _text(x, middle + 34, "either way", "text"),
    ]


def _text(x: float, y: float, text: str, kind: str) -> str:
    return f'<text class="{kind}" x="{x:g}" y="{y:g}" text-anchor="middle">{escape(text)}</text>'


def describe(architecture: Architecture) -> str:
    """Say in words what the picture shows."""
    sentences = []
    for contract in architecture.contracts:
        if contract["type"] == "layers":
            sentences.append(f"{contract['name']}: from top to bottom {', '.join(contract['layers'])}.")
        else:
            sentences.append(f"{contract['name']}.")
    return "A layer imports only what lies below it. " + " ".join(sentences)


class LayersPicture(SphinxDirective):
    """Insert the picture."""

    def run(self) -> list[nodes.Node]:
        """Return the inline SVG, which pages of other formats than HTML leave out."""
        self.env.note_dependency(str(REPOSITORY / "pyproject.toml"))
        figure = nodes.raw("", f'<div class="layers-picture">{draw(read())}</div>', format="html")
        return [figure]


class LayersTable(SphinxDirective):
    """Insert a table of the contracts: what the picture shows, in words."""

    def run(self) -> list[nodes.Node]:
        """Return the table, parsed from Markdown."""
        lines = ["| contract | kind | says |", "|---|---|---|"]
        for contract in read().contracts:
            if contract["type"] == "layers":
                says = " → ".join(f"`{name}`" for layer in contract["layers"] for name in _siblings(layer))
            else:
                source = ", ".join(f"`{name}`" for name in contract["source_modules"])
                says = f"{source} ↛ " + ", ".join(f"`{name}`" for name in contract["forbidden_modules"])
            lines.append(f"| {contract['name']} | {contract['type']} | {says} |")
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directives with Sphinx."""
    app.add_directive("layers-picture", LayersPicture)
    app.add_directive("layers-table", LayersTable)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

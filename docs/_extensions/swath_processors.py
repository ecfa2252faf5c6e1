"""Document processors from what they declare: parameters, sources, steps and outputs."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from swath_tables import MarkdownDirective, cell, schema_markdown

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from swath.processing import Chain, Processor


def declaration(processor: Processor, package: str = "") -> str:
    """Return what a processor declares with its default parameters, as a Markdown section."""
    chain = processor.chain_for(processor.parameters())
    lines = [f"## {processor.name}", "", f"{processor.title.rstrip('.')}. Version {processor.version}"]
    lines[-1] += f", from the package `{package}`." if package else "."
    lines += ["", f"The output grid is that of `{chain.grid}` in the product.", "", "**Parameters**", ""]
    if processor.parameters.model_fields:
        lines += [schema_markdown(processor.parameters.model_json_schema()), ""]
    else:
        lines += ["None.", ""]
    return "\n".join([*lines, *_sources(chain), *_steps(chain), *_outputs(chain)])


def _sources(chain: Chain) -> list[str]:
    lines = [
        "**Reads**",
        "",
        "| variable of the product | as | resampling | margin |",
    ]
    lines.append("|---|---|---|---|")
    for name, source in chain.sources.items():
        row = [f"`{source.path}`", f"`{name}`", source.resampling, str(chain.margins.get(name, 0))]
        lines.append(f"| {' | '.join(cell(text) for text in row)} |")
    return [*lines, ""]


def _steps(chain: Chain) -> list[str]:
    lines = ["**Steps**", "", "| step | what it does | inputs | outputs | halo |", "|---|---|---|---|---|"]
    for step in chain.steps:
        inputs, outputs = (
            ", ".join(f"`{part.name}`" for part in parts) for parts in (step.inputs, step.outputs)
        )
        row = [f"`{step.name}`", step.title, inputs, outputs, str(step.halo)]
        lines.append(f"| {' | '.join(cell(text) for text in row)} |")
    return [*lines, ""]


def _outputs(chain: Chain) -> list[str]:
    lines = ["**Writes**", "", "| variable | type | units | description |", "|---|---|---|---|"]
    for name, path in chain.outputs.items():
        output = chain.made[name]
        row = [f"`{path}`", f"`{output.dtype}`", output.units, output.description]
        lines.append(f"| {' | '.join(cell(text) for text in row)} |")
    return [*lines, ""]


class Declarations(MarkdownDirective):
    """Insert a section for each installed processor."""

    def markdown(self) -> str:
        """Return the sections, by name."""
        found = sorted(entry_points(group="swath.processors"), key=lambda entry: entry.name)
        return "\n".join(declaration(entry.load(), entry.dist.name if entry.dist else "") for entry in found)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the directive."""
    app.add_directive("processor-declarations", Declarations)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}

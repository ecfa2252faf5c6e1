"""A plan as a table for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dask.system import CPU_COUNT
from lxml.html import tostring
from lxml.html.builder import E

if TYPE_CHECKING:
    from swath.processing._plan import Plan

__all__ = ["plan_html", "plan_text", "size"]


def plan_text(plan: Plan, workers: int | None = None) -> str:
    """Return a plan as text, with the memory for a number of workers (default: one a CPU)."""
    workers = workers or CPU_COUNT
    shape, counts = plan.chunk_shape, plan.chunk_counts
    made = (
        f"{len(plan.outputs)} variables in {counts[0]} x {counts[1]} chunks of {shape[0]} x {shape[1]} pixels"
    )
    settings = ", ".join(f"{name} {value}" for name, value in plan.parameters.items())
    return "\n".join(
        [
            f"{plan.processor} {plan.version}" + (f": {settings}" if settings else ""),
            f"window  {plan.window} of {plan.grid.shape[0]} x {plan.grid.shape[1]} pixels, {plan.grid.crs}",
            f"makes   {made}, {size(plan.output_bytes)} uncompressed",
            "",
            *_table(plan),
            "",
            f"memory  about {size(plan.peak_memory(workers))} with {workers} workers",
            *(f"note    {note}" for note in plan.notes),
        ]
    )


def plan_html(plan: Plan) -> str:
    """Return a plan as a piece of a page: what is made, and a table of what is read for it."""
    shape, counts = plan.chunk_shape, plan.chunk_counts
    right, left = (f"text-align: {side}; white-space: nowrap; padding: 0 0.6em" for side in ("right", "left"))
    head, *rows = _rows(plan)
    table = E.table(
        E.thead(E.tr(*(E.th(text, style=left if column < 2 else right) for column, text in enumerate(head)))),
        E.tbody(
            *(
                E.tr(*(E.td(text, style=left if column < 2 else right) for column, text in enumerate(row)))
                for row in rows
            )
        ),
    )
    content = E.div(
        E.p(E.strong(f"{plan.processor} {plan.version}"), f" on {plan.window}, {plan.grid.crs}"),
        E.p(
            f"{len(plan.outputs)} variables in {counts[0]} x {counts[1]} chunks of {shape[0]} x {shape[1]} "
            f"pixels, {size(plan.output_bytes)} uncompressed; about {size(plan.peak_memory())} of memory"
        ),
        table,
        *(E.p(E.em(note)) for note in plan.notes),
    )
    return str(tostring(content, encoding="unicode"))


def size(count: float) -> str:
    """Return bytes in words, in decimal units."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _rows(plan: Plan) -> list[tuple[str, ...]]:
    """Return the cells of a head, of each variable that is read, and of the total."""
    rows: list[tuple[str, ...]] = [("reads", "resampled", "chunks", "of", "bytes")]
    for source in plan.sources:
        amounts = str(len(source.chunks)), str(source.chunks_in_product), size(source.bytes)
        rows.append((source.path, source.method, *(amounts if source.stored else ("-", "-", "in memory"))))
    total = sum(source.chunks_in_product for source in plan.sources if source.stored)
    rows.append(("total", "", str(plan.chunks), str(total), size(plan.bytes)))
    return rows


def _table(plan: Plan) -> list[str]:
    """Return a line for each variable that is read, and the total."""
    rows = _rows(plan)
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return [
        "  ".join(
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

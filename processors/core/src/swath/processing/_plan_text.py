"""A plan as a table for people."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from swath.processing._plan import Plan

__all__ = ["plan_text", "size"]


def plan_text(plan: Plan, workers: int | None = None) -> str:
    """Return a plan as text, with the memory for a number of workers (default: one a CPU)."""
    workers = workers or os.cpu_count() or 1
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


def size(count: float) -> str:
    """Return bytes in words, in decimal units."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def _table(plan: Plan) -> list[str]:
    """Return a line for each variable that is read, and the total."""
    rows = [("reads", "resampled", "chunks", "of", "bytes")]
    for source in plan.sources:
        amounts = str(len(source.chunks)), str(source.chunks_in_product), size(source.bytes)
        rows.append((source.path, source.method, *(amounts if source.stored else ("-", "-", "in memory"))))
    total = sum(source.chunks_in_product for source in plan.sources if source.stored)
    rows.append(("total", "", str(plan.chunks), str(total), size(plan.bytes)))
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    return [
        "  ".join(
            text.ljust(width) if column < 2 else text.rjust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

"""The table for a terminal and the page for the documentation."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from suite.cases import CASES, OURS, Case

if TYPE_CHECKING:
    from collections.abc import Mapping

    from suite.measure import Figures
    from suite.verdict import Verdict

__all__ = ["case_text", "machine", "page"]


HEAD = """\
# Benchmarks

What Swath costs beside [EOPF's own core](https://pypi.org/project/eopf/), plain xarray with dask, and the
floor: the same work on the same bytes by codec, numpy and plain files alone. One command measures all of it
and writes this page; [the how-to](../how-to/benchmarks.md) tells how, and what each case does.
"""

NOTE = """\
Times are the least of several, by the clock; seconds of all CPUs together stand beside them, which other
work on the machine disturbs less. Memory is the peak of the whole process, imports included. An aim counts
as reached where one of the two times reaches it, or where Swath is within 1.2 times of a floor that is
nearer than the aim. A ratio without a word beside it is told and not aimed at.
"""


def machine() -> dict[str, str]:
    """Return what the figures depend on, and nothing that tells whose machine it is."""
    told = Path("/proc/cpuinfo").read_text()
    processor = next(
        (line.partition(":")[2].strip() for line in told.splitlines() if line.startswith("model name")), ""
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ("dask", "numcodecs", "numpy", "xarray", "zarr")
    return {
        "processor": processor or platform.machine(),
        "CPUs": str(os.cpu_count()),
        "memory": f"{memory:.0f} GiB",
        "kernel": f"{platform.system()} {platform.release().split('-')[0]}",
        "load": f"{os.getloadavg()[0]:.0f} at the end",
        "Python": platform.python_version(),
        **{name: version(name) for name in packages},
    }


def case_text(case: Case, found: Mapping[str, Figures], verdicts: list[Verdict], wrong: str) -> str:
    """Return the figures of a case for a terminal."""
    lines = [f"\n{case.title}", f"  {'':30}{'clock':>10}{'ratio':>8}{'CPU':>10}{'ratio':>8}{'peak':>10}"]
    ours = found[OURS]
    for way, figures in found.items():
        if figures.failure:
            lines.append(f"  {way:30}  failed: {figures.failure[-150:]}")
            continue
        ratios = ("", "")
        if not ours.failure:
            ratios = (
                f"{figures.clock / ours.clock:.2f}",
                f"{figures.processors / max(ours.processors, 1e-4):.2f}",
            )
        lines.append(
            f"  {way:30}{_seconds(figures.clock):>10}{ratios[0]:>8}"
            f"{_seconds(figures.processors):>10}{ratios[1]:>8}{_bytes(figures.peak):>10}"
        )
    lines += [f"  {_mark(v):8} {v.aim}: {v.found}" for v in verdicts]
    if wrong:
        lines.append(f"  DIFFERENT ANSWERS: {wrong}")
    return "\n".join(lines)


def page(
    results: Mapping[str, Mapping[str, Figures]],
    verdicts: Mapping[str, list[Verdict]],
    settings: Mapping[str, str],
) -> str:
    """Return the page of the documentation, in Markdown."""
    told = [case for case in CASES if case.name in results]
    lines = [
        HEAD,
        ", ".join(value if name == "processor" else f"{name} {value}" for name, value in settings.items())
        + ".",
        "",
        NOTE,
        "## Aims",
        "",
        "| case | aim | found | |",
        "|---|---|---|---|",
    ]
    for case in told:
        lines += [f"| {case.title} | {v.aim} | {v.found} | {_mark(v)} |" for v in verdicts[case.name]]
    lines += ["", "## Figures", "", "| case | by | clock | CPU | peak memory |", "|---|---|---|---|---|"]
    for case in told:
        for way, figures in results[case.name].items():
            if figures.failure:
                lines.append(f"| {case.title} | {way} | failed: {_cell(figures.failure)} | | |")
            else:
                lines.append(
                    f"| {case.title} | {way} | {_seconds(figures.clock)} | {_seconds(figures.processors)} | "
                    f"{_bytes(figures.peak)} |"
                )
    return "\n".join(lines) + "\n"


def _mark(verdict: Verdict) -> str:
    return "" if verdict.reached is None else "reached" if verdict.reached else "missed"


def _cell(text: str) -> str:
    return text.replace("|", "/").replace("<", "(").replace(">", ")")[:120]


def _seconds(value: float) -> str:
    return (
        f"{value:.2f} s"
        if value >= 1
        else f"{1000 * value:.0f} ms"
        if value >= 0.01
        else f"{1000 * value:.1f} ms"
    )


def _bytes(value: float) -> str:
    return f"{value / 1e9:.2f} GB" if value >= 1e9 else f"{value / 1e6:.0f} MB"

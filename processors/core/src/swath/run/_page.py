"""The report of a run as a page for people: one file, with plots, which loads nothing."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import html
from lxml.html.builder import E

from swath.processing import plan_text, size
from swath.run._charts import Bar, amounts, lines, timeline
from swath.run._memory import memory_text

if TYPE_CHECKING:
    from swath.run._report import RunReport

__all__ = ["summary", "write_page"]

_KINDS = ("reading", "steps", "writing")
_STYLE = """
.swath-run { font: 15px/1.5 system-ui, sans-serif; max-width: 900px; color: #1c2733; }
.swath-run h1 { font-size: 1.5em; margin: 0 0 .2em; }
.swath-run h2 { font-size: 1.1em; margin: 1.6em 0 .4em; }
.swath-run p { margin: .3em 0; color: #5b6b7a; }
.swath-run dl { display: grid; grid-template-columns: max-content 1fr; gap: .1em 1.2em; margin: .8em 0; }
.swath-run dt { color: #5b6b7a; } .swath-run dd { margin: 0; }
.swath-run pre { overflow-x: auto; background: #eef2f6; padding: .8em; border-radius: 6px; font-size: .85em; }
.swath-run svg { width: 100%; height: auto; font: 11px system-ui, sans-serif; }
.swath-run svg text { fill: #5b6b7a; }
.swath-run .end { text-anchor: end; } .swath-run .middle { text-anchor: middle; }
.swath-run .grid { stroke: #d5dde5; } .swath-run .line { fill: none; stroke-width: 1.8; }
.swath-run rect.k0 { fill: #9db4c8; } .swath-run rect.k1 { fill: #1f6fb2; }
.swath-run rect.k2 { fill: #e08a2e; }
.swath-run .line.k0 { stroke: #1f6fb2; } .swath-run .line.k1 { stroke: #e08a2e; }
.swath-run .line.k2 { stroke: #2b9a66; } .swath-run .line.k3 { stroke: #a4508b; }
.swath-run .line.k4 { stroke: #7a8794; } .swath-run .line.k5 { stroke: #b8a11c; }
.swath-run b.k0 { color: #7d96ab; } .swath-run b.k1 { color: #1f6fb2; } .swath-run b.k2 { color: #c9741a; }
"""
_DARK = """
@media (prefers-color-scheme: dark) {
body { background: #10161d; } .swath-run { color: #dbe4ec; }
.swath-run p, .swath-run dt, .swath-run svg text { color: #93a4b3; fill: #93a4b3; }
.swath-run pre { background: #1a232d; } .swath-run .grid { stroke: #2a3642; }
}
"""


def write_page(report: "RunReport", path: Path) -> None:
    """Write the page of a run."""
    page = E.html(
        E.head(
            E.meta(charset="utf-8"),
            E.meta(name="viewport", content="width=device-width, initial-scale=1"),
            E.title(f"{report.product.name}: run of {report.plan.processor}"),
            E.style(_STYLE + "body { margin: 2em auto; max-width: 900px; padding: 0 1em; }" + _DARK),
        ),
        E.body(_content(report, whole=True)),
        lang="en",
    )
    text: str = html.tostring(page, encoding="unicode", doctype="<!doctype html>")
    path.write_text(text + "\n", encoding="utf-8")


def summary(report: "RunReport") -> str:
    """Return what a notebook shows of a run."""
    return str(html.tostring(E.div(E.style(_STYLE), _content(report, whole=False)), encoding="unicode"))


def _content(report: "RunReport", *, whole: bool) -> Any:
    plan, records = report.plan, report.computed.records
    content = E.div({"class": "swath-run"}, E.h1(report.product.name))
    content.append(E.p(f"{plan.processor} {plan.version} on {plan.window}"))
    content.append(E.dl(*(part for name, text in _facts(report) for part in (E.dt(name), E.dd(text)))))
    if records:
        content.extend([E.h2("Chunks over time"), _legend(), timeline(list(_bars(report)), _KINDS)])
    steps = _steps(report)
    if whole and records:
        content.extend([E.h2("Stored bytes read"), lines({"all": _bytes(report)}, size)])
        content.extend(
            [E.h2("Memory of the processes"), lines(_memory(report), lambda n: memory_text(int(n)))]
        )
    if steps:
        content.extend([E.h2("Slowest steps"), amounts(steps, lambda seconds: f"{seconds:.2f} s")])
    if whole:
        content.extend([E.h2("Plan"), E.pre(plan_text(plan, report.workers))])
        versions = "\n".join(f"{name} {text}" for name, text in report.versions.items())
        content.extend([E.h2("Made with"), E.pre(versions)])
    return content


def _facts(report: "RunReport") -> Iterator[tuple[str, str]]:
    rows, columns = report.plan.window.shape
    yield (
        "made",
        f"{len(report.plan.outputs)} variables of {rows} x {columns} pixels in {report.seconds:.1f} s",
    )
    yield "engine", f"{report.payload.engine}, {report.workers} workers"
    read = f"{report.read.chunks} stored chunks, {size(report.read.bytes)}"
    yield "read", f"{read} (planned: {report.plan.chunks}, {size(report.plan.bytes)})"
    seen = f"{memory_text(report.peak_memory)} seen in one process" if report.peak_memory else "not told"
    if report.fit:
        needed, budget = memory_text(report.fit.needed), memory_text(report.fit.budget)
        seen += f"; at most {needed} in all by the plan, {budget} allowed"
    yield "memory", seen
    if report.computed.resumed:
        yield "resumed", f"{report.computed.resumed} output chunks were there from an earlier run"
    if report.retries:
        yield "retries", str(report.retries)
    for note in report.notes:
        yield "note", note
    yield "run", report.run


def _legend() -> Any:
    return E.p(
        *(
            part
            for number, kind in enumerate(_KINDS)
            for part in (E.b("■ ", {"class": f"k{number}"}), f"{kind}  ")
        )
    )


def _began(report: "RunReport") -> float:
    """Return when the first task began: a cluster takes its time to start."""
    records = report.computed.records
    times = [record.start for record in records]
    times += [reading.start for notes in report.computed.notes for reading in notes.readings]
    return min(times, default=report.began)


def _bars(report: "RunReport") -> Iterator[Bar]:
    began = _began(report)
    for notes in report.computed.notes:
        for reading in notes.readings:
            times = reading.start - began, reading.end - began
            yield Bar(_short(reading.worker), *times, "reading", "a stored chunk, read")
    for record in report.computed.records:
        title = f"chunk {record.position[0]}, {record.position[1]}"
        row, written = _short(record.worker), record.end - record.writing
        yield Bar(row, record.start - began, record.computing - began, "reading", f"{title}, read")
        told = ", ".join(f"{name} {seconds:.3f} s" for name, seconds in record.steps.items())
        yield Bar(row, record.computing - began, written - began, "steps", f"{title} ({told})")
        yield Bar(row, written - began, record.end - began, "writing", f"{title}, written")


def _short(worker: str) -> str:
    """Return a worker's name without the host's domain; of a long host its end, which differs among pods."""
    whole, process, thread = worker.rsplit(":", 2)
    host = whole.partition(".")[0]
    return f"{host if len(host) <= 10 else '…' + host[-9:]} {process}.{thread}"


def _steps(report: "RunReport") -> dict[str, float]:
    seconds: dict[str, float] = defaultdict(float)
    for record in report.computed.records:
        for name, took in record.steps.items():
            seconds[name] += took
        seconds["(writing)"] += record.writing
        seconds["(reading)"] += record.computing - record.start
    for notes in report.computed.notes:
        for reading in notes.readings:
            seconds["(reading)"] += reading.end - reading.start
    return dict(sorted(seconds.items(), key=lambda item: -item[1])[:12])


def _bytes(report: "RunReport") -> list[tuple[float, float]]:
    """Return what all processes have read, as it grows; each tells its own sum."""
    began = _began(report)
    latest: dict[str, int] = {}
    points = [(0.0, 0.0)]
    for record in sorted(report.computed.records, key=lambda record: record.end):
        latest[record.process] = record.bytes_read
        points.append((record.end - began, float(sum(latest.values()))))
    beyond = points[-1][1] - report.read.bytes  # what the processes had read before the run
    return [(time, max(value - beyond, 0.0)) for time, value in points]


def _memory(report: "RunReport") -> dict[str, list[tuple[float, float]]]:
    series: dict[str, list[tuple[float, float]]] = defaultdict(list)
    began = _began(report)
    for record in sorted(report.computed.records, key=lambda record: record.end):
        series[record.process].append((record.end - began, float(record.memory)))
    return dict(series)

#!/usr/bin/env python3
"""Measure Swath beside eopf, plain xarray with dask, and the floor; print ratios, write the docs' page.

    .venv/bin/python benchmarks/run.py [--only CASE …] [--repeat N] [--size PIXELS] [--without eopf]

Each figure comes from processes of its own, turn by turn over all sides. The peer's environment and the
inputs are made on the first run and kept in the cache of this user.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

from suite.cases import CASES, OURS
from suite.job import Job
from suite.measure import Figures, measure
from suite.peer import REQUIREMENTS, PeerError, cache, peer_python
from suite.report import case_text, machine, page
from suite.verdict import Verdict, disagreement, judge

FULL = 10980
"""Rows and columns of a Sentinel-2 tile at 10 m."""

TENTH = 10**0.5
"""By what both sides of a tile are divided for one of a tenth of the pixels."""


def main() -> int:
    chosen = arguments()
    cases = [case for case in CASES if not chosen.only or case.name in chosen.only]
    pythons = {"swath": Path(sys.executable)}
    if chosen.without != "eopf":
        try:
            pythons["eopf"] = peer_python()
        except PeerError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
    folder = chosen.work or cache() / "inputs"
    folder.mkdir(parents=True, exist_ok=True)
    safe = any(case.needs == "safe" for case in cases)
    job, small, tenth = jobs(folder, chosen, safe=safe)
    results: dict[str, dict[str, Figures]] = {}
    verdicts = {}
    failed = False
    for case in cases:
        here = tenth if case.name == "tenfold" else job
        found = measure(
            case,
            {"job": here, "small": small},
            pythons,
            progress,
            repeat=chosen.repeat,
            enough=chosen.seconds,
        )
        results[case.name] = found
        verdicts[case.name] = judge(case, found, results.get("index"))
        wrong = disagreement(found)
        failed |= bool(wrong) or bool(found[OURS].failure)
        print(case_text(case, found, verdicts[case.name], wrong), flush=True)
        save(chosen, results, verdicts)  # after each case: one that is stopped has told what it knows
    return 1 if failed else 0


def save(
    chosen: argparse.Namespace, results: dict[str, dict[str, Figures]], verdicts: dict[str, list[Verdict]]
) -> None:
    """Write what was measured so far to the files that were asked for."""
    peer = re.findall(r"^eopf==([\d.]+)", REQUIREMENTS.read_text(), re.MULTILINE)
    settings = machine() | {
        "eopf": ", ".join(peer),
        "tile": f"of {chosen.size} pixels a side",
        "SAFE": f"of {chosen.safe_size}",
    }
    if chosen.json:
        figures = {name: {way: asdict(f) for way, f in found.items()} for name, found in results.items()}
        told = {name: [asdict(verdict) for verdict in found] for name, found in verdicts.items()}
        content = {"machine": settings, "figures": figures, "aims": told}
        chosen.json.write_text(json.dumps(content, indent=1) + "\n")
    if chosen.table:
        chosen.table.write_text(page(results, verdicts, settings), encoding="utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [case.name for case in CASES]
    parser.add_argument("--only", nargs="+", choices=names, metavar="CASE", help=f"of {', '.join(names)}")
    parser.add_argument("--repeat", type=int, default=3, help="processes for each figure (3)")
    parser.add_argument("--seconds", type=float, default=3, help="how long what is short is timed (3)")
    parser.add_argument("--size", type=int, default=FULL, help=f"rows and columns of the tile ({FULL})")
    parser.add_argument(
        "--safe-size", type=int, default=FULL // 2, help=f"the same of the SAFE ({FULL // 2})"
    )
    parser.add_argument("--groups", type=int, default=50, help="groups of ten small arrays (50)")
    parser.add_argument("--without", choices=["eopf"], help="leave the peer out: nothing is installed then")
    parser.add_argument("--work", type=Path, help="folder of inputs, kept, and of outputs (the user's cache)")
    parser.add_argument("--json", type=Path, help="write all figures to this file")
    parser.add_argument("--table", type=Path, help="write the page of the docs to this file")
    return parser.parse_args()


def jobs(folder: Path, chosen: argparse.Namespace, *, safe: bool) -> tuple[Job, Job, Job]:
    """Return the job, one to warm up on, and one on a tile of a tenth of the pixels."""
    made = {}
    sizes = {"full": chosen.size, "small": min(chosen.size, 732), "tenth": round(chosen.size / TENTH)}
    for name, size in sizes.items():
        made[name] = make(folder, "tile", size)
    scene, warm = (make(folder, "safe", size) if safe else folder for size in (chosen.safe_size, 366))
    job = Job(made["full"], scene, folder / "out", chosen.size, chosen.groups)
    return (
        job,
        Job(made["small"], warm, folder / "out", sizes["small"], 1),
        replace(job, tile=made["tenth"], size=sizes["tenth"]),
    )


def make(folder: Path, kind: str, size: int) -> Path:
    """Make an input where there is none yet, in a process of its own: this one stays small."""
    progress(f"input: {kind} of {size} pixels a side")
    script = Path(__file__).parent / "suite" / "inputs.py"
    done = subprocess.run(
        [sys.executable, script, kind, folder, str(size)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        sys.exit(f"error: the input cannot be made:\n{done.stderr[-2000:]}")
    return Path(done.stdout.splitlines()[-1])


def progress(what: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\x1b[K{what}", end="\r", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""The memory that a run will take, held against what it may take, before anything is read."""

import os
import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dask.system import CPU_COUNT

from swath.errors import InputError
from swath.processing import Plan

__all__ = ["Fit", "fit_memory", "machine_memory", "memory_text", "parse_memory", "resident_memory"]

PROCESS_BYTES = 320 * 2**20
"""What a process takes that computes chunks, with Python and all libraries, but for the chunks."""

CLIENT_BYTES = 48 * 2**20
"""What a process takes besides that reads a remote store: its client's libraries, and connections."""

FILES_BYTES = 448 * 2**20
"""What a process takes that writes GeoTIFFs and the quick look, with GDAL's cache, but for their pixels."""

_FILES_PIXEL = 16
"""Bytes for each pixel of a chunk that goes from the store into a file: stored, decoded, converted."""

SHARE = 0.8
"""Part of the memory of the machine, or of the control group, that a run may take where nobody says."""

_CGROUPS = Path("/sys/fs/cgroup")
_SMALLEST_SIDE = 64
"""Pixels; a chunk of fewer on a side is never proposed."""


@dataclass(frozen=True, slots=True)
class Fit:
    """How a run fits into its memory."""

    budget: int
    """Bytes that the run may take."""
    needed: int
    """Bytes that it will take, estimated from above."""
    workers: int
    """Chunks in work at a time."""
    note: str = ""
    """What was lowered so that it fits, and why; empty where nothing was."""


def memory_text(count: int) -> str:
    """Return bytes in the units in which memory is given."""
    return f"{count / 2**30:.1f} GiB" if count >= 2**30 else f"{count / 2**20:.0f} MiB"


def machine_memory() -> int:
    """Return the bytes of memory that this process could have: the machine's, or its control group's."""
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return min([total, *_limits()])


def _limits() -> Iterator[int]:
    """Go through the memory limits of this process's control groups (version 1 and 2), and of those above."""
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text(encoding="ascii", errors="replace").splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers and "memory" not in controllers.split(","):
                continue
            root, name = (
                (_CGROUPS / "memory", "memory.limit_in_bytes") if controllers else (_CGROUPS, "memory.max")
            )
            place = root / path.strip("/")
            for folder in (place, *place.parents):
                if not folder.is_relative_to(root):
                    break
                with suppress(OSError, ValueError):  # not visible from here, or "max"
                    yield int((folder / name).read_text(encoding="ascii"))


def resident_memory() -> int:
    """Return the bytes of memory that this process occupies now; 0 where the system does not tell."""
    with suppress(OSError, ValueError, IndexError):
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )
    return 0


def fit_memory(
    plan: Plan,
    *,
    budget: int | None,
    workers: int | None,
    processes: bool,
    replan: Callable[[tuple[int, int]], Plan],
) -> Fit:
    """Lower the number of workers until a run fits into its memory.

    Parameters
    ----------
    plan
        The run's plan.
    budget
        Bytes that it may take; a share of the machine's memory where None.
    workers
        Chunks in work at a time; one a CPU where None.
    processes
        Whether each worker is a process of its own.
    replan
        Returns the plan with output chunks of another shape, for a refusal that says what would do.

    Raises
    ------
    InputError
        If not even one worker fits; the message has the numbers, and what would fit.
    """
    allowed = budget or int(machine_memory() * SHARE)
    wanted = workers or CPU_COUNT
    for number in range(wanted, 0, -1):
        needed = _needed(plan, number, processes=processes)
        if needed <= allowed:
            full = _needed(plan, wanted, processes=processes)
            why = f"{wanted} would take {memory_text(full)} of memory and {memory_text(allowed)} are allowed"
            note = "" if number == wanted else f"{number} of {wanted} workers, because {why}"
            return Fit(allowed, needed, number, note)
    raise InputError(_refusal(plan, allowed, given=budget is not None, processes=processes, replan=replan))


def _needed(plan: Plan, workers: int, *, processes: bool) -> int:
    """Return the bytes of the time that takes most: of computing, or of writing files afterwards."""
    # Each process reads ahead by itself, and the one that starts the others has opened the product.
    others = workers if processes else 0
    computing = plan.peak_memory(workers) + _programs(plan, 1 + others)
    if processes:
        computing += (workers - 1) * plan.ahead_memory + workers * plan.waiting_memory
    rows, columns = plan.chunk_shape
    return max(computing, FILES_BYTES + workers * rows * columns * _FILES_PIXEL)


def _programs(plan: Plan, number: int) -> int:
    """Return what a number of processes take before they have read anything."""
    return number * (PROCESS_BYTES + (CLIENT_BYTES if plan.ahead_memory else 0))


def _refusal(
    plan: Plan, allowed: int, *, given: bool, processes: bool, replan: Callable[[tuple[int, int]], Plan]
) -> str:
    rows, columns = plan.chunk_shape
    least = _needed(plan, 1, processes=processes)
    whose = "are allowed" if given else f"are allowed, {SHARE:.0%} of what this machine or container has"
    early = plan.ahead_memory + (plan.waiting_memory if processes else 0)
    ahead = f"{memory_text(early)} for what is read ahead from a remote store, " if early else ""
    told = (
        f"The run needs {memory_text(least)} of memory with one worker, and {memory_text(allowed)} {whose}: "
        f"{memory_text(plan.chunk_memory)} for a chunk of {rows} x {columns} pixels, "
        f"{memory_text(plan.shared_memory)} for stored chunks that neighbours need, too, "
        f"{ahead}and {memory_text(least - plan.chunk_memory - plan.shared_memory - early)} for the programs. "
    )
    while max(rows, columns) > _SMALLEST_SIDE:
        rows, columns = max(rows // 2, 1), max(columns // 2, 1)
        smaller = _needed(replan((rows, columns)), 1, processes=processes)
        if smaller <= allowed:
            return (
                f"{told}Take smaller chunks (--chunk-shape {rows}x{columns} needs {memory_text(smaller)}), a "
                f"smaller window, or allow --memory {_rounded_up(least)}."
            )
    return f"{told}Take a smaller window, or allow more: --memory {_rounded_up(least)}."


def _rounded_up(count: int) -> str:
    return f"{-(-count // 2**20)}MiB"


def parse_memory(value: Any) -> Any:
    """Return an amount of memory in bytes, from a number or from text such as ``2GiB``, ``500 MB``.

    Raises
    ------
    ValueError
        If it is neither.
    """
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?\s*", value.lower())
    if not found:
        raise ValueError("expected bytes, or an amount such as '2GiB' or '500 MB'")
    number, prefix, binary = found.groups()
    power = " kmgt".index(prefix or " ")
    return int(float(number) * (1024 if binary else 1000) ** power)

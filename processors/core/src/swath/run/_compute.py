"""All chunks of a run: those that are not there yet are made, noted in the journal, and told."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dask.array.optimization import optimize

from swath.errors import InputError, RunError, SwathError
from swath.io.journal import Journal
from swath.io.metering import Counts
from swath.processing import Binding, Chunk, Plan, Program, chunk_graph
from swath.run._chunk import ChunkRecord, Making
from swath.run._engine import Engine
from swath.run._memory import memory_text
from swath.run._watch import Notes, Watch, drain, watch_graph
from swath.run._zarr import Target

__all__ = ["Computed", "check_workers", "compute_chunks"]

_LOG = logging.getLogger("swath.run")


@dataclass(frozen=True, slots=True)
class Computed:
    """What has been computed, and how."""

    records: tuple[ChunkRecord, ...]
    """Of the chunks that were made, in the order in which they were done."""
    resumed: int
    """Chunks that an earlier run had made."""
    read: Counts
    """What was read for it."""
    left: tuple[Notes, ...] = ()
    """What processes had to tell after their last chunk."""

    @property
    def notes(self) -> list[Notes]:
        """All that the processes had to tell."""
        return [*(record.notes for record in self.records), *self.left]


def check_workers(plan: Plan, engine: Engine) -> None:
    """Refuse a run whose chunks do not fit into the workers of a cluster.

    Raises
    ------
    InputError
        If one chunk takes more than a worker may have for it.
    """
    ahead = (plan.ahead_memory + plan.waiting_memory) // engine.worker_threads
    needed = plan.chunk_memory + ahead + plan.shared_memory // engine.workers if engine.workers else 0
    if engine.worker_memory is not None and needed > engine.worker_memory:
        rows, columns = plan.chunk_shape
        raise InputError(
            f"A chunk of {rows} x {columns} pixels needs {memory_text(needed)}, and the workers of this "
            f"cluster have {memory_text(engine.worker_memory)} for each. Take smaller chunks (--chunk-shape) "
            "or larger workers."
        )


def compute_chunks(
    binding: Binding,
    target: Target,
    engine: Engine,
    *,
    journal: Journal,
    watch: Watch,
    done: Callable[[int, int], None],
) -> Computed:
    """Make all output chunks, each of them written by the task that computes it; none of them is kept.

    Parameters
    ----------
    binding, target
        What is computed, and the store that has been laid out for it.
    engine
        Where.
    journal
        Tells which chunks an earlier run has made, and is told which ones are done.
    watch
        Accompanies all tasks.
    done
        Told after each chunk: how many are done, of how many.

    Raises
    ------
    RunError
        If a chunk could not be computed.
    """

    def body(program: Program, chunk: Chunk) -> Making:
        return Making(target, watch, program, chunk)

    # Another run of the same job on the same scheduler makes the same chunks, but writes them elsewhere.
    made = chunk_graph(binding, body, salt=target.path)
    finished = set(journal.verified(Path(target.path)))
    keys = [(made.name, *position) for position in made.chunks if _part(position) not in finished]
    total, resumed = len(made.chunks), len(made.chunks) - len(keys)
    if resumed:
        _LOG.info(
            "%d of %d chunks are there from an earlier run", resumed, total, extra={"product": target.name}
        )
    if not keys:
        return Computed((), resumed, Counts())
    records: list[ChunkRecord] = []

    def after(record: ChunkRecord) -> None:
        records.append(record)
        journal.add(_part(record.position), record.files)
        _tell(record, target.name, watch.run)
        done(resumed + len(records), total)

    graph = watch_graph(dict(optimize(made.graph, keys)), set(keys), watch)  # type: ignore[no-untyped-call]  # dask
    try:
        read = engine.compute(graph, keys, after, watch.trace)
    except (SwathError, OSError):
        raise
    except Exception as error:
        raise RunError(
            f"{binding.processor.name} failed on a chunk of {target.name}: {type(error).__name__}: {error}"
        ) from error
    return Computed(tuple(records), resumed, read, tuple(engine.ask(drain, watch.run)))


def _part(position: tuple[int, int]) -> str:
    return f"{position[0]},{position[1]}"


def _tell(record: ChunkRecord, product: str, run: str) -> None:
    """Log what has been done, and what went wrong on the way."""
    where: dict[str, Any] = {"product": product, "chunk": list(record.position), "run": run}
    for retry in record.notes.retries:
        _LOG.warning(
            "tried again after %s", retry.error,
            extra={"product": product, "run": run, "attempt": retry.attempt, "worker": retry.worker},
        )  # fmt: skip
    for step, seconds in record.steps.items():
        _LOG.debug("step done", extra={**where, "step": step, "seconds": round(seconds, 4)})
    _LOG.info(
        "chunk done",
        extra={**where, "worker": record.worker, "seconds": round(record.end - record.start, 3)},
    )

"""The making of one output chunk: computed, written, and told what that took."""

import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from swath.io.journal import Digests
from swath.io.metering import counts
from swath.processing import Chunk, Program, compute_chunk
from swath.run._memory import resident_memory
from swath.run._trace import span
from swath.run._watch import Notes, Watch, drain, task_began, worker_name
from swath.run._zarr import Target, write_chunk

__all__ = ["ChunkRecord", "Making"]


@dataclass(frozen=True, slots=True)
class ChunkRecord:
    """What making one output chunk took, and what is left of it: files."""

    position: tuple[int, int]
    """Row and column of the chunk."""
    files: Digests
    """Of the store, verifiable."""
    worker: str
    """Host, process and thread."""
    start: float
    """Seconds since 1970 when the task began, as the next two."""
    computing: float
    """When its blocks were there: where they are read by the same task, that took the time until then."""
    end: float
    steps: Mapping[str, float]
    """Name of a step → seconds."""
    writing: float
    """Seconds that encoding, compressing and writing took."""
    bytes_read: int
    """Stored bytes that the process has read by the end, since it started."""
    memory: int
    """Bytes that the process occupied at the end."""
    notes: Notes
    """What the process had to tell of other tasks of the run."""

    @property
    def process(self) -> str:
        """Host and process of the worker."""
        return self.worker.rpartition(":")[0]

    def to_dict(self) -> dict[str, Any]:
        """Return the record as plain data for JSON."""
        return {
            "chunk": list(self.position),
            "worker": self.worker,
            "start": round(self.start, 3),
            "computing": round(self.computing, 3),
            "end": round(self.end, 3),
            "steps": {name: round(seconds, 4) for name, seconds in self.steps.items()},
            "writing": round(self.writing, 4),
            "memory": self.memory,
        }


@dataclass(frozen=True, slots=True)
class Making:
    """Makes one output chunk; the body of its task."""

    target: Target
    watch: Watch
    program: Program
    chunk: Chunk

    def __call__(self, blocks: list[Any]) -> ChunkRecord:
        """Compute the chunk from its blocks, write it, and return what is small."""
        began, computing = task_began(), time.time()
        watch, chunk = self.watch, self.chunk
        steps: dict[str, float] = defaultdict(float)

        @contextmanager
        def around(name: str) -> Iterator[None]:
            start = time.perf_counter()
            with span(f"step {name}", watch.trace, step=name):
                yield
            steps[name] += time.perf_counter() - start

        with span("chunk", watch.trace, product=self.target.name, chunk=chunk.position, run=watch.run):
            outputs = compute_chunk(self.program, chunk, blocks, around)
            start = time.perf_counter()
            with span("write", watch.trace):
                files = write_chunk(self.target, chunk, outputs)
            writing = time.perf_counter() - start
        return ChunkRecord(
            position=chunk.position,
            files=files,
            worker=worker_name(),
            start=began,
            computing=computing,
            end=time.time(),
            steps=dict(steps),
            writing=writing,
            bytes_read=counts().bytes,
            memory=resident_memory(),
            notes=drain(watch.run),
        )

"""What accompanies the tasks of a run, wherever they are computed: attempts, times, trace and profile."""

import os
import re
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from random import uniform
from typing import Any

from dask._task_spec import Task

from swath.errors import SwathError
from swath.run._profile import profiled
from swath.run._trace import span
from swath.run._transient import transient

__all__ = [
    "Attempts",
    "Notes",
    "Reading",
    "Retry",
    "Watch",
    "drain",
    "task_began",
    "watch_graph",
    "worker_name",
]

_FIRST_DELAY, _LONGEST_DELAY = 0.2, 10.0
"""Seconds before the second attempt, which double from attempt to attempt, and the most they get."""


@dataclass(frozen=True, slots=True)
class Watch:
    """What all tasks of a run are told; small, and it goes to every worker."""

    run: str
    """Identifier of the run, in logs and traces."""
    retries: int = 0
    """Further attempts of a task that fails for a reason that may pass."""
    trace: Mapping[str, str] = field(default_factory=dict)
    """The client's span, as the headers of W3C Trace Context; empty where nobody traces."""
    profile: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A stored chunk was read, or brought to the steps' type."""

    worker: str
    start: float
    """Seconds since 1970, as ``end``."""
    end: float


@dataclass(frozen=True, slots=True)
class Retry:
    """A task failed for a reason that may pass, and was tried again."""

    worker: str
    attempt: int
    """That failed; the first one is 1."""
    error: str


@dataclass(slots=True)
class Notes:
    """What one process has to tell of the tasks that it ran."""

    readings: list[Reading] = field(default_factory=list)
    retries: list[Retry] = field(default_factory=list)
    profiles: list[dict[str, Any]] = field(default_factory=list)


_lock = threading.Lock()
_notes: dict[str, Notes] = {}
_own = threading.local()


def drain(run: str) -> Notes:
    """Return what this process has noted of a run since it was last asked."""
    with _lock:
        return _notes.pop(run, None) or Notes()


def _note(run: str, kind: str, what: Any) -> None:
    with _lock:
        getattr(_notes.setdefault(run, Notes()), kind).append(what)


def task_began() -> float:
    """Return when the task that this thread is running began, in seconds since 1970."""
    began: float = getattr(_own, "began", 0.0)
    return began or time.time()


def worker_name() -> str:
    """Return the name of what runs this thread: host, process and thread."""
    number = re.search(r"\d+$", threading.current_thread().name)
    return f"{socket.gethostname()}:{os.getpid()}:{number[0] if number else 0}"


@dataclass(frozen=True, slots=True)
class Attempts:
    """A task of the graph, tried again where it fails for a reason that may pass."""

    function: Callable[..., Any]
    watch: Watch
    reads: bool
    """Whether it is a task of its own that reads, and not the making of a chunk."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the task."""
        watch, attempt = self.watch, 1
        while True:
            _own.began = time.time()
            try:
                with ExitStack() as stack:
                    if self.reads:
                        stack.enter_context(span("read", watch.trace))
                    if watch.profile:
                        stack.enter_context(profiled(lambda told: _note(watch.run, "profiles", told)))
                    result = self.function(*args, **kwargs)
            except Exception as error:
                if not transient(error):
                    raise
                if attempt > watch.retries:
                    if attempt > 1 and isinstance(error, SwathError):
                        raise type(error)(f"{error} (tried {attempt} times)") from error
                    raise
                _note(watch.run, "retries", Retry(worker_name(), attempt, f"{type(error).__name__}: {error}"))
            else:
                if self.reads:
                    _note(watch.run, "readings", Reading(worker_name(), _own.began, time.time()))
                return result
            delay = min(_FIRST_DELAY * 2 ** (attempt - 1), _LONGEST_DELAY)
            time.sleep(uniform(delay / 2, delay))  # noqa: S311 -- so that not all come back at once
            attempt += 1


def watch_graph(graph: Mapping[Any, Any], keys: set[Any], watch: Watch) -> dict[Any, Any]:
    """Return an optimised graph whose tasks are watched; those of ``keys`` are known to make chunks."""
    return {
        key: Task(key, Attempts(node.func, watch, key not in keys), *node.args, **node.kwargs)
        if type(node) is Task
        else node
        for key, node in graph.items()
    }

"""What a dask scheduler does with the chunks of a run, as spans of its trace."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from distributed import SchedulerPlugin

from swath.run._trace import is_tracing

__all__ = ["scheduling_traced"]


class _Spans(SchedulerPlugin):
    """Makes a span for each chunk, from when the scheduler has it to do until it is done."""

    def __init__(self, keys: set[Any], headers: Mapping[str, str]) -> None:
        self.name = f"swath-{id(self)}-{time.time_ns()}"
        self._keys = keys
        self._headers = headers
        self._began: dict[Any, int] = {}
        self._waited: dict[Any, int] = {}

    def transition(self, key: Any, start: str, finish: str, *_: Any, **__: Any) -> None:
        """Note that a task goes from one state to another."""
        if key not in self._keys:
            return
        now = time.time_ns()
        if finish in ("waiting", "queued"):
            self._began.setdefault(key, now)
        elif finish == "processing":
            self._waited[key] = now
        elif start == "processing" and finish in ("memory", "erred"):
            self._emit(key, now, finish)

    def _emit(self, key: Any, now: int, finish: str) -> None:
        if not is_tracing():
            return
        from opentelemetry import trace  # noqa: PLC0415 -- an extra
        from opentelemetry.propagate import extract  # noqa: PLC0415

        began = self._began.pop(key, now)
        span = trace.get_tracer("swath").start_span(
            "schedule",
            context=extract(self._headers),
            start_time=began,
            attributes={
                "swath.chunk": key[1:],
                "swath.waited": (self._waited.get(key, began) - began) / 1e9,
                "swath.state": finish,
            },
        )
        span.end(now)


@contextmanager
def scheduling_traced(client: Any, keys: set[Any], headers: Mapping[str, str]) -> Iterator[None]:
    """Trace what a client's scheduler does with some keys during the block, if there are headers."""
    if not headers:
        yield
        return
    plugin = _Spans(keys, headers)
    client.register_plugin(plugin)
    try:
        yield
    finally:
        client.unregister_scheduler_plugin(plugin.name)

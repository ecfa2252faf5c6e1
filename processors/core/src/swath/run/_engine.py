"""Where a graph is computed: threads of this process, processes of this machine, a cluster or a gateway's."""

import asyncio
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from multiprocessing import resource_tracker
from typing import Any, Protocol

from dask.callbacks import Callback
from dask.system import CPU_COUNT
from dask.threaded import get

from swath.errors import InputError, RunError
from swath.io.metering import Counts, counts, reading
from swath.run._answering import Answering
from swath.run._gateway import gateway_client
from swath.run._trace import flush, is_tracing

__all__ = ["GATEWAY", "Engine", "open_engine"]

Done = Callable[[Any], None]
"""Told the result of each key that was wanted, as it is there."""

GATEWAY = "gateway"
"""Name of the engine, and beginning of its names with an address."""

_CONNECT_SECONDS = 20
"""How long a scheduler may take to answer."""

_DRAIN_SECONDS = 60
"""How long chunks that have begun may take to end when a run is given up."""


class Engine(Protocol):
    """Computes a graph."""

    workers: int
    """Chunks in work at a time."""
    worker_memory: int | None
    """Bytes that the smallest worker has for each chunk in work; None where only this machine's count."""
    worker_threads: int
    """Chunks that this worker has in work at a time."""

    def compute(
        self, graph: dict[Any, Any], keys: Sequence[Any], done: Done, trace: Mapping[str, str]
    ) -> Counts:
        """Compute some keys of a graph, whose results are small, and return what was read for it.

        ``trace`` is the client's span, for those who trace what they do; empty where nobody does. When it
        returns or raises, no task of the graph is running any more.
        """

    def ask(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        """Call a function in each process that computes, and return what they answer."""


@contextmanager
def open_engine(
    name: str, workers: int | None = None, answering: Answering | None = None
) -> Iterator[Engine]:
    """Yield an engine by its name in a payload, and close what it started.

    Parameters
    ----------
    name
        ``threads``, ``distributed``, the address of a scheduler, ``gateway``, or ``gateway+https://…``.
    workers
        Chunks in work at a time; one a CPU by default. A cluster that runs already has its own number.
    answering
        Says whom one waits for; nobody is told by default.

    Raises
    ------
    InputError
        If the scheduler or the gateway does not answer, or what is needed for it is not installed.
    """
    workers = workers or CPU_COUNT
    if name == "threads":
        yield _Threads(workers)
        return
    try:
        from distributed import Client, LocalCluster  # noqa: PLC0415 -- an extra, and slow to import
    except ImportError:
        raise InputError(f"The engine {name!r} needs more: pip install 'swath[distributed]'.") from None
    answering = answering or Answering()
    with ExitStack() as stack:
        if name.partition("+")[0] == GATEWAY:
            yield _Distributed(
                stack.enter_context(gateway_client(name, workers, answering)), shared=False, elsewhere=True
            )
            return
        address: Any = name
        if name == "distributed":
            with _sigint_held():
                cluster = LocalCluster(  # type: ignore[no-untyped-call]  # has no annotations
                    n_workers=workers,
                    threads_per_worker=1,
                    dashboard_address="127.0.0.1:0",  # None would be port 8787 on all interfaces
                    silence_logs="CRITICAL",
                )
            address = stack.enter_context(cluster)
        own = name == "distributed"
        try:
            with answering.by("its workers" if own else f"the Dask scheduler at {name}", _CONNECT_SECONDS):
                if not own:
                    _greet(name)
                client = stack.enter_context(
                    Client(address, timeout=_CONNECT_SECONDS, set_as_default=False)  # type: ignore[no-untyped-call]
                )
        except OSError as error:
            told = str(error) or f"nothing was heard for {_CONNECT_SECONDS} s"
            raise InputError(f"No dask scheduler answers at {name}: {told}. Is it running?") from None
        engine = _Distributed(client, shared=not own, elsewhere=not own)
        if not engine.workers:
            answering.without_workers(f"The Dask scheduler at {name}")
        yield engine


def _greet(address: str) -> None:
    """See that a scheduler answers at an address: a client waits for ever for one that only takes its call.

    Raises
    ------
    OSError
        If it does not answer in time.
    """
    from distributed.comm.core import connect  # noqa: PLC0415 -- an extra
    from distributed.security import Security  # noqa: PLC0415
    from distributed.utils import LoopRunner  # noqa: PLC0415

    async def greet() -> None:
        options = Security().get_connection_args("client")  # type: ignore[no-untyped-call] # as a client's
        answer = await asyncio.wait_for(
            connect(address, timeout=_CONNECT_SECONDS, **options),  # type: ignore[no-untyped-call]
            _CONNECT_SECONDS,
        )
        answer.abort()

    runner = LoopRunner()
    runner.start()  # type: ignore[no-untyped-call]
    try:
        runner.run_sync(greet)  # type: ignore[no-untyped-call]
    finally:
        runner.stop()  # type: ignore[no-untyped-call]


@contextmanager
def _sigint_held() -> Iterator[None]:
    """Let SIGINT wait, here until the end of the block and in processes that begin in it for ever.

    A terminal sends Ctrl-C to the workers, too; this process alone shall answer it, by closing them.
    """
    resource_tracker.ensure_running()  # else the first worker's start does it, and lets SIGINT through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Threads:
    """Threads of this process."""

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self.worker_memory: int | None = None
        self.worker_threads = workers

    def compute(
        self, graph: dict[Any, Any], keys: Sequence[Any], done: Done, trace: Mapping[str, str]
    ) -> Counts:
        del trace  # dask's threads schedule in no time
        wanted = set(keys)

        def after(key: Any, result: Any, *_: Any) -> None:
            if key in wanted:
                done(result)

        pool = ThreadPoolExecutor(self.workers, thread_name_prefix="swath")
        try:
            with reading() as watch, Callback(posttask=after):  # type: ignore[no-untyped-call]  # dask
                get(graph, list(keys), pool=pool, num_workers=self.workers)
        finally:
            # What has begun ends here: nobody may write any more when the caller cleans up.
            pool.shutdown(wait=True, cancel_futures=True)
        return watch.counts

    def ask(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        return [function(*arguments)]


class _Distributed:
    """A ``dask.distributed`` cluster."""

    def __init__(self, client: Any, *, shared: bool, elsewhere: bool) -> None:
        self._client = client
        self._shared = shared
        self.workers = sum(client.nthreads().values())
        told = client.scheduler_info(n_workers=-1)["workers"].values() if elsewhere else ()
        limits = [
            (worker["memory_limit"] // worker["nthreads"], worker["nthreads"])
            for worker in told
            if worker["memory_limit"]
        ]
        self.worker_memory: int | None = None
        self.worker_threads = 1
        if limits:
            self.worker_memory, self.worker_threads = min(limits)

    def compute(
        self, graph: dict[Any, Any], keys: Sequence[Any], done: Done, trace: Mapping[str, str]
    ) -> Counts:
        from swath.run._scheduling import scheduling_traced  # noqa: PLC0415 -- needs an extra

        before = self._read()
        with scheduling_traced(self._client, set(keys), trace):
            self._compute(graph, keys, done)
        if is_tracing():
            self._client.run(flush, on_error="ignore")
            self._client.run_on_scheduler(flush)
        after = self._read()
        return sum((count - before.get(where, Counts()) for where, count in after.items()), Counts())

    def _compute(self, graph: dict[Any, Any], keys: Sequence[Any], done: Done) -> None:
        from distributed import KilledWorker, as_completed  # noqa: PLC0415 -- an extra

        futures = self._client.get(graph, list(keys), sync=False)
        try:
            done_ones = as_completed(futures, loop=self._client.loop)  # type: ignore[no-untyped-call]
            for future in done_ones:
                done(future.result())
        except KilledWorker as error:
            self._client.cancel(futures, force=True)
            raise RunError(
                "The workers that tried one of the chunks were all killed. If they ran out of memory, take "
                f"smaller chunks (--chunk-shape) or fewer workers (--workers): {error}"
            ) from error
        except BaseException:
            self._client.cancel(futures, force=True)
            if self._shared:
                self._drain()
            raise
        finally:
            for future in futures:
                future.release()

    def ask(self, function: Callable[..., Any], *arguments: Any) -> list[Any]:
        # One may have been killed just now.
        told = self._client.run(function, *arguments, on_error="ignore")
        return [answer for answer in told.values() if answer is not None]

    def _drain(self) -> None:
        """Wait until the workers of a cluster that goes on running have ended what they had begun."""
        deadline = time.monotonic() + _DRAIN_SECONDS
        while sum(self._client.run(_executing).values()) and time.monotonic() < deadline:
            time.sleep(0.1)

    def _read(self) -> dict[tuple[str, int], Counts]:
        """Return what each process of the cluster has read since it started."""
        told = self._client.run(_process_counts, on_error="ignore")  # one may have been killed just now
        return dict(found for found in told.values() if found)


def _executing(dask_worker: Any) -> int:
    """Return how many tasks a worker is running; ``dask_worker`` is how dask hands it in."""
    # Those that wait for bytes have left their place to others (dask: long-running).
    return len(dask_worker.state.executing) + len(dask_worker.state.long_running)


def _process_counts() -> tuple[tuple[str, int], Counts]:
    return (socket.gethostname(), os.getpid()), counts()

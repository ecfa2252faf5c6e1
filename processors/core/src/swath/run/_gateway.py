"""A cluster from a Dask Gateway, for the time of a run."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from importlib import import_module
from typing import Any

from swath.errors import InputError, RunError
from swath.run._answering import Answering

__all__ = ["gateway_client"]

_START_SECONDS = 300
"""How long the first worker may take: a cloud may have to start a machine for it."""


@contextmanager
def gateway_client(name: str, workers: int, answering: Answering) -> Iterator[Any]:
    """Yield a client of a new cluster with a number of workers, and shut the cluster down afterwards.

    Parameters
    ----------
    name
        ``gateway``: the address is in dask's own configuration (``gateway.address``), as on the platform's
        hub; or ``gateway+https://…`` with the address. Who one is comes from dask's configuration
        (``gateway.auth``).
    workers
        To ask for.
    answering
        Says whom one waits for.

    Raises
    ------
    InputError
        If ``dask-gateway`` is not installed, no address is known, or nobody answers there.
    RunError
        If no worker came.
    """
    try:
        library: Any = import_module("dask_gateway")  # an extra, without types
    except ImportError:
        raise InputError(f"The engine {name!r} needs more: pip install 'swath[gateway]'.") from None
    address = name.partition("+")[2] or None
    with ExitStack() as stack:
        try:
            gateway = stack.enter_context(library.Gateway(address))
        except ValueError as error:  # no address
            raise InputError(
                f"The engine {name!r} does not know where: {error}. Name it (gateway+https://…), or set "
                "gateway.address in dask's configuration (DASK_GATEWAY__ADDRESS)."
            ) from None
        where = gateway.address
        try:
            with answering.by(f"a cluster from the Dask Gateway at {where}", None):
                cluster = stack.enter_context(gateway.new_cluster(shutdown_on_close=True))
        except Exception as error:  # noqa: BLE001 -- the library lets through what its HTTP client raises
            raise InputError(
                f"No Dask Gateway gives a cluster at {where}: "
                f"{type(error).__name__}: {error}. See that it is running, and that you may use it."
            ) from None
        cluster.scale(workers)
        client = stack.enter_context(cluster.get_client(set_as_default=False))
        try:
            with answering.by(f"the first worker from the Dask Gateway at {where}", _START_SECONDS):
                client.wait_for_workers(1, timeout=_START_SECONDS)
        except TimeoutError:
            raise RunError(
                f"The Dask Gateway started no worker in {_START_SECONDS} s. Are its machines full?"
            ) from None
        yield client

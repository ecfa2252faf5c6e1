"""One apply at a time: a lease in the cluster, held while changes are made."""

from __future__ import annotations

import os
import socket
import threading
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from swath_sde.errors import BusyError, ClusterError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from swath_sde.objects._client import Objects

__all__ = ["applying"]

_API = "coordination.k8s.io/v1"
_DURATION = 30
"""Seconds for which a lease is good without being renewed: so long a killed apply keeps the next waiting."""


@contextmanager
def applying(objects: Objects, name: str) -> Iterator[None]:
    """Hold the lease of an installation while its cluster is changed.

    Parameters
    ----------
    objects
        The cluster.
    name
        Of the installation.

    Raises
    ------
    BusyError
        Another process holds it.
    """
    holder = f"{socket.gethostname()}-{os.getpid()}"
    lease = f"{name}-apply"
    _take(objects, lease, holder)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(objects, lease, holder, ended), daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()
        with suppress(ClusterError):  # it lapses by itself
            objects.delete("Lease", lease, "default", api=_API)


def _body(name: str, holder: str) -> dict[str, Any]:
    return {
        "apiVersion": _API,
        "kind": "Lease",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "holderIdentity": holder,
            "leaseDurationSeconds": _DURATION,
            "renewTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        },
    }


def _take(objects: Objects, name: str, holder: str) -> None:
    held = objects.get("Lease", name, "default", api=_API)
    body = _body(name, holder)
    if held is None:
        with suppress(ClusterError):  # somebody else was quicker: the check below tells
            objects.create(body)
    elif _lapsed(held):
        body["metadata"]["resourceVersion"] = held["metadata"]["resourceVersion"]
        with suppress(ClusterError):
            objects.replace(body)
    held = objects.get("Lease", name, "default", api=_API)
    if held is None or held["spec"].get("holderIdentity") != holder:
        who = (held or {"spec": {}})["spec"].get("holderIdentity", "another process")
        raise BusyError(
            f"{who} is changing this installation at the moment: wait until it has ended. "
            f"One that was killed is forgotten after {_DURATION} s"
        )


def _lapsed(lease: dict[str, Any]) -> bool:
    renewed = datetime.fromisoformat(str(lease["spec"].get("renewTime", "1970-01-01T00:00:00+00:00")))
    return datetime.now(UTC) - renewed > timedelta(seconds=_DURATION)


def _renew(objects: Objects, name: str, holder: str, ended: threading.Event) -> None:
    while not ended.wait(_DURATION / 3):
        with suppress(ClusterError):
            held = objects.get("Lease", name, "default", api=_API)
            if held and held["spec"].get("holderIdentity") == holder:
                body = _body(name, holder)
                body["metadata"]["resourceVersion"] = held["metadata"]["resourceVersion"]
                objects.replace(body)

"""Waiting until the cluster answers and its node is ready."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
import time
from typing import TYPE_CHECKING

from swath_sde.cluster.errors import NodeError

if TYPE_CHECKING:
    from collections.abc import Callable

    from swath_sde.cluster._settings import Settings
    from swath_sde.cluster._status import ClusterStatus

__all__ = ["api_ready", "node_ready", "wait_for_all", "wait_for_api", "wait_for_node"]

Kubectl = "Callable[..., str]"


def api_ready(settings: Settings) -> bool:
    """Return whether the API server says that it is ready."""
    try:
        context = ssl.create_default_context(cafile=str(settings.layout.keys / "cluster" / "ca.crt"))
        with (
            socket.create_connection(("127.0.0.1", settings.api_port), timeout=2) as plain,
            context.wrap_socket(plain, server_hostname="127.0.0.1") as connection,
        ):
            connection.sendall(b"GET /readyz HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b" 200 " in connection.recv(64)
    except OSError:
        return False


def wait_for_api(settings: Settings, progress: Callable[[str], None], *, patience: float = 240) -> None:
    """Wait until the API server is ready.

    Raises
    ------
    NodeError
        It is not within ``patience`` seconds.
    """
    until = time.monotonic() + patience
    said = time.monotonic() + 10
    refused = settings.layout.run / "network.error"
    while not api_ready(settings):
        now = time.monotonic()
        if refused.exists() and now > until - patience + 5:
            raise NodeError(f"{refused.read_text()}: stop what listens there (`ss -ltnp`), then try again")
        if now > until:
            raise NodeError(
                f"the API server is not ready after {patience:.0f} s: look into apiserver.log and "
                f"etcd.log of {settings.layout.logs}, then try again"
            )
        if now > said:
            progress("cluster: waiting for the API server")
            said = now + 10
        time.sleep(0.1)


def node_ready(node: str, *, since: float) -> bool:
    """Return whether a Node object (JSON) says that it is ready, and has said so after a moment.

    What a node that was started again said before its end is still there at first.
    """
    for condition in json.loads(node).get("status", {}).get("conditions", []):
        if condition["type"] == "Ready" and condition["status"] == "True":
            heard = dt.datetime.fromisoformat(condition["lastHeartbeatTime"]).timestamp()
            return bool(heard >= since - 1)  # the object's times are whole seconds
    return False


def wait_for_node(
    settings: Settings, kubectl: Callable[..., str], *, since: float, patience: float = 180
) -> None:
    """Wait until the node is ready.

    Raises
    ------
    NodeError
        It is not within ``patience`` seconds.
    """
    until = time.monotonic() + patience
    last = ""
    while time.monotonic() < until:
        try:
            if node_ready(kubectl("get", "node", settings.name, "-o", "json"), since=since):
                return
        except NodeError as error:  # not registered yet
            last = str(error)
        time.sleep(0.25)
    raise NodeError(
        f"the node is not ready after {patience:.0f} s: look into {settings.layout.logs}/kubelet.log and "
        f"containerd.log {last}".rstrip()
    )


def wait_for_all(status: Callable[[], ClusterStatus], *, patience: float = 120) -> None:
    """Wait until the cluster's own status is ``ready``: some programs settle after the node.

    Raises
    ------
    NodeError
        It is not within ``patience`` seconds.
    """
    until = time.monotonic() + patience
    while (found := status()).state != "ready":
        if time.monotonic() > until:
            late = [f"{each.name} {each.state}" for each in found.programs if each.state != "RUNNING"]
            raise NodeError(
                f"the cluster is {found.state} after {patience:.0f} s: "
                f"{', '.join(late) or 'all programs run'}; look at `swath cluster status`"
            )
        time.sleep(0.25)

"""Talking to the two supervisors of a cluster: the one outside, and the node's first process."""

from __future__ import annotations

import xmlrpc.client
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from supervisor.xmlrpc import SupervisorTransport  # type: ignore[import-untyped]  # it ships no types

from swath_sde.cluster.errors import NodeError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["ProcessState", "Supervisor"]


@dataclass(frozen=True, slots=True)
class ProcessState:
    """How one program is."""

    name: str
    """Name of the program."""
    state: str
    """State in supervisord's words: RUNNING, STARTING, BACKOFF, FATAL, STOPPED, …"""
    pid: int
    """Process id as its supervisor sees it; 0 where it does not run."""
    since: int
    """Seconds since the epoch of its last start."""


class Supervisor:
    """A supervisord that listens on a socket."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def _call(self, method: str, *arguments: object) -> Any:
        transport = SupervisorTransport(None, None, f"unix://{self._path}")
        proxy = xmlrpc.client.ServerProxy("http://localhost", transport=transport)
        try:
            return getattr(proxy.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            raise NodeError(
                f"supervisor: {method} {' '.join(map(str, arguments))}: {fault.faultString}"
            ) from None
        except (OSError, xmlrpc.client.ProtocolError, AttributeError) as error:
            raise NodeError(f"the supervisor at {self._path} does not answer ({error})") from None
        finally:
            transport.close()

    def answers(self) -> bool:
        """Return whether it runs and answers."""
        try:
            return bool(self._call("getState")["statename"] == "RUNNING")
        except NodeError:
            return False

    def pid(self) -> int:
        """Return its process id, as it sees that itself."""
        return cast("int", self._call("getPID"))

    def processes(self) -> dict[str, ProcessState]:
        """Return how its programs are, by name."""
        return {
            item["name"]: ProcessState(item["name"], item["statename"], item["pid"], item["start"])
            for item in self._call("getAllProcessInfo")
        }

    def restart(self, name: str) -> None:
        """Stop a program and start it again."""
        if self.processes()[name].state in {"RUNNING", "STARTING", "BACKOFF"}:
            self._call("stopProcess", name, True)
        self._call("startProcess", name, False)

    def stop(self, name: str) -> None:
        """Stop a program and wait until it has ended."""
        if self.processes()[name].state in {"RUNNING", "STARTING", "BACKOFF"}:
            self._call("stopProcess", name, True)

    def shutdown(self) -> None:
        """Ask it to stop all its programs and to end."""
        self._call("shutdown")

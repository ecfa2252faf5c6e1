"""How a cluster is, for people and as JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import datetime as dt

__all__ = ["ClusterStatus", "ProgramStatus"]

State = Literal["absent", "stopped", "starting", "degraded", "ready"]


@dataclass(frozen=True, slots=True)
class ProgramStatus:
    """One program of the node."""

    name: str
    """Its name."""
    state: str
    """RUNNING, or what its supervisor says instead."""
    seconds: int
    """Seconds since it was started; 0 where it does not run."""


@dataclass(frozen=True, slots=True)
class ClusterStatus:
    """An embedded cluster."""

    name: str
    """Name of the installation."""
    state: State
    """absent: never made; stopped: has data, does not run; ready: all of it runs."""
    kubernetes: str
    """Version."""
    api: str | None = None
    """Address of the API server on this machine."""
    https_port: int | None = None
    """Port of the ingress on this machine."""
    kubeconfig: str | None = None
    """The administrator's kubeconfig."""
    supervised_by: str | None = None
    """What starts the node again: ``systemd``, or ``supervisord`` as a daemon."""
    network_policies_enforced: bool = False
    """Whether NetworkPolicies are enforced."""
    certificates_until: dt.datetime | None = None
    """When the first certificate ends that is not renewed before."""
    programs: tuple[ProgramStatus, ...] = ()
    """The node's programs."""
    remarks: tuple[str, ...] = field(default=())
    """What an administrator should know."""

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        until = self.certificates_until.isoformat() if self.certificates_until else None
        programs = [asdict(program) for program in self.programs]
        return {
            **asdict(self),
            "certificates_until": until,
            "programs": programs,
            "remarks": list(self.remarks),
        }

    def text(self) -> str:
        """Return it for people."""
        lines = [f"cluster {self.name}: {self.state} (Kubernetes {self.kubernetes})"]
        if self.api:
            lines += [
                f"  API server          {self.api}",
                f"  ingress             127.0.0.1:{self.https_port}",
                f"  kubeconfig          {self.kubeconfig}",
                f"  supervised by       {self.supervised_by}",
                f"  NetworkPolicies     {'enforced' if self.network_policies_enforced else 'NOT enforced'}",
            ]
        if self.certificates_until:
            lines.append(
                f"  certificates        good until {self.certificates_until:%Y-%m-%d}, renewed before"
            )
        lines += [
            f"  {program.name:20}{program.state.lower()}{f', {program.seconds} s' if program.seconds else ''}"
            for program in self.programs
        ]
        lines += [f"  note: {remark}" for remark in self.remarks]
        return "\n".join(lines)

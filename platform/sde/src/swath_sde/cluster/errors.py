"""What can go wrong with the embedded cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath_sde.errors import PlatformError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["BuildError", "NoRoomError", "NodeError", "NotPossibleError"]


class NodeError(PlatformError):
    """The node does not do what it was asked to."""


class NoRoomError(PlatformError):
    """A disk of the running cluster is full; nothing is lost."""


class BuildError(PlatformError):
    """The node's programs cannot be built."""


class NotPossibleError(PlatformError):
    """The cluster cannot work here; nothing was changed."""

    exit_status = 2

    def __init__(self, findings: Sequence[str]) -> None:
        self.findings = tuple(findings)
        """What stands in the way, each with what to do."""
        told = "\n".join(f"  - {finding}" for finding in findings)
        super().__init__(f"The embedded cluster cannot start on this machine; nothing was changed:\n{told}")

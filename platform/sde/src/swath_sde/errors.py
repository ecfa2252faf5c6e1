"""The errors that the platform raises on purpose."""

from __future__ import annotations


class PlatformError(Exception):
    """Something failed: a server does not answer, a command ended badly."""

    exit_status: int = 1
    """Exit status of the command line: 1 failed, 2 usage error or bad input."""


class ConfigurationError(PlatformError):
    """``swath.yaml`` cannot be worked with; nothing was changed."""

    exit_status = 2


class ClusterError(PlatformError):
    """The Kubernetes API refused something, or does not answer."""

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        """Status of the API's answer (HTTP), None where there was none."""


class BusyError(PlatformError):
    """Another process is changing the same installation."""


class ReleaseError(PlatformError):
    """A component could not be installed, or does not become ready."""

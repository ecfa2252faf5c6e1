"""The errors that the platform raises on purpose."""

from __future__ import annotations


class PlatformError(Exception):
    """Something failed: a server does not answer, a command ended badly."""

    exit_status: int = 1
    """Exit status of the command line: 1 failed, 2 usage error or bad input."""


class ConfigurationError(PlatformError):
    """``swath.yaml`` cannot be worked with; nothing was changed."""

    exit_status = 2

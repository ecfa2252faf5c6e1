"""What image builds refuse and how they fail."""

from __future__ import annotations

from swath_sde.errors import ConfigurationError, PlatformError


class BuildError(PlatformError):
    """A build, a download or a delivery failed; what was finished before is kept."""


class MissingProgramError(ConfigurationError):
    """A program that builds need is not installed; nothing was begun."""


class NoSpaceError(ConfigurationError):
    """The disk has not the room that a build needs; nothing was begun."""


class ChangedHashError(BuildError):
    """What was downloaded is not what the lock says; it was not used."""


class LoginRefusedError(BuildError):
    """A registry refuses the login: waiting does not mend that."""

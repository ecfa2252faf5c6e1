"""The errors that the developer's verbs raise on purpose."""


class DeveloperError(Exception):
    """Something failed: a tool is missing, a command ended badly."""

    exit_status: int = 1
    """Exit status of the command line: 1 failed, 2 usage error or bad input."""


class BadInputError(DeveloperError):
    """What the user gave cannot be worked with; nothing was written."""

    exit_status = 2

"""The core's verbs; each module imports what it works with only when its verb runs."""

from swath.cli._convert import convert
from swath.cli._info import info
from swath.cli._ls import ls
from swath.cli._run import run
from swath.cli._samples import samples
from swath.cli._validate import validate

__all__ = ["convert", "info", "ls", "run", "samples", "validate"]

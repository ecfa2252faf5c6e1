"""The log of a run: words for people, a line of JSON an event in a pod."""

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from swath.errors import InputError
from swath.run._trace import carrier

__all__ = ["JsonLines", "logs", "logs_json"]

logging.getLogger("swath").addHandler(logging.NullHandler())  # who calls us from Python decides what is shown

_FORMS = ("human", "json")
_LEVELS = ("debug", "info", "warning", "error")
_POD = "KUBERNETES_SERVICE_HOST"
"""Variable that Kubernetes sets in every container."""
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime"}
"""Attributes that every record has; all others are what an event tells of itself."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, all that the event tells, and its trace."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of an event."""
        told: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        told |= {name: value for name, value in vars(record).items() if name not in _OWN}
        if traced := carrier().get("traceparent"):
            _, told["trace_id"], told["span_id"], _ = traced.split("-")
        if record.exc_info:
            told["exception"] = self.formatException(record.exc_info)
        return json.dumps(told, default=str)


def logs_json() -> bool:
    """Tell whether the log is one of JSON lines: as ``SWATH_LOG`` says, else in a pod without a terminal.

    Raises
    ------
    InputError
        If the variable says something else than ``human`` or ``json``.
    """
    form = _variable("SWATH_LOG", _FORMS)
    return form == "json" if form else _POD in os.environ and not sys.stderr.isatty()


@contextmanager
def logs() -> Iterator[None]:
    """Send what Swath logs to standard error during the block.

    ``SWATH_LOG_LEVEL`` says from which level on; by default warnings for people, who have a progress bar, and
    information for machines.

    Raises
    ------
    InputError
        If one of the variables is none of its values.
    """
    as_json = logs_json()
    level = _variable("SWATH_LOG_LEVEL", _LEVELS) or ("info" if as_json else "warning")
    handler = _lines() if as_json else _human()
    logger = logging.getLogger("swath")
    before = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(level.upper())
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(before[0])
        logger.propagate = before[1]


def _lines() -> logging.Handler:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    return handler


def _human() -> logging.Handler:
    handler: logging.Handler
    if sys.stderr.isatty():
        from rich.console import Console  # noqa: PLC0415 -- only in a terminal
        from rich.logging import RichHandler  # noqa: PLC0415

        # A console without a file follows sys.stderr, which a progress bar takes over to print above itself.
        handler = RichHandler(console=Console(stderr=True), show_path=False, log_time_format="%X")
    else:
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(logging.Formatter("%(levelname)s: %(message)s"))
    handler.addFilter(lambda record: not getattr(record, "is_end", False))  # people are told that by the verb
    return handler


def _variable(name: str, known: tuple[str, ...]) -> str:
    value = os.environ.get(name, "").strip().lower()
    if value and value not in known:
        raise InputError(f"{name} is {value!r}; expected one of {', '.join(known)}, or nothing.")
    return value

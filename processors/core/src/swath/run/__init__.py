"""Payloads and runs: one job from a file or the command line, carried out all or nothing."""

from typing import TYPE_CHECKING, Any

from swath.run._environment import environment_fields
from swath.run._logs import logs, logs_json
from swath.run._memory import Fit
from swath.run._payload import Inputs, Payload, load_payload, make_payload, parse_parameters, payload_schema
from swath.run._plan import fit_payload, plan_payload
from swath.run._report import RunReport

if TYPE_CHECKING:
    from swath.run._execute import execute

__all__ = [
    "Fit",
    "Inputs",
    "Payload",
    "RunReport",
    "environment_fields",
    "execute",
    "fit_payload",
    "load_payload",
    "logs",
    "logs_json",
    "make_payload",
    "parse_parameters",
    "payload_schema",
    "plan_payload",
]


def __getattr__(name: str) -> Any:
    """Import what carries a payload out when it is first used: it writes files, and plans do not."""
    if name != "execute":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from swath.run import _execute  # noqa: PLC0415

    globals()[name] = _execute.execute
    return _execute.execute

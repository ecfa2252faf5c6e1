"""Payloads and runs: one job from a file or the command line, carried out all or nothing."""

from swath.run._execute import execute, plan_payload
from swath.run._payload import Inputs, Payload, load_payload, make_payload, parse_parameters, payload_schema
from swath.run._report import RunReport

__all__ = [
    "Inputs",
    "Payload",
    "RunReport",
    "execute",
    "load_payload",
    "make_payload",
    "parse_parameters",
    "payload_schema",
    "plan_payload",
]

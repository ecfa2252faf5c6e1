"""Fields of a payload that come from the environment: what a pod or a pipeline sets for all jobs."""

import os
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError

from swath.errors import PayloadError
from swath.run._payload import Payload

__all__ = ["PREFIX", "environment_fields"]

PREFIX = "SWATH_PAYLOAD_"
"""Begins the names of the variables; the rest is a field's name, in capitals."""

_FIELDS = ("chunk_shape", "cogs", "engine", "keep", "memory", "profile", "resume", "retries", "workers")
"""How a job is carried out; what it is about stands in the payload."""


def environment_fields(environment: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return the fields that variables ``SWATH_PAYLOAD_…`` set, parsed: ``false`` is false, ``2`` a number.

    Parameters
    ----------
    environment
        Names and values; those of this process by default. An empty value sets nothing.

    Raises
    ------
    PayloadError
        If a variable names no such field, or its value is none of the field's.
    """
    found = {}
    for name, text in sorted((os.environ if environment is None else environment).items()):
        if not name.startswith(PREFIX) or not text.strip():
            continue
        field = name.removeprefix(PREFIX).lower()
        if field not in _FIELDS:
            near = get_close_matches(field, _FIELDS, n=1)
            known = ", ".join(f"{PREFIX}{field.upper()}" for field in _FIELDS)
            meant = f"Did you mean {PREFIX}{near[0].upper()}?" if near else f"There are: {known}."
            raise PayloadError(f"The environment variable {name} sets nothing. {meant}")
        try:
            checked = Payload.model_validate(
                {"processor": "-", "inputs": {"product": "-"}, field: text.strip()}
            )
        except ValidationError as error:
            told = error.errors(include_url=False)[0]["msg"]
            raise PayloadError(f"The environment variable {name} is {text!r}: {told}.") from None
        found[field] = getattr(checked, field)
    return found

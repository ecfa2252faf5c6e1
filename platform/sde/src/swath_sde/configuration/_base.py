"""What all parts of ``swath.yaml`` share: unknown keys are refused, values never change after loading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic.fields import FieldInfo  # noqa: TC002 -- as all that pydantic might read

__all__ = ["IN_WORDS", "Amount", "DnsLabel", "DnsName", "Part", "text"]

IN_WORDS: dict[str, str] = {}
"""What a text has to be, in words, by its pattern: no admin is to read a regular expression."""


def text(pattern: str, words: str, *, max_length: int | None = None) -> StringConstraints:
    """Return the constraint of a text that has to follow a pattern, told in words where it does not."""
    IN_WORDS[pattern] = words
    return StringConstraints(pattern=pattern, max_length=max_length)


DnsLabel = Annotated[
    str,
    text(
        r"^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$",
        "up to 32 small letters, digits and hyphens, a letter first, such as 'swath'",
        max_length=32,
    ),
]
"""A name that may be part of host names and namespaces (RFC 1123, section 2.1; 32 characters at most)."""

DnsName = Annotated[
    str,
    text(
        r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$",
        "a name in small letters with a dot, without https:// and port, such as 'swath.example.org'",
        max_length=200,
    ),
]
"""A domain of at least two labels, lower case."""

Amount = Annotated[
    str,
    text(
        r"^[0-9]+(\.[0-9]+)?(m|[KMGT]i?)?$",
        "a quantity as Kubernetes writes it, such as '500m' or '2' processors, '512Mi' or '20Gi' bytes",
    ),
]
"""A quantity as Kubernetes writes it: ``500m``, ``2``, ``512Mi``, ``20Gi``."""


class Part(BaseModel):
    """A part of ``swath.yaml``."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        validate_by_name=True,
        validate_by_alias=True,
    )

    @model_validator(mode="before")
    @classmethod
    def _keeps_defaults(cls, given: Any) -> Any:
        """Give a part of which only some keys are given the defaults of that very part for all others.

        A component whose memory alone is set keeps its own processors, and not those that any component has.
        """
        if not isinstance(given, Mapping):
            return given
        completed = dict(given)
        for name, field in cls.model_fields.items():
            key, default = _key(name, field, given), field.get_default(call_default_factory=True)
            if isinstance(given.get(key), Mapping) and isinstance(default, Part):
                completed[key] = _completed(default, given[key])
        return completed


def _completed(default: Part, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is given with the default of each key that is not; mappings that users name stay theirs."""
    completed = dict(given)
    for name, field in type(default).model_fields.items():
        key, own = _key(name, field, given), getattr(default, name)
        if key not in given:
            completed[key] = own
        elif isinstance(own, Part) and isinstance(given[key], Mapping):
            completed[key] = _completed(own, given[key])
    return completed


def _key(name: str, field: FieldInfo, given: Mapping[str, Any]) -> str:
    return field.alias if field.alias is not None and name not in given else name


class Requests(Part):
    """Processor time and memory of one pod."""

    cpu: Amount = "100m"
    """Processors."""
    memory: Amount = "128Mi"
    """Memory."""


class Resources(Part):
    """What a component's pod is given, and what it may take at most."""

    requests: Requests = Field(default_factory=Requests)
    """Kept free for it."""
    limits: Requests = Field(default_factory=lambda: Requests(cpu="1", memory="512Mi"))
    """More it does not get."""

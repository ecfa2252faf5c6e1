"""What all parts of ``swath.yaml`` share: unknown keys are refused, values never change after loading."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

__all__ = ["Amount", "DnsLabel", "DnsName", "Part"]

DnsLabel = Annotated[
    str, StringConstraints(pattern=r"^[a-z]([a-z0-9-]{0,30}[a-z0-9])?$", min_length=1, max_length=32)
]
"""A name that may be part of host names and namespaces (RFC 1123, section 2.1; 32 characters at most)."""

DnsName = Annotated[
    str,
    StringConstraints(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)+$", max_length=200
    ),
]
"""A domain of at least two labels, lower case."""

Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|[KMGT]i?)?$")]
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

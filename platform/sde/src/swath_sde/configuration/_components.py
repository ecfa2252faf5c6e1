"""The components of an installation: which there are, and how large."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from swath_sde.configuration._base import Amount, Part, Requests, Resources, text

__all__ = ["Component", "Components", "Hub", "Ingress", "Stored"]

_Namespace = Annotated[
    str,
    text(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "the name of a namespace, such as 'ingress-nginx'"),
]

_Class = Annotated[
    str, text(r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", "the name of an ingress class, such as 'nginx'")
]


def _size(cpu: str, memory: str, most_cpu: str, most_memory: str) -> Resources:
    return Resources(
        requests=Requests(cpu=cpu, memory=memory), limits=Requests(cpu=most_cpu, memory=most_memory)
    )


class Component(Part):
    """One component."""

    enabled: bool = True
    """Whether the installation has it."""
    resources: Resources = Field(default_factory=Resources)
    """What its pod is given."""


class Ingress(Component):
    """What ends TLS and leads each host name to its component."""

    kind: Literal["haproxy", "Ingress"] = "haproxy"
    """``haproxy``: a proxy of our own; ``Ingress``: objects for the controller that your cluster has."""
    class_name: _Class | None = Field(default=None, alias="class")
    """With ``kind: Ingress``, the class of the controller; by default the cluster's default."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """With ``kind: Ingress``, what its objects tell the controller: how large an upload may be, for one."""
    controller_namespace: _Namespace | None = None
    """With ``kind: Ingress``, the namespace of the controller's pods: network policies admit them."""

    @model_validator(mode="after")
    def _fits(self) -> Ingress:
        if self.kind == "Ingress" and self.controller_namespace is None:
            raise ValueError(
                "kind: Ingress needs `controller_namespace`: components admit no connections but from there"
            )
        if self.kind == "haproxy" and (self.class_name or self.annotations or self.controller_namespace):
            raise ValueError(
                "`class`, `annotations` and `controller_namespace` are those of another controller: leave "
                "them out, or set kind: Ingress"
            )
        return self


class Stored(Component):
    """A component that keeps data on a volume."""

    storage: Amount = "10Gi"
    """Size of its volume."""


class Hub(Component):
    """JupyterHub, which starts a JupyterLab or a code-server for each user."""

    resources: Resources = Field(default_factory=lambda: _size("100m", "256Mi", "1", "1Gi"))
    """What the hub's own pod is given."""
    profiles: Annotated[tuple[Literal["jupyterlab", "code-server"], ...], Field(min_length=1)] = (
        "jupyterlab",
        "code-server",
    )
    """What a user may choose from; the first is the default."""
    user_storage: Amount = "10Gi"
    """Size of each user's home volume."""
    user_resources: Resources = Field(default_factory=lambda: _size("100m", "512Mi", "2", "4Gi"))
    """What a user's pod is given."""
    idle_minutes: Annotated[int, Field(ge=5, le=7 * 24 * 60)] = 60
    """A user's server without activity for so long is stopped, an editor left open in a browser included."""
    max_age_hours: Annotated[int, Field(ge=1, le=30 * 24)] | None = None
    """A user's server is stopped at that age, whatever it does; by default, and at most, the age at which a
    session ends (``identity.sessions.max_hours``)."""

    @field_validator("profiles")
    @classmethod
    def _distinct(cls, profiles: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(profiles)) != len(profiles):
            raise ValueError("each profile may stand once")
        return profiles


class Components(Part):
    """All components."""

    ingress: Ingress = Field(default_factory=Ingress)
    """What ends TLS and knows the host names."""
    registry: Stored = Field(
        default_factory=lambda: Stored(storage="20Gi", resources=_size("100m", "64Mi", "1", "512Mi"))
    )
    """The OCI registry of the installation's images."""
    postgresql: Stored = Field(
        default_factory=lambda: Stored(storage="10Gi", resources=_size("100m", "128Mi", "1", "1Gi"))
    )
    """The database of Keycloak and JupyterHub."""
    keycloak: Component = Field(
        default_factory=lambda: Component(resources=_size("250m", "768Mi", "2", "1536Mi"))
    )
    """Single sign-on."""
    hub: Hub = Field(default_factory=Hub)
    """JupyterLab and code-server in the browser."""

    def enabled(self) -> list[str]:
        """Return the names of the enabled components, in the order in which they need one another."""
        return [name for name in type(self).model_fields if getattr(self, name).enabled]

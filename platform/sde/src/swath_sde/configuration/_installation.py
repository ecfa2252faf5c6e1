"""``swath.yaml`` as a whole: one installation of the platform."""

from __future__ import annotations

from ipaddress import IPv4Network  # noqa: TC003 -- pydantic reads the annotations
from pathlib import Path  # noqa: TC003
from typing import Annotated, Literal

from pydantic import Field, model_validator

from swath_sde.configuration._base import DnsLabel, DnsName, Part, text
from swath_sde.configuration._components import Components
from swath_sde.configuration._identity import Identity

__all__ = ["Images", "Installation", "Storage", "Tls", "Where"]


_Image = Annotated[str, text(r"^[a-z0-9][\w.:/@-]*$", "an image such as 'registry.example.org/kaniko:v1'")]

_Repository = Annotated[
    str,
    text(
        r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]+)?(/[a-z0-9._-]+)*$",
        "a host and a path without https://, such as 'registry.example.org/swath'",
    ),
]


class Where(Part):
    """Where the installation runs."""

    kind: Literal["embedded", "kubeconfig"] = "embedded"
    """``embedded``: a Kubernetes that Swath makes on this machine; ``kubeconfig``: a cluster of yours."""
    https_port: Annotated[int, Field(ge=1, le=65535)] = 8443
    """Port of all addresses; on the embedded cluster a loopback port of this machine."""
    kubeconfig: Path | None = None
    """File that leads to your cluster; a relative path counts from the folder of ``swath.yaml``."""
    context: str | None = None
    """Context in that file; by default its current one."""
    service: Literal["LoadBalancer", "NodePort", "ClusterIP"] = "LoadBalancer"
    """Type of our ingress's Service on a cluster of yours; the embedded one has a port of this machine."""
    dns: IPv4Network | None = None
    """Network where your cluster's DNS answers pods, if that is no pod of ``kube-system``: for a node-local
    cache ``169.254.20.10/32``. Network policies admit questions to it."""

    @model_validator(mode="after")
    def _fits(self) -> Where:
        if self.kind == "kubeconfig" and self.kubeconfig is None:
            raise ValueError("kind: kubeconfig needs the path of the file in `kubeconfig`")
        if self.kind == "embedded" and (self.kubeconfig or self.context or self.dns):
            raise ValueError(
                "kind: embedded makes its own cluster: leave out `kubeconfig`, `context` and `dns`"
            )
        if self.kind == "embedded" and not 8000 <= self.https_port <= 32767:
            raise ValueError(f"https_port is {self.https_port}; the embedded cluster takes 8000 to 32767")
        return self


class Tls(Part):
    """The certificates of all addresses."""

    issuer: Literal["private-ca"] = "private-ca"
    """A certificate authority of the installation's own, which every component trusts."""
    validity_days: Annotated[int, Field(ge=1, le=397)] = 397
    """A certificate is good for so long; it is renewed when less than 30 days, or a third, are left."""


class Images(Part):
    """Where the images come from."""

    source: Literal["build"] = "build"
    """``build``: from the Dockerfiles of this project, on a base of Debian packages."""
    builder: Literal["buildah", "kaniko", "buildkit"] = "buildah"
    """What builds them: ``buildah``, on this machine or in the cluster; ``kaniko``, in a cluster that
    can pull its image; ``buildkit``, in a cluster as an ordinary user."""
    place: Literal["machine", "cluster"] | None = None
    """Where they are built: on this ``machine``, or in the ``cluster``, as Jobs that push what they build.
    By default `buildah` builds on the machine, `kaniko` and `buildkit` in the cluster, their only place."""
    executor: _Image | None = None
    """Image that builds in the cluster; by default kaniko's maintained fork, or an image of our own, which is
    built on the machine."""
    registry: _Repository | None = None
    """Registry and path to push to; by default the installation's own."""
    login: Path | None = None
    """File with the login for ``registry`` (name and password), as ``buildah login --authfile`` writes it; a
    relative path counts from the folder of ``swath.yaml``. The cluster gets it as pull secrets."""
    authority: Path | None = None
    """Certificates (PEM) that ``registry`` is verified against, where the system does not trust it."""

    @property
    def in_cluster(self) -> bool:
        """Whether images are built as Jobs in the cluster."""
        return self.place == "cluster" or (self.place is None and self.builder != "buildah")

    @model_validator(mode="after")
    def _fits(self) -> Images:
        if self.builder != "buildah" and self.place == "machine":
            raise ValueError(
                f"builder: {self.builder} builds in a cluster only: leave out `place`, or take buildah"
            )
        if self.registry is None and (self.login or self.authority):
            raise ValueError("login and authority are those of another registry: name it in `registry`")
        if self.registry is not None and self.login is None:
            raise ValueError("registry needs `login`: the file with the name and password to push with")
        return self


class Storage(Part):
    """Where volumes come from."""

    storage_class: str | None = Field(default=None, alias="class")
    """Storage class of all volumes; by default the cluster's default."""


class Installation(Part):
    """One installation of the platform, as ``swath.yaml`` describes it."""

    version: Literal[1] = 1
    """Version of this format."""
    name: DnsLabel = "swath"
    """Name of the installation, and the first part of the names of its namespaces."""
    domain: DnsName = "swath.localhost"
    """Every component's host is below it. Browsers lead names below ``localhost`` to their own machine."""
    where: Where = Field(default_factory=Where)
    """The cluster."""
    tls: Tls = Field(default_factory=Tls)
    """The certificates."""
    images: Images = Field(default_factory=Images)
    """The images."""
    storage: Storage = Field(default_factory=Storage)
    """The volumes."""
    components: Components = Field(default_factory=Components)
    """The components: which there are, and how large."""
    identity: Identity = Field(default_factory=Identity)
    """Users, groups and roles."""

    @model_validator(mode="after")
    def _needs_met(self) -> Installation:
        enabled = set(self.components.enabled())
        for component, needed in (
            ("keycloak", {"postgresql", "ingress"}),
            ("hub", {"keycloak", "postgresql", "ingress"}),
            ("registry", {"ingress"}),
        ):
            if component in enabled and (missing := needed - enabled):
                raise ValueError(
                    f"components.{component} needs {', '.join(sorted(missing))}: enable that, too, or "
                    f"disable {component}"
                )
        if self.images.registry is None and "registry" not in enabled:
            raise ValueError("components.registry is disabled, and images.registry names no other: give one")
        if self.where.kind == "kubeconfig" and self.images.registry is None:
            raise ValueError(
                "images.registry is not given: a cluster of yours pulls all images, the registry's own among "
                "them, from a registry that runs already; name it, and its login"
            )
        if self.where.kind == "embedded" and self.components.ingress.kind == "Ingress":
            raise ValueError(
                "components.ingress.kind is Ingress, but the embedded cluster has no other controller, and "
                "its port leads to our own: leave it out, or name a cluster of yours in `where`"
            )
        age, session = self.components.hub.max_age_hours, self.identity.sessions.max_hours
        if age is not None and age > session:
            raise ValueError(
                f"components.hub.max_age_hours is {age}, but a session, and every server with it, ends after "
                f"{session} hours (identity.sessions.max_hours): set it to {session} at most, or let "
                "sessions last longer"
            )
        return self

    def namespace(self, component: str) -> str:
        """Return the namespace of a component."""
        return f"{self.name}-{component}"

    def host(self, component: str) -> str:
        """Return the host name of a component, without port."""
        return f"{component}.{self.domain}"

    def url(self, component: str) -> str:
        """Return the address of a component, without a slash at its end."""
        port = "" if self.where.https_port == 443 else f":{self.where.https_port}"
        return f"https://{self.host(component)}{port}"

    @property
    def server_hours(self) -> int:
        """Age in hours at which a user's server is stopped."""
        return self.components.hub.max_age_hours or self.identity.sessions.max_hours

    @property
    def issuer(self) -> str:
        """Issuer of the realm's tokens."""
        return f"{self.url('keycloak')}/realms/{self.identity.realm}"

    @property
    def image_registry(self) -> str:
        """Registry and path that images are pushed to, as it stands before an image's name."""
        return self.images.registry or f"{self.url('registry').removeprefix('https://')}/{self.name}"

"""What one cluster is: fixed when it is first made, read by every process of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from swath_sde.cluster._layout import Layout
from swath_sde.cluster.errors import NodeError

__all__ = [
    "CLUSTER_DOMAIN", "DNS_ADDRESS", "GATEWAY", "NODE_ADDRESS", "POD_NETWORK", "SERVICE_ADDRESS",
    "SERVICE_NETWORK", "Settings",
]  # fmt: skip

NODE_ADDRESS = "10.0.2.100"
"""The node's address: slirp4netns always gives this one, in each cluster's own network namespace."""
GATEWAY = "10.0.2.3"
"""Name server that slirp4netns offers: it asks that of the machine."""
POD_NETWORK = "10.244.0.0/16"
SERVICE_NETWORK = "10.96.0.0/16"
SERVICE_ADDRESS = "10.96.0.1"
"""Address of the API server as pods see it: the first of the services' network."""
DNS_ADDRESS = "10.96.0.10"
CLUSTER_DOMAIN = "cluster.local"


@dataclass(frozen=True, slots=True)
class Settings:
    """One cluster's settings."""

    name: str
    """Name of the installation, and of the node."""
    domain: str
    """Names below it lead to the ingress."""
    https_port: int
    """Port of the ingress, the same on this machine's loopback and in the cluster."""
    api_port: int
    """Port of the API server on this machine's loopback."""
    issuer: str
    """Issuer of the users' tokens (OIDC)."""
    ingress_namespace: str
    """Namespace of the Service ``ingress``."""
    state: str
    """The state folder."""
    programs: str
    """Folder with the programs of this version."""
    python: str
    """The Python that runs the supervisor."""
    policies: bool = True
    """Whether the kernel can do what the enforcement of NetworkPolicies needs."""

    @property
    def identity(self) -> str:
        """A name for things of the whole machine (cgroups, sockets): two clusters never share it."""
        digest = hashlib.sha256(self.state.encode()).hexdigest()[:8]
        return f"{self.name}-{digest}"

    @property
    def layout(self) -> Layout:
        """Where its files are."""
        return Layout(Path(self.state), self.identity)

    def text(self) -> str:
        """Return the settings as JSON."""
        return json.dumps(asdict(self), indent=2) + "\n"

    @classmethod
    def read(cls, path: Path) -> Settings:
        """Return the settings in a file.

        What an older version did not write is empty, and what it wrote more is left out: its node can be
        stopped.

        Raises
        ------
        NodeError
            The file is damaged.
        """
        try:
            written = dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise NodeError(
                f"{path} cannot be read ({error}): remove it, then `swath cluster up` makes it anew; "
                "data stays"
            ) from None
        return cls.of(written)

    @classmethod
    def of(cls, written: dict[str, Any]) -> Settings:
        """Return settings of which some may be missing: those are empty."""
        empty: dict[str, Any] = {"https_port": 0, "api_port": 0, "policies": True}
        values = {item.name: written.get(item.name, empty.get(item.name, "")) for item in fields(cls)}
        return cls(**values)

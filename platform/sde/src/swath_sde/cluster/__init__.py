"""The embedded cluster: a Kubernetes of one node on this machine, from package registries alone."""

from swath_sde.cluster._binaries import helm_binary, kubectl_binary
from swath_sde.cluster._cluster import STOPPED, EmbeddedCluster
from swath_sde.cluster._settings import NODE_ADDRESS
from swath_sde.cluster.errors import BuildError, NodeError, NoRoomError, NotPossibleError

__all__ = [
    "NODE_ADDRESS",
    "STOPPED",
    "BuildError",
    "EmbeddedCluster",
    "NoRoomError",
    "NodeError",
    "NotPossibleError",
    "helm_binary",
    "kubectl_binary",
]

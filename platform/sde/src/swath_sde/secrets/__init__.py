"""What must be in the cluster before any component: namespaces, trust, and secrets made in the cluster."""

from swath_sde.secrets._apply import apply_secrets, plan_secrets, read_secret, remove_namespaces
from swath_sde.secrets._desired import namespaces
from swath_sde.secrets._login import registry_login

__all__ = [
    "apply_secrets",
    "namespaces",
    "plan_secrets",
    "read_secret",
    "registry_login",
    "remove_namespaces",
]

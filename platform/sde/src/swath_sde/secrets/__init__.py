"""What must be in the cluster before any component: namespaces, trust, and secrets made in the cluster."""

from swath_sde.secrets._apply import apply_secrets, plan_secrets, read_secret, remove_namespaces

__all__ = ["apply_secrets", "plan_secrets", "read_secret", "remove_namespaces"]

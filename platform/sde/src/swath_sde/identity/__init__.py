"""Single sign-on as ``swath.yaml`` describes it: the realm in Keycloak, and who may do what everywhere."""

from swath_sde.identity._declared import Client, Mapper, SecretPlace, declared_clients
from swath_sde.identity._desired import MARK, DesiredRealm, desired_realm
from swath_sde.identity._kubeconfig import user_kubeconfig
from swath_sde.identity._kubernetes import PREFIX, kubernetes_access, team_namespaces
from swath_sde.identity._matrix import HubAccess, describe_matrix, hub_access, keycloak_access
from swath_sde.identity._reconcile import apply_identity, plan_identity
from swath_sde.identity._server import Administration
from swath_sde.identity.errors import (
    AdministrationRefusedError,
    ForeignObjectError,
    IdentityError,
    UnreachableError,
    UntrustedError,
)
from swath_sde.identity.secrets import FIRST_PASSWORDS, ClusterSecrets, Secrets, new_password

__all__ = [
    "FIRST_PASSWORDS",
    "MARK",
    "PREFIX",
    "Administration",
    "AdministrationRefusedError",
    "Client",
    "ClusterSecrets",
    "DesiredRealm",
    "ForeignObjectError",
    "HubAccess",
    "IdentityError",
    "Mapper",
    "SecretPlace",
    "Secrets",
    "UnreachableError",
    "UntrustedError",
    "apply_identity",
    "declared_clients",
    "describe_matrix",
    "desired_realm",
    "hub_access",
    "keycloak_access",
    "kubernetes_access",
    "new_password",
    "plan_identity",
    "team_namespaces",
    "user_kubeconfig",
]

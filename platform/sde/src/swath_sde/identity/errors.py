"""The errors of identity: each says what to do about it."""

from __future__ import annotations

from swath_sde.errors import ConfigurationError, PlatformError

__all__ = [
    "AdministrationRefusedError",
    "ForeignObjectError",
    "IdentityError",
    "UnreachableError",
    "UntrustedError",
]


class IdentityError(PlatformError):
    """Keycloak refused something, or a secret that identity needs is not there."""


class UnreachableError(IdentityError):
    """Keycloak does not answer, or answers that it is not ready."""


class UntrustedError(IdentityError):
    """Keycloak's certificate is not one of the installation's."""


class AdministrationRefusedError(IdentityError):
    """The administrator's name or password is wrong, or the account may not do what is needed."""


class ForeignObjectError(ConfigurationError, IdentityError):
    """``swath.yaml`` names objects that exist in Keycloak already and that Swath did not make."""

"""Where identity takes its secrets from: clients' secrets, and first passwords that it makes and keeps."""

from __future__ import annotations

import base64
import secrets
import string
from typing import TYPE_CHECKING, Protocol

from kubernetes.client import V1ObjectMeta, V1Secret
from kubernetes.client.exceptions import ApiException

from swath_sde.identity.errors import IdentityError

if TYPE_CHECKING:
    from kubernetes.client import CoreV1Api

    from swath_sde.configuration import PasswordPolicy
    from swath_sde.identity._declared import SecretPlace

__all__ = ["FIRST_PASSWORDS", "ClusterSecrets", "Secrets", "new_password"]

FIRST_PASSWORDS = "initial-passwords"
"""Secret in Keycloak's namespace: user name → first password."""

_MARKS = "-_.+="


class Secrets(Protocol):
    """A keeper of secrets."""

    def read(self, place: SecretPlace) -> str:
        """Return the secret that is kept at a place."""

    def first_password(self, username: str, policy: PasswordPolicy) -> str:
        """Return the first password of a user; one that is made now is kept before it is returned."""

    def forget(self, username: str) -> None:
        """Remove the first password of a user who is no more."""


class ClusterSecrets:
    """Secrets of the cluster itself: nothing is written anywhere else."""

    def __init__(self, api: CoreV1Api, namespace: str) -> None:
        """Keep first passwords in Keycloak's ``namespace``."""
        self._api = api
        self._namespace = namespace

    def read(self, place: SecretPlace) -> str:
        """Return the secret that is kept at a place.

        Raises
        ------
        IdentityError
            There is no such Secret, or no such key in it.
        """
        found = self._data(place.namespace, place.name).get(place.key)
        if not found:
            raise IdentityError(
                f"The Secret {place.name!r} in the namespace {place.namespace!r} has no {place.key!r}, which "
                "Keycloak needs. `swath apply` makes those of the components; that of an identity provider "
                "you make yourself."
            )
        return base64.b64decode(found).decode()

    def first_password(self, username: str, policy: PasswordPolicy) -> str:
        """Return the first password of a user; one that is made now is kept before it is returned."""
        found = self._data(self._namespace, FIRST_PASSWORDS).get(username)
        if found:
            return base64.b64decode(found).decode()
        password = new_password(policy)
        self._merge(username, password)
        # Where two make one at the same time the last stays: what is kept counts, not what was made.
        return base64.b64decode(self._data(self._namespace, FIRST_PASSWORDS)[username]).decode()

    def forget(self, username: str) -> None:
        """Remove the first password of a user who is no more."""
        if username in self._data(self._namespace, FIRST_PASSWORDS):
            self._merge(username, None)

    def _data(self, namespace: str, name: str) -> dict[str, str]:
        try:
            secret = self._api.read_namespaced_secret(name, namespace)
        except ApiException as error:
            if error.status == 404:
                return {}
            raise IdentityError(
                f"The Secret {name!r} in the namespace {namespace!r} cannot be read: "
                f"{error.status} {error.reason}."
            ) from None
        return {key: str(value) for key, value in (secret.data or {}).items()}

    def _merge(self, username: str, password: str | None) -> None:
        content = {"stringData": {username: password}} if password else {"data": {username: None}}
        try:
            self._api.patch_namespaced_secret(FIRST_PASSWORDS, self._namespace, content)
        except ApiException as error:
            if error.status != 404:
                raise IdentityError(
                    f"The first password of {username!r} cannot be kept in the Secret {FIRST_PASSWORDS!r}, "
                    f"namespace {self._namespace!r}: {error.status} {error.reason}. The user was not made."
                ) from None
        else:
            return
        labels = {"app.kubernetes.io/part-of": "swath", "app.kubernetes.io/managed-by": "swath"}
        made = V1Secret(
            metadata=V1ObjectMeta(name=FIRST_PASSWORDS, labels=labels),
            string_data={username: password} if password else {},
        )
        try:
            self._api.create_namespaced_secret(self._namespace, made)
        except ApiException as error:
            if error.status == 409:  # somebody made it just now
                self._merge(username, password)
                return
            raise IdentityError(
                f"The Secret {FIRST_PASSWORDS!r} cannot be made in the namespace {self._namespace!r}: "
                f"{error.status} {error.reason}. The user was not made."
            ) from None


def new_password(policy: PasswordPolicy) -> str:
    """Return a random password that a policy accepts: letters, digits and marks, 20 characters or more."""
    letters = string.ascii_letters + string.digits + _MARKS
    length = max(20, policy.length)
    while True:
        made = "".join(secrets.choice(letters) for _ in range(length))
        if all(
            set(made) & set(part) for part in (string.ascii_lowercase, string.ascii_uppercase, string.digits)
        ):
            return made

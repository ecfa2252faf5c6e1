"""What ``swath up`` ends with: addresses, who can log in, and where the passwords are."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import click

from swath_sde.cluster import kubectl_binary
from swath_sde.objects import kubeconfig_of
from swath_sde.places import typed
from swath_sde.trust import installation_authority

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["summary"]

_ADDRESSES = (
    ("hub", "JupyterLab and code-server"),
    ("keycloak", "users and sessions (administration)"),
    ("registry", "images"),
)


def summary(installation: Installation, seconds: float) -> str:
    """Return the last words: no secret is among them, only where each is kept."""
    enabled = installation.components.enabled()
    lines = [click.style(f"\n{installation.name} is up ({seconds:.0f} s)", bold=True)]
    addresses = {
        f"{installation.url(component)}/": what for component, what in _ADDRESSES if component in enabled
    }
    lines += [f"  {address:<{max(map(len, addresses))}}  {what}" for address, what in addresses.items()]
    if "keycloak" in enabled:
        lines.append(click.style("\nWho can log in", bold=True))
        lines += [
            f"  {user.username:<12} {', '.join(user.groups) or 'no group'}"
            for user in installation.identity.users
        ]
        lines.append(f"  first password of a user:  {_password(installation, 'developer')}")
    lines.append(click.style("\nGood to know", bold=True))
    lines.append(f"  certificates are signed by  {installation_authority(installation).path}")
    lines.append("  (a browser asks once whether to trust it; import it to be asked no more)")
    lines.append(f"  {typed('status')}    # how each component is")
    lines.append(f"  {typed('plan')}      # what differs from swath.yaml")
    lines.append(f"  {typed('down')}      # stop all of it; the data stays")
    return "\n".join(lines)


def _password(installation: Installation, otherwise: str) -> str:
    """Return the command that shows a user's first password."""
    users = installation.identity.users
    name = next((user.username for user in users if user.username != "admin"), otherwise)
    words = [
        str(kubectl_binary()),
        "--kubeconfig",
        str(kubeconfig_of(installation)),
        "--namespace",
        installation.namespace("keycloak"),
        "get",
        "secret",
        "initial-passwords",
        "--output",
        f'go-template={{{{index .data "{name}" | base64decode}}}}',
    ]
    return shlex.join(words)

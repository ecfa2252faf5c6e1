"""The way to an installation's cluster: whose kubeconfig, which context."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from swath_sde.errors import ClusterError, ConfigurationError
from swath_sde.objects._client import Objects
from swath_sde.places import state_folder, typed

if TYPE_CHECKING:
    from pathlib import Path

    from swath_sde.configuration import Installation

__all__ = ["kubeconfig_of", "objects_of"]


def kubeconfig_of(installation: Installation) -> Path:
    """Return the file that leads to the installation's cluster.

    Raises
    ------
    ClusterError
        There is none: the embedded cluster was never started.
    ConfigurationError
        The file of your own cannot be read, or has no such context.
    """
    where = installation.where
    if where.kubeconfig is not None:
        _refuse_what_leads_nowhere(where.kubeconfig, where.context)
        return where.kubeconfig
    own = state_folder(installation.name) / "kubeconfig"
    if not own.is_file():
        raise ClusterError(
            f"the embedded cluster {installation.name} is not there yet: `{typed('up')}` brings all of it "
            f"up, `{typed('cluster', 'up')}` the cluster alone"
        )
    return own


def _refuse_what_leads_nowhere(kubeconfig: Path, context: str | None) -> None:
    """Refuse a kubeconfig here, and in one way: Helm takes an empty one for a cluster on localhost."""
    named = f"where.kubeconfig names {kubeconfig}"
    try:
        content = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(
            f"{named}, which is not there: give the file that leads to your cluster"
        ) from None
    except OSError as error:
        raise ConfigurationError(
            f"{named}, which cannot be read ({error.strerror}): give a file that you may read"
        ) from None
    except (yaml.YAMLError, UnicodeDecodeError):
        content = None
    contexts = _names(content, "contexts")
    if not contexts:
        raise ConfigurationError(
            f"{named}, which is no kubeconfig with a context: `kubectl config view --minify --flatten` "
            "writes one"
        )
    chosen = context or content.get("current-context")
    if chosen not in contexts:
        said = f"where.context is {context!r}" if context else f"its current-context is {chosen!r}"
        raise ConfigurationError(
            f"{named}, where {said}; contexts there are {', '.join(contexts)}: set where.context to one"
        )


def _names(content: Any, kind: str) -> list[str]:
    """Return the names of a kubeconfig's contexts, in its order; none where it is no kubeconfig."""
    found = content.get(kind) if isinstance(content, dict) else None
    return [one["name"] for one in found or () if isinstance(one, dict) and isinstance(one.get("name"), str)]


def objects_of(installation: Installation) -> Objects:
    """Return the objects of the installation's cluster.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    ConfigurationError
        The kubeconfig is refused.
    """
    return Objects(kubeconfig_of(installation), installation.where.context)

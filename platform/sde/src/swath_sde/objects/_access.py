"""The way to an installation's cluster: whose kubeconfig, which context."""

from __future__ import annotations

from typing import TYPE_CHECKING

from swath_sde.errors import ClusterError
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
        There is none: the embedded cluster was never started, or the file of your own is not there.
    """
    where = installation.where
    if where.kubeconfig is not None:
        if not where.kubeconfig.is_file():
            raise ClusterError(
                f"where.kubeconfig names {where.kubeconfig}, which is no file: give the file that leads to "
                "your cluster"
            )
        return where.kubeconfig
    own = state_folder(installation.name) / "kubeconfig"
    if not own.is_file():
        raise ClusterError(
            f"the embedded cluster {installation.name} is not there yet: "
            f"start it with `{typed('cluster', 'up')}`"
        )
    return own


def objects_of(installation: Installation) -> Objects:
    """Return the objects of the installation's cluster.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    """
    return Objects(kubeconfig_of(installation), installation.where.context)

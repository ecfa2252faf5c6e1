"""The parts of an installation, planned and applied the same way as by ``swath plan`` and ``swath apply``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.swath.sde.plugins.module_utils.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.swath.sde.plugins.module_utils.report import Progress

__all__ = ["no_cluster", "no_release", "of_part"]


def of_part(name: str, *, lacks: Callable[[Any], str] = lambda _installation: "") -> Work:
    """Return the work of one part of `swath_sde.reconcile.PARTS`."""
    from swath_sde.reconcile import apply_installation, plan_installation  # noqa: PLC0415 -- as in work.py

    def apply(installation: Any, progress: Progress) -> list[Any]:
        # The part's own name stands before what is told; a reader has it from the task.
        return apply_installation(
            installation, [name], progress=lambda text: progress(text.removeprefix(f"{name}: "))
        )

    return Work(plan=lambda it: plan_installation(it, [name]), apply=apply, lacks=lacks)


def no_cluster(installation: Any) -> str:
    """Return ``the cluster`` while an embedded cluster does not run, else nothing."""
    if installation.where.kind != "embedded":
        return ""
    from swath_sde.cluster import EmbeddedCluster  # noqa: PLC0415 -- as in work.py

    return "the cluster" if EmbeddedCluster(installation).status().state in ("absent", "stopped") else ""


def no_release(component: str) -> Callable[[Any], str]:
    """Return a function that names a component while the cluster does not have it."""

    def lacking(installation: Any) -> str:
        from swath_sde.releases import release_status  # noqa: PLC0415 -- as in work.py

        if found := no_cluster(installation):
            return found
        return component if release_status(installation, component).status == "absent" else ""

    return lacking

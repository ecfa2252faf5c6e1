"""The parts of an installation, planned and applied the same way as by ``swath plan`` and ``swath apply``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible_collections.swath.sde.plugins.module_utils.work import Work

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.swath.sde.plugins.module_utils.report import Progress

__all__ = ["build", "delivery", "no_cluster", "no_release", "realm", "release", "secrets", "start"]

# Each function imports what its part needs and no more: a module starts a Python of its own, and all of the
# platform takes that seconds to load. What they call is what `swath_sde.reconcile` calls for the same part.


def start() -> Work:
    """Return the work of the embedded cluster."""
    from swath_sde.changes import pending  # noqa: PLC0415 -- see above
    from swath_sde.cluster import EmbeddedCluster  # noqa: PLC0415

    def apply(installation: Any, progress: Progress) -> list[Any]:
        cluster = EmbeddedCluster(installation)
        changes = pending(cluster.plan())
        cluster.up(progress)
        return changes

    return Work(plan=lambda it: EmbeddedCluster(it).plan(), apply=apply)


def build() -> Work:
    """Return the work of building all images."""
    from swath_sde.changes import pending  # noqa: PLC0415 -- see above
    from swath_sde.delivery import build_on_machine, plan_on_machine  # noqa: PLC0415

    def apply(installation: Any, progress: Progress) -> list[Any]:
        changes = pending(plan_on_machine(installation))

        def tell(step: Any) -> None:
            if step.state == "kept":
                return
            left = f", about {step.left:.0f} s left" if step.left else ""
            progress(f"{step.done} of {step.total} images; {step.image} {step.state}{left}")

        build_on_machine(installation, tell)
        return changes

    return Work(plan=plan_on_machine, apply=apply)


def secrets() -> Work:
    """Return the work of certificates and generated secrets."""
    from swath_sde.secrets import apply_secrets, plan_secrets  # noqa: PLC0415 -- see above

    return Work(
        plan=plan_secrets, apply=lambda it, _progress: apply_secrets(it), name="secrets", lacks=no_cluster
    )


def delivery(*, first: bool) -> Work:
    """Return the work of bringing images to the cluster: the first two into its own store, or all others."""
    from swath_sde.delivery import deliver, import_first, plan_delivery, plan_first  # noqa: PLC0415 -- see above

    if first:
        return Work(
            plan=plan_first,
            apply=lambda it, _progress: import_first(it),
            name="first-images",
            lacks=no_cluster,
        )
    lacking = no_release("registry")
    return Work(
        plan=plan_delivery,
        apply=deliver,
        name="delivery",
        # Another registry than the installation's own runs already.
        lacks=lambda it: lacking(it) if it.images.registry is None else "",
    )


def release(component: str) -> Work:
    """Return the work of a component's Helm release."""
    from swath_sde.releases import apply_release, plan_release  # noqa: PLC0415 -- see above

    return Work(
        plan=lambda it: plan_release(it, component),
        apply=lambda it, progress: apply_release(it, component, progress=progress),
        name=component,
        lacks=no_cluster,
    )


def realm() -> Work:
    """Return the work of the realm."""
    from swath_sde.realm import apply_realm, plan_realm  # noqa: PLC0415 -- see above

    return Work(
        plan=plan_realm,
        apply=lambda it, progress: apply_realm(it, progress=progress),
        name="realm",
        lacks=no_release("keycloak"),
    )


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

"""The whole installation: its plan in one list, and applying it in the order that parts need one another."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from swath_sde.changes import Action, Change, pending
from swath_sde.cluster import STOPPED, EmbeddedCluster, NoRoomError, NotPossibleError
from swath_sde.delivery import (
    FIRST,
    build_on_machine,
    deliver,
    import_first,
    imported,
    plan_delivery,
    plan_first,
    plan_on_machine,
)
from swath_sde.errors import ClusterError, ConfigurationError, PlatformError
from swath_sde.objects import objects_of
from swath_sde.places import typed
from swath_sde.realm import apply_realm, plan_realm, remove_access
from swath_sde.releases import (
    ReleaseStatus,
    apply_release,
    plan_release,
    release_status,
    remove_release,
)
from swath_sde.secrets import apply_secrets, plan_secrets, remove_namespaces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from swath_sde.configuration import Installation
    from swath_sde.images import Step

    _Apply = Callable[[Installation, Callable[[str], None]], list[Change]]

__all__ = [
    "PARTS",
    "Part",
    "apply_installation",
    "obstacle_of",
    "plan_installation",
    "refuse_a_full_disk",
    "remarks_of",
    "remove_installation",
    "status_of",
]

PARTS = (
    "images",
    "cluster",
    "secrets",
    "first-images",
    "ingress",
    "registry",
    "delivery",
    "postgresql",
    "keycloak",
    "realm",
    "hub",
)
"""The parts of an installation, in the order in which they need one another."""


_NEEDS = {"images": "", "delivery": "registry", "realm": "keycloak"}
"""What a part is compared with, where that is not the cluster."""

_WHOLE = {"cluster", "Helm release"}
"""Kinds of changes which say that a part is not there at all, if it is created."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part of an installation."""

    name: str
    """One of ``PARTS``."""
    plan: Callable[[], list[Change]]
    """Returns what ``apply`` would change."""
    apply: Callable[[Callable[[str], None]], list[Change]]
    """Changes it, telling what is waited for, and returns what was changed."""


def plan_installation(installation: Installation, only: Sequence[str] = ()) -> list[Change]:
    """Return what differs between an installation and its description, in the order of application.

    Raises
    ------
    ConfigurationError
        ``only`` names what is no part of this installation.
    PlatformError
        A part cannot be looked at.
    """
    changes: list[Change] = []
    absent: set[str] = set()
    parts = list(_parts(installation, only))
    _refuse_a_stopped_cluster(installation, parts)
    for part in parts:
        if _NEEDS.get(part.name, "cluster") in absent:
            # What it would be compared with is not there yet: all of it is to be created.
            changes.append(Change("part", part.name, Action.CREATE))
            absent.add(part.name)
            continue
        if unseen := _why_unseen(part.name, changes):
            changes.append(Change("part", part.name, Action.UPDATE, (f"looked at when {unseen}",)))
            continue
        with _a_full_disk_is_told(installation):
            found = part.plan()
        changes += found
        if any(change.action is Action.CREATE and change.kind in _WHOLE for change in found):
            absent.add(part.name)
    return changes


def apply_installation(
    installation: Installation, only: Sequence[str] = (), *, progress: Callable[[str], None]
) -> list[Change]:
    """Make an installation what its description says, and return what was changed.

    Parameters
    ----------
    installation
        The description.
    only
        Names of parts; by default all.
    progress
        Told what is being done.

    Raises
    ------
    ConfigurationError
        ``only`` names what is no part of this installation.
    NotPossibleError
        The embedded cluster cannot start here; nothing was changed.
    PlatformError
        A part cannot be made; those before it are, and a second call goes on there.
    """
    parts = list(_parts(installation, only))
    if any(part.name == "cluster" for part in parts):
        _refuse_what_cannot_start(installation)
    _refuse_a_stopped_cluster(installation, parts)
    done: list[Change] = []
    for part in parts:
        progress(part.name)

        def tell(what: str, name: str = part.name) -> None:
            progress(f"{name}: {what.removeprefix(f'{name}: ')}")

        with _a_full_disk_is_told(installation):
            done += pending(part.apply(tell))
    return done


def status_of(installation: Installation) -> list[ReleaseStatus]:
    """Return how each component is; where the embedded cluster does not run, that is what all of them are.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    ConfigurationError
        Its kubeconfig is refused.
    """
    components = installation.components.enabled()
    if (idle := _idle(installation)) is not None:
        return [ReleaseStatus(one, revision=0, status=idle, ready=0, wanted=0) for one in components]
    with _a_full_disk_is_told(installation):
        objects_of(installation)  # that a cluster cannot be reached is told before Helm tells it in its way
        return [release_status(installation, component) for component in components]


def _idle(installation: Installation) -> str | None:
    return EmbeddedCluster(installation).idle if installation.where.kind == "embedded" else None


def obstacle_of(installation: Installation) -> str:
    """Return what keeps all components from working, a disk that is full, with what to do; else nothing."""
    return EmbeddedCluster(installation).shortage() if installation.where.kind == "embedded" else ""


def refuse_a_full_disk(installation: Installation) -> None:
    """Refuse what cannot end well.

    Raises
    ------
    NoRoomError
        A disk of the embedded cluster's data is full.
    """
    if full := obstacle_of(installation):
        raise NoRoomError(full)


def remarks_of(installation: Installation) -> list[str]:
    """Return what an administrator should know of what the components stand on.

    That is an embedded cluster that does not run, with what starts it, or volumes above their size.
    """
    if installation.where.kind != "embedded":
        return []
    idle = _idle(installation)
    if idle == "absent":
        return [f"nothing is installed: `{typed('up')}` brings it up"]
    if idle == "stopped":
        return [f"the cluster is stopped, its data kept: `{typed('up')}` starts it again"]
    return EmbeddedCluster(installation).oversized()


@contextmanager
def _a_full_disk_is_told(installation: Installation) -> Iterator[None]:
    """Tell the cause where a disk of the embedded cluster is full: what fails then, fails in many ways."""
    try:
        yield
    except NoRoomError:
        raise
    except PlatformError as error:
        full = obstacle_of(installation)
        if full and full not in str(error):
            error.add_note(full)
        raise


def remove_installation(installation: Installation, *, data: bool) -> list[Change]:
    """Stop an installation: the embedded cluster stops, on a cluster of yours the releases are removed.

    Parameters
    ----------
    installation
        What is to go.
    data
        Whether its volumes, secrets and everything else that it keeps go, too.

    Raises
    ------
    PlatformError
        Something does not go.
    """
    if installation.where.kind == "embedded":
        cluster = EmbeddedCluster(installation)
        if data:
            there = cluster.made
            cluster.reset()
            return [Change("embedded cluster", installation.name, Action.DELETE if there else Action.NONE)]
        # Also where it does not run: what a killed node has left goes, too.
        stopped = cluster.down()
        action = Action.UPDATE if stopped else Action.NONE
        return [Change("embedded cluster", installation.name, action, ("running → stopped, data kept",))]
    changes = [
        change
        for component in reversed(installation.components.enabled())
        for change in remove_release(installation, component)
    ]
    if data:
        changes += remove_access(installation) + remove_namespaces(installation)
    return changes


def _refuse_what_cannot_start(installation: Installation) -> None:
    """Refuse before images are built for a cluster that could not start."""
    cluster = EmbeddedCluster(installation)
    if cluster.status().state in {"absent", "stopped"} and (found := cluster.findings()):
        raise NotPossibleError(found)


def _refuse_a_stopped_cluster(installation: Installation, parts: Sequence[Part]) -> None:
    """Refuse parts that are looked at in a cluster which is there, does not run, and is not to be started."""
    names = {part.name for part in parts}
    if "cluster" not in names and names - {"images"} and _idle(installation) == "stopped":
        raise ClusterError(
            f"the embedded cluster {installation.name} is stopped: start it with `{typed('up')}`, or leave "
            "--only out"
        )


def _why_unseen(name: str, changes: Sequence[Change]) -> str:
    """Return what has to be before a part can be compared, by the changes before it; '' where it can."""
    for change in changes:
        if change.kind == "cluster" and STOPPED in change.details and name != "images":
            return "the cluster runs"
        renewed = change.name.endswith("/ingress-tls") and change.action is Action.UPDATE
        if renewed and name in {"delivery", "realm"}:
            return "the certificate of all addresses is renewed"
    return ""


def _names(installation: Installation, only: Sequence[str]) -> list[str]:
    enabled = set(installation.components.enabled())
    there = [
        name
        for name in PARTS
        if name in {"secrets", "images", "delivery"}
        or name in enabled
        or (name == "cluster" and installation.where.kind == "embedded")
        or (name == "first-images" and any(imported(installation, one) for one in FIRST))
        or (name == "realm" and "keycloak" in enabled)
    ]
    if installation.images.registry is not None:
        # Another registry runs already, and all that comes after is pulled from it.
        there.remove("delivery")
        there.insert(there.index("secrets") + 1, "delivery")
    for name in only:
        if name not in there:
            near = get_close_matches(name, there, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"parts are {', '.join(there)}"
            raise ConfigurationError(f"this installation has no part {name!r}; {hint}")
    return [name for name in there if not only or name in only]


def _parts(installation: Installation, only: Sequence[str]) -> Iterator[Part]:
    for name in _names(installation, only):
        yield _part(installation, name)


def _part(installation: Installation, name: str) -> Part:
    known: dict[str, tuple[Callable[[Installation], list[Change]], _Apply]] = {
        "images": (plan_on_machine, _build),
        "cluster": (lambda _: EmbeddedCluster(installation).plan(), _start),
        "secrets": (plan_secrets, lambda _, __: apply_secrets(installation)),
        "first-images": (plan_first, lambda _, __: import_first(installation)),
        "delivery": (plan_delivery, deliver),
        "realm": (plan_realm, lambda _, tell: apply_realm(installation, progress=tell)),
    }
    plan, apply = known.get(name) or (
        lambda _: plan_release(installation, name),
        lambda _, tell: apply_release(installation, name, progress=tell),
    )
    return Part(name, lambda: plan(installation), lambda tell: apply(installation, tell))


def _build(installation: Installation, tell: Callable[[str], None]) -> list[Change]:
    changes = pending(plan_on_machine(installation))

    def say(step: Step) -> None:
        if step.state != "kept":
            left = f", about {step.left:.0f} s left" if step.left else ""
            tell(f"{step.image} {step.state} ({step.done} of {step.total}{left})")

    build_on_machine(installation, progress=say)
    return changes


def _start(installation: Installation, tell: Callable[[str], None]) -> list[Change]:
    cluster = EmbeddedCluster(installation)
    changes = pending(cluster.plan())
    cluster.up(tell)
    return changes

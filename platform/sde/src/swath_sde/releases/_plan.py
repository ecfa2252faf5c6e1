"""What differs between a release as it should be and the objects in the cluster, drift by hand included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from swath_sde.changes import Action, Change
from swath_sde.errors import ClusterError
from swath_sde.objects import Objects, change_of, name_of, objects_of
from swath_sde.releases._charts import chart_of
from swath_sde.releases._helm import Helm
from swath_sde.releases._values import values_of

if TYPE_CHECKING:
    from swath_sde.configuration import Installation

__all__ = ["compare", "plan_release"]

_MANAGER = "swath-plan"
"""Name under which the dry runs are made; it never owns a field."""

_UNPROCESSABLE = 422


def plan_release(installation: Installation, component: str) -> list[Change]:
    """Return what ``apply_release`` would change: the release, and each of its objects that differs.

    Every object of the rendered chart is applied to the live one in a dry run of the API server, which fills
    in defaults as it does for real; what would come out is compared with what is there.

    Raises
    ------
    ClusterError
        The cluster cannot be reached.
    ReleaseError
        The chart refuses the values.
    """
    helm, objects = Helm(installation, component), objects_of(installation)
    values = values_of(installation, component)
    wanted = helm.render(chart_of(component), values, version=objects.version())
    revision = helm.revision()
    if revision is None:
        return [Change("Helm release", component, Action.CREATE, (f"{len(wanted)} objects",))]
    changes = compare(objects, wanted, helm.released())
    if revision.status != "deployed":
        told = f"revision {revision.number} is {revision.status}, not deployed"
        changes.insert(0, Change("Helm release", component, Action.UPDATE, (told,)))
    return changes


def compare(objects: Objects, wanted: list[dict[str, Any]], released: list[dict[str, Any]]) -> list[Change]:
    """Return the changes of a release's objects.

    Parameters
    ----------
    objects
        The cluster.
    wanted
        The objects as the chart renders them now.
    released
        The objects of the last revision.
    """
    changes = [_compared(objects, body) for body in wanted]
    names = {_key(body) for body in wanted}
    changes += [
        Change(body["kind"], name_of(body), Action.DELETE) for body in released if _key(body) not in names
    ]
    return changes


def _compared(objects: Objects, body: dict[str, Any]) -> Change:
    try:
        return change_of(
            body, objects.current(body), lambda _: objects.apply(body, dry_run=True, manager=_MANAGER)
        )
    except ClusterError as error:
        if error.status != _UNPROCESSABLE:
            raise
        return Change(body["kind"], name_of(body), Action.UPDATE, (f"refused by the API server: {error}",))


def _key(body: dict[str, Any]) -> tuple[str, str]:
    return body["kind"], name_of(body)

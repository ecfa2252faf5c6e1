"""Components as Helm releases: what they should be, what differs in the cluster, and making it so."""

from swath_sde.releases._apply import apply_release, remove_release
from swath_sde.releases._plan import plan_release
from swath_sde.releases._status import ReleaseStatus, release_status
from swath_sde.releases._values import values_of

__all__ = [
    "ReleaseStatus",
    "apply_release",
    "plan_release",
    "release_status",
    "remove_release",
    "values_of",
]

"""From sources to what the cluster pulls: images built here or in the cluster, delivered, and removed."""

from swath_sde.delivery._builds import (
    FIRST,
    build_named,
    build_on_machine,
    imported,
    machine_images,
    plan_on_machine,
)
from swath_sde.delivery._deliver import (
    deliver,
    import_first,
    plan_delivery,
    plan_first,
    reference_of,
)
from swath_sde.delivery._prune import prune_with_registry
from swath_sde.delivery._registry import registry_of

__all__ = [
    "FIRST",
    "build_named",
    "build_on_machine",
    "deliver",
    "import_first",
    "imported",
    "machine_images",
    "plan_delivery",
    "plan_first",
    "plan_on_machine",
    "prune_with_registry",
    "reference_of",
    "registry_of",
]

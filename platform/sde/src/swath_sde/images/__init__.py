"""The images of the platform's components: how they are built, kept, delivered and removed."""

from swath_sde.images._build import Step, build_images, plan_images
from swath_sde.images._builder import Builder
from swath_sde.images._catalogue import Image, catalogue, selected
from swath_sde.images._cluster import build_in_cluster
from swath_sde.images._deliver import archive_images, push_images
from swath_sde.images._errors import BuildError, ChangedHashError, MissingProgramError, NoSpaceError
from swath_sde.images._job import KANIKO, Job
from swath_sde.images._prune import prune_images
from swath_sde.images._records import Built, Records
from swath_sde.images._registry import Registry

__all__ = [
    "KANIKO",
    "BuildError",
    "Builder",
    "Built",
    "ChangedHashError",
    "Image",
    "Job",
    "MissingProgramError",
    "NoSpaceError",
    "Records",
    "Registry",
    "Step",
    "archive_images",
    "build_images",
    "build_in_cluster",
    "catalogue",
    "plan_images",
    "prune_images",
    "push_images",
    "selected",
]

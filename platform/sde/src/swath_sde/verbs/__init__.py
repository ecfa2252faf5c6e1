"""The verbs of the platform: light modules, as ``swath --help`` imports them all."""

from swath_sde.verbs._apply import apply, down, plan, status
from swath_sde.verbs._cluster import cluster
from swath_sde.verbs._config import config
from swath_sde.verbs._image import image
from swath_sde.verbs._kubectl import kubectl
from swath_sde.verbs._up import up

__all__ = ["apply", "cluster", "config", "down", "image", "kubectl", "plan", "status", "up"]

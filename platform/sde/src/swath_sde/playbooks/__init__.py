"""The Ansible playbooks of ``swath.sde``, run as ``swath up`` runs them: with events for whoever waits."""

from swath_sde.playbooks._outcome import DONE, FAILED, INTERRUPTED, PENDING, REFUSED, Event
from swath_sde.playbooks._place import collection_folder
from swath_sde.playbooks._run import run_playbook

__all__ = [
    "DONE",
    "FAILED",
    "INTERRUPTED",
    "PENDING",
    "REFUSED",
    "Event",
    "collection_folder",
    "run_playbook",
]

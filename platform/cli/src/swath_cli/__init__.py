"""The ``swath`` command: it owns the script, finds verbs by entry point, and imports nobody of ours."""

from swath_cli._main import main, swath
from swath_cli._verbs import VERB_GROUP, Verbs

__all__ = ["VERB_GROUP", "Verbs", "main", "swath"]

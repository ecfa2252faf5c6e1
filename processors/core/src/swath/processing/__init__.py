"""Steps, chains and processors: declared once; plan, lazy graph and validation follow from the declaration."""

from swath.processing._chain import Chain, Quicklook, Resampling, Source
from swath.processing._declare import ChainError, Edge, Input, Output, Step, step
from swath.processing._graph import apply
from swath.processing._plan import Plan, SourcePlan, plan
from swath.processing._processor import (
    PROCESSOR_GROUP,
    Parameters,
    Processor,
    get_processor,
    list_processors,
)

__all__ = [
    "PROCESSOR_GROUP",
    "Chain",
    "ChainError",
    "Edge",
    "Input",
    "Output",
    "Parameters",
    "Plan",
    "Processor",
    "Quicklook",
    "Resampling",
    "Source",
    "SourcePlan",
    "Step",
    "apply",
    "get_processor",
    "list_processors",
    "plan",
    "step",
]

"""Steps, chains and processors: plan, validation and lazy graph follow from their declarations."""

from swath.processing._bind import Binding, bind
from swath.processing._chain import Chain, Quicklook, Resampling, Source
from swath.processing._compute import Chunk, Program, compute_chunk
from swath.processing._declare import ChainError, Edge, Input, Output, Step, step
from swath.processing._graph import ChunkGraph, apply, chunk_graph, tree_of
from swath.processing._plan import Plan, SourcePlan, plan, plan_of
from swath.processing._plan_text import plan_text, size
from swath.processing._processor import (
    PROCESSOR_GROUP,
    Parameters,
    Processor,
    get_processor,
    list_processors,
)
from swath.processing._refusals import explain

__all__ = [
    "PROCESSOR_GROUP",
    "Binding",
    "Chain",
    "ChainError",
    "Chunk",
    "ChunkGraph",
    "Edge",
    "Input",
    "Output",
    "Parameters",
    "Plan",
    "Processor",
    "Program",
    "Quicklook",
    "Resampling",
    "Source",
    "SourcePlan",
    "Step",
    "apply",
    "bind",
    "chunk_graph",
    "compute_chunk",
    "explain",
    "get_processor",
    "list_processors",
    "plan",
    "plan_of",
    "plan_text",
    "size",
    "step",
    "tree_of",
]

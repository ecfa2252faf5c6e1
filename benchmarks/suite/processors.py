"""The steps and chains of the cases, as a developer of processors writes them."""

from __future__ import annotations

import numpy as np
from swath.processing import Chain, Input, Output, Processor, Source, step

from suite.job import CLASSES, CLEAR, GROUP

__all__ = ["MEAN", "NDVI", "THREE_STEPS"]

_GRID = f"/{GROUP}/r10m"
_COUNTS = ("b02", "b03", "b04", "b08")


@step(
    inputs=[*(Input(band, "uint16") for band in _COUNTS), Input("classes", "uint8")],
    outputs=[Output("mean")],
)
def clear_mean(b02, b03, b04, b08, classes):
    """Average four bands where the ground is clear."""
    total = np.add(b02, b03, dtype=np.float32)
    total += b04
    total += b08
    total *= np.float32(0.25)
    np.copyto(total, np.nan, where=classes != CLEAR)
    return total


@step(inputs=[Input("red"), Input("nir")], outputs=[Output("ndvi")])
def ndvi(red, nir):
    """Normalised difference vegetation index."""
    index = nir - red
    index /= nir + red
    return index


@step(inputs=[Input("ndvi")], outputs=[Output("smooth")], halo=1, edge="nearest")
def smooth(ndvi):
    """Average each pixel with its four neighbours."""
    made = np.zeros_like(ndvi)
    total = ndvi[1:-1, 1:-1] + ndvi[:-2, 1:-1]
    total += ndvi[2:, 1:-1]
    total += ndvi[1:-1, :-2]
    total += ndvi[1:-1, 2:]
    np.multiply(total, np.float32(0.2), out=made[1:-1, 1:-1])
    return made


@step(inputs=[Input("smooth")], outputs=[Output("cut")])
def cut(smooth):
    """Bring the index between its limits."""
    return np.clip(smooth, -1, 1)


def _processor(name, sources, steps, outputs):
    made = Chain(grid=_GRID, sources=sources, steps=steps, outputs=outputs)
    return Processor(name=name, version="1.0.0", title=name, chain=lambda _: made)


_INDEX = {"red": Source(f"{_GRID}/b04"), "nir": Source(f"{_GRID}/b08")}

MEAN = _processor(
    "mean",
    {**{band: Source(f"{_GRID}/{band}") for band in _COUNTS}, "classes": Source(f"/{CLASSES}")},
    [clear_mean],
    {"mean": "/mean"},
)
"""A masked mean over four bands."""

NDVI = _processor("ndvi", _INDEX, [ndvi], {"ndvi": "/ndvi"})
"""An index."""

THREE_STEPS = _processor("three-steps", _INDEX, [ndvi, smooth, cut], {"cut": "/cut"})
"""An index, smoothed, cut: a chain of three steps, one of which looks at neighbours."""

"""A simulator of Sentinel-2 scenes, of level 1C and 2A, whose truth is known.

``simulate`` and ``simulate_level2`` write a product; ``truth``, ``classification`` and ``level2_truth`` tell
what its images hold, window by window.
"""

from swath_sentinel2.simulator._bands import BANDS, Band
from swath_sentinel2.simulator._level2 import level2_truth
from swath_sentinel2.simulator._scene import FULL_SIZE, Scene
from swath_sentinel2.simulator._simulate import simulate, simulate_level2
from swath_sentinel2.simulator._spectra import Surface
from swath_sentinel2.simulator._truth import Truth, classification, truth

__all__ = [
    "BANDS",
    "FULL_SIZE",
    "Band",
    "Scene",
    "Surface",
    "Truth",
    "classification",
    "level2_truth",
    "simulate",
    "simulate_level2",
    "truth",
]

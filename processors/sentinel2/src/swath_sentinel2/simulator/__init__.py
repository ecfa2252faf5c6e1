"""A simulator of Sentinel-2 level-1C scenes whose truth is known.

``simulate`` writes a product; ``truth`` and ``classification`` tell what its images must hold, window by window.
"""

from swath_sentinel2.simulator._bands import BANDS, Band
from swath_sentinel2.simulator._scene import FULL_SIZE, Scene
from swath_sentinel2.simulator._truth import Truth, classification, truth
from swath_sentinel2.simulator._writer import simulate

__all__ = ["BANDS", "FULL_SIZE", "Band", "Scene", "Truth", "classification", "simulate", "truth"]

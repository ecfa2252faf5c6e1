"""A simulator of Sentinel-2 level-1C scenes whose truth is known.

``simulate`` writes a product; ``truth`` and ``classification`` tell what its images hold, window by window.
"""

from swath_sentinel2.simulator._bands import BANDS, Band
from swath_sentinel2.simulator._scene import FULL_SIZE, Scene
from swath_sentinel2.simulator._simulate import simulate
from swath_sentinel2.simulator._spectra import Surface
from swath_sentinel2.simulator._truth import Truth, classification, truth

__all__ = ["BANDS", "FULL_SIZE", "Band", "Scene", "Surface", "Truth", "classification", "simulate", "truth"]

"""Sentinel-3 in SEN3: OLCI and SLSTR, levels 1 and 2 over land, and SYN surface directional reflectance."""

from swath.product.sentinel3._reader import SEN3, Sen3Reader
from swath.product.sentinel3._scalars import scalars
from swath.product.sentinel3._tie_points import on_image_grid

__all__ = ["SEN3", "Sen3Reader", "on_image_grid", "scalars"]
"""``SEN3`` is the reader that the entry point of the core names."""

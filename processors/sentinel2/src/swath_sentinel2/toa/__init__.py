"""``s2-toa``: reflectances at the top of the atmosphere on one grid, a mask, and spectral indices."""

from swath_sentinel2.toa._bands import BANDS, Band, BandName, Resolution
from swath_sentinel2.toa._chain import TOA
from swath_sentinel2.toa._clouds import cloud_test
from swath_sentinel2.toa._indices import INDICES, Index, IndexName
from swath_sentinel2.toa._mask import Flag
from swath_sentinel2.toa._parameters import ToaParameters

__all__ = [
    "BANDS",
    "INDICES",
    "TOA",
    "Band",
    "BandName",
    "Flag",
    "Index",
    "IndexName",
    "Resolution",
    "ToaParameters",
    "cloud_test",
]

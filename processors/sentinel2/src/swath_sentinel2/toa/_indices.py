"""Spectral indices, each with its formula and its source.

All take reflectances (no unit) in single precision and give single precision. A pixel is NaN where a band is
NaN, and where the formula divides by zero. The inputs are reflectances at the top of the atmosphere: values
differ from those of surface reflectances, most where the blue band takes part.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from swath.processing import Input, Output, Step, step

from swath_sentinel2.toa._bands import BandName

__all__ = ["INDICES", "Index", "IndexName"]

Array = npt.NDArray[np.float32]
IndexName = Literal["ndvi", "evi", "evi2", "savi", "ndre", "ndwi", "mndwi", "ndmi", "ndsi", "nbr"]
"""Name of a spectral index, a key of `INDICES`."""


@dataclass(frozen=True, slots=True)
class Index:
    """A spectral index."""

    name: IndexName
    title: str
    formula: str
    """With the bands' names; ``swath_sentinel2`` tests the code against it."""
    source: str
    bands: dict[str, BandName]
    """Argument of the function → band."""
    function: Callable[..., Any]

    def step(self) -> Step:
        """Return the step that makes this index from the chain's bands."""
        declare = step(
            inputs=[Input(argument, units="1") for argument in self.bands],
            outputs=[Output("index", units="1")],
            name=self.name,
        )
        made = declare(self.function).rename(index=self.name, **self.bands)
        attrs = {"formula": self.formula, "references": self.source}
        return made.describe(**{self.name: {"description": self.title, "attrs": attrs}})


def _quotient(above: Array, below: Array) -> Array:
    """Divide; NaN where the divisor is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(below == 0, np.float32(np.nan), above / below)


def normalised_difference(plus: Array, minus: Array) -> Array:
    """Compute the normalised difference of two bands."""
    return _quotient(plus - minus, plus + minus)


def evi(nir: Array, red: Array, blue: Array) -> Array:
    """Compute the enhanced vegetation index."""
    return _quotient(np.float32(2.5) * (nir - red), nir + 6 * red - np.float32(7.5) * blue + 1)


def evi2(nir: Array, red: Array) -> Array:
    """Compute the enhanced vegetation index without a blue band."""
    return _quotient(np.float32(2.5) * (nir - red), nir + np.float32(2.4) * red + 1)


def savi(nir: Array, red: Array) -> Array:
    """Compute the soil-adjusted vegetation index with L = 0.5."""
    return _quotient(np.float32(1.5) * (nir - red), nir + red + np.float32(0.5))


def _difference(name: IndexName, title: str, plus: BandName, minus: BandName, source: str) -> Index:
    formula = f"({plus} - {minus}) / ({plus} + {minus})"
    return Index(name, title, formula, source, {"plus": plus, "minus": minus}, normalised_difference)


INDICES: dict[IndexName, Index] = {
    index.name: index
    for index in (
        _difference(
            "ndvi", "Normalised difference vegetation index", "b08", "b04",
            "Rouse et al. (1974), NASA SP-351, 309-317",
        ),
        Index(
            "evi", "Enhanced vegetation index", "2.5 * (b08 - b04) / (b08 + 6 * b04 - 7.5 * b02 + 1)",
            "Huete et al. (2002), doi:10.1016/S0034-4257(02)00096-2",
            {"nir": "b08", "red": "b04", "blue": "b02"}, evi,
        ),
        Index(
            "evi2", "Enhanced vegetation index of two bands", "2.5 * (b08 - b04) / (b08 + 2.4 * b04 + 1)",
            "Jiang et al. (2008), doi:10.1016/j.rse.2008.06.006", {"nir": "b08", "red": "b04"}, evi2,
        ),
        Index(
            "savi", "Soil-adjusted vegetation index (L = 0.5)", "1.5 * (b08 - b04) / (b08 + b04 + 0.5)",
            "Huete (1988), doi:10.1016/0034-4257(88)90106-X", {"nir": "b08", "red": "b04"}, savi,
        ),
        _difference(
            "ndre", "Normalised difference red-edge index", "b8a", "b05",
            "Gitelson and Merzlyak (1994), doi:10.1016/S0176-1617(11)81633-0",
        ),
        _difference(
            "ndwi", "Normalised difference water index", "b03", "b08",
            "McFeeters (1996), doi:10.1080/01431169608948714",
        ),
        _difference(
            "mndwi", "Modified normalised difference water index", "b03", "b11",
            "Xu (2006), doi:10.1080/01431160600589179",
        ),
        _difference(
            "ndmi", "Normalised difference moisture index", "b8a", "b11",
            "Gao (1996), doi:10.1016/S0034-4257(96)00067-3",
        ),
        _difference(
            "ndsi", "Normalised difference snow index", "b03", "b11",
            "Hall et al. (1995), doi:10.1016/0034-4257(95)00137-P",
        ),
        _difference(
            "nbr", "Normalised burn ratio", "b8a", "b12",
            "Key and Benson (2006), USDA RMRS-GTR-164-CD, LA-1 to LA-55",
        ),
    )
}  # fmt: skip
"""MNDWI and NDSI are one formula, read differently: both are here because users ask for both."""

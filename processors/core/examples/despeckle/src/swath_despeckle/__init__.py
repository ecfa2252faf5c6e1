"""Lee's filter against speckle: one step written three times, in C++, in numba and in NumPy.

All three give the same bits. A chain does not care in which language a step is written: it gets arrays with a
halo, and returns arrays.
"""

from typing import Any, Literal

import numba
import numpy as np
from pydantic import Field
from swath.processing import Chain, Input, Output, Parameters, Processor, Source, Step, step

from swath_despeckle import _lee

__all__ = ["DESPECKLE", "DespeckleParameters", "in_cpp", "in_numba", "in_numpy"]

Image = np.ndarray[Any, np.dtype[np.float32]]


class DespeckleParameters(Parameters):
    """What the filter may be told."""

    source: str = Field(default="/measurements/vv", description="Path of the intensity in the product.")
    radius: int = Field(default=3, ge=1, le=10, description="Of the square around a pixel, pixels.")
    looks: float = Field(default=4.4, gt=0, description="Equivalent number of looks of the intensity.")
    code: Literal["cpp", "numba", "numpy"] = Field(default="cpp", description="Which of the three runs.")


def in_cpp(intensity: Image, radius: int, looks: float) -> Image:
    """Filter an intensity by the compiled extension, which gives Python's lock back meanwhile."""
    result = np.empty(intensity.shape, np.float32)
    _lee.lee(intensity, result, radius, looks)
    return result


def in_numba(intensity: Image, radius: int, looks: float) -> Image:
    """Filter an intensity by a loop that numba compiles, without Python's lock, too."""
    result = np.full(intensity.shape, np.nan, np.float32)
    _loop(intensity, result, radius, looks)
    return result


@numba.njit(nogil=True, error_model="numpy")  # type: ignore[misc,untyped-decorator,unused-ignore]
def _loop(image: Image, result: Image, radius: int, looks: float) -> None:
    noise = 1.0 / looks
    for row in range(radius, image.shape[0] - radius):
        for column in range(radius, image.shape[1] - radius):
            total, squares, count = 0.0, 0.0, 0.0
            for i in range(row - radius, row + radius + 1):
                for j in range(column - radius, column + radius + 1):
                    value = np.float64(image[i, j])
                    if np.isnan(value):
                        continue
                    total += value
                    squares += value * value
                    count += 1.0
            mean = total / count
            variance = squares / count - mean * mean
            speckle = noise * mean * mean
            weight = (variance - speckle) / (variance * (1.0 + noise))
            if not weight > 0.0:
                weight = 0.0
            result[row, column] = mean + weight * (np.float64(image[row, column]) - mean)


def in_numpy(intensity: Image, radius: int, looks: float) -> Image:
    """Filter an intensity by whole arrays: what the other two are held against."""
    rows, columns = (length - 2 * radius for length in intensity.shape)
    total, squares, count = (np.zeros((rows, columns)) for _ in range(3))
    for i in range(2 * radius + 1):
        for j in range(2 * radius + 1):
            value = intensity[i : i + rows, j : j + columns].astype(np.float64)
            there = ~np.isnan(value)
            total += np.where(there, value, 0.0)
            squares += np.where(there, value * value, 0.0)
            count += there
    noise = 1.0 / looks
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / count
        variance = squares / count - mean * mean
        speckle = noise * mean * mean
        weight = (variance - speckle) / (variance * (1.0 + noise))
    weight = np.where(weight > 0.0, weight, 0.0)
    result = np.full(intensity.shape, np.nan, np.float32)
    inside = slice(radius, radius + rows), slice(radius, radius + columns)
    result[inside] = mean + weight * (intensity[inside].astype(np.float64) - mean)
    return result


_CODES = {"cpp": in_cpp, "numba": in_numba, "numpy": in_numpy}


def _step(parameters: DespeckleParameters) -> Step:
    """Return the filter as a step: its halo is its radius."""
    function = _CODES[parameters.code]

    def filtered(intensity: Image, radius: int, looks: float) -> dict[str, Image]:
        return {"filtered": function(intensity, radius, looks)}

    declare = step(
        inputs=[Input("intensity", description="Intensity, with speckle")],
        outputs=[Output("filtered", description="Intensity without speckle (Lee's filter)")],
        halo=parameters.radius,
        parameters=["radius", "looks"],
        name="lee",
    )
    return declare(filtered)


def _chain(parameters: DespeckleParameters) -> Chain:
    return Chain(
        grid=parameters.source.rpartition("/")[0],
        sources={"intensity": Source(parameters.source)},
        steps=[_step(parameters)],
        outputs={"filtered": "/measurements/filtered"},
    )


DESPECKLE = Processor("despeckle", "1.0.0", "Lee's filter against speckle", _chain, DespeckleParameters)

"""Pixel grids: where the pixels of a product lie on the ground."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from swath.errors import MetadataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from swath.product.window import Window

__all__ = ["Grid"]

Transform = tuple[float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class Grid:
    """A grid of pixels in a projected reference system."""

    shape: tuple[int, int]
    """Rows and columns."""
    transform: Transform
    """``(a, b, c, d, e, f)``: x = a*column + b*row + c, y = d*column + e*row + f, of a pixel's outer corner
    (the upper left one where a > 0 > e), in units of ``crs``."""
    crs: str
    """Reference system, ``EPSG:32755``."""

    @classmethod
    def of(cls, node: xr.DataTree | xr.Dataset | xr.DataArray) -> Grid:
        """Return the grid of a variable, or that which all variables of a dataset or node share.

        It comes from the attributes ``proj:shape``, ``proj:transform`` and ``proj:epsg`` (or ``proj:code``)
        of the variables, and where a transform is not told, from the coordinates of the pixel centres x and
        y.

        Raises
        ------
        MetadataError
            There is no variable with rows and columns, its grid is not told, or two variables differ.
        """
        if isinstance(node, xr.DataArray):
            return _of_array(node, node.attrs)
        dataset = node.to_dataset() if isinstance(node, xr.DataTree) else node
        arrays = [a for a in dataset.data_vars.values() if a.dims[-2:] == ("y", "x")]
        grids = {_of_array(array, {**dataset.attrs, **array.attrs}) for array in arrays}
        if len(grids) != 1:
            names = ", ".join(map(str, dataset.data_vars)) or "no variables"
            told = "no variable with dimensions y and x" if not grids else f"{len(grids)} different grids"
            raise MetadataError(
                f"expected one grid, got {told} (among {names}); choose one group of a resolution"
            )
        return grids.pop()

    @property
    def resolution(self) -> tuple[float, float]:
        """Height and width of a pixel, positive, in units of the reference system."""
        return abs(self.transform[4]), abs(self.transform[0])

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Left, bottom, right and top, in units of the reference system, of a grid that is not rotated."""
        a, _, c, _, e, f = self.transform
        xs, ys = sorted((c, c + a * self.shape[1])), sorted((f, f + e * self.shape[0]))
        return xs[0], ys[0], xs[1], ys[1]

    @property
    def epsg(self) -> int:
        """Number of the reference system in the EPSG registry."""
        return int(self.crs.rpartition(":")[2])

    @property
    def x(self) -> npt.NDArray[Any]:
        """Coordinates of the columns' centres; int64 where all are whole, as EOPF products have them."""
        return _centres(self.transform[2], self.transform[0], self.shape[1])

    @property
    def y(self) -> npt.NDArray[Any]:
        """Coordinates of the rows' centres; int64 where all are whole."""
        return _centres(self.transform[5], self.transform[4], self.shape[0])

    def crop(self, window: Window) -> Grid:
        """Return the part of this grid that a window cuts out."""
        a, b, c, d, e, f = self.transform
        row, column = window.rows[0], window.columns[0]
        corner = a * column + b * row + c, d * column + e * row + f
        return Grid(window.shape, (a, b, corner[0], d, e, corner[1]), self.crs)

    def attributes(self) -> dict[str, Any]:
        """Return the attributes that tell this grid, as EOPF products have them (STAC ``proj`` fields)."""
        return {
            "proj:epsg": self.epsg,
            "proj:shape": list(self.shape),
            "proj:transform": [*self.transform, 0.0, 0.0, 1.0],
            "proj:bbox": list(self.bounds),
        }


def _centres(start: float, step: float, length: int) -> npt.NDArray[Any]:
    centres = start + step * (np.arange(length) + 0.5)
    whole = centres.astype(np.int64)
    return whole if np.array_equal(whole, centres) else centres


def _of_array(array: xr.DataArray, attributes: dict[str, Any]) -> Grid:
    if "proj:epsg" not in attributes and "proj:code" not in attributes:
        raise MetadataError(
            f"variable {array.name}: no proj:epsg attribute tells its reference system; set it"
        )
    crs = f"EPSG:{attributes['proj:epsg']}" if "proj:epsg" in attributes else str(attributes["proj:code"])
    shape = (int(array.shape[-2]), int(array.shape[-1]))
    told = attributes.get("proj:transform")
    same = tuple(attributes.get("proj:shape", shape)) == shape
    if told is not None and same and len(told) >= 6:
        a, b, c, d, e, f = (float(value) for value in told[:6])
        grid = Grid(shape, (a, b, c, d, e, f), crs)
        if b or d or _lies_on(array, grid):
            return grid
    # Cut or turned over since it was read: the attributes tell the whole, the coordinates what is left.
    x, y = (np.asarray(array[dim], dtype=np.float64) for dim in ("x", "y"))
    step_x, step_y = (_step(x, told, 0), _step(y, told, 4))
    return Grid(shape, (step_x, 0.0, float(x[0]) - step_x / 2, 0.0, step_y, float(y[0]) - step_y / 2), crs)


def _lies_on(array: xr.DataArray, grid: Grid) -> bool:
    """Tell whether the coordinates of an array, if it has any, start and end where those of a grid do."""
    a, _, c, _, e, f = grid.transform
    for dim, start, step in (("x", c, a), ("y", f, e)):
        if dim not in array.coords:
            continue
        centres = array.coords[dim].values[[0, -1]]
        told = start + step * (np.array([0, len(array.coords[dim]) - 1]) + 0.5)
        if (np.abs(centres - told) > abs(step) / 4).any():
            return False
    return True


def _step(centres: npt.NDArray[np.float64], told: Sequence[float] | None, place: int) -> float:
    """Return the size of a pixel: as it is told where that fits the coordinates, whose digits are rounded."""
    if told is None and len(centres) < 2:
        raise MetadataError(
            "the size of a pixel cannot be told from one coordinate; set the attribute proj:transform"
        )
    step = float(told[place]) if told is not None else 0.0
    if len(centres) < 2:
        return step
    measured = float(centres[-1] - centres[0]) / (len(centres) - 1)
    return step if abs(step - measured) <= 1e-6 * abs(measured) else measured

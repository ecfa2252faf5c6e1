"""A small product on a map grid: packed integers, real numbers, flags, truth values, nested attributes."""

import dask.array as da
import numpy as np
import xarray as xr
from swath.product import Grid

GRID = Grid((75, 66), (10.0, 0.0, 499980.0, 0.0, -10.0, 6900040.0), "EPSG:32755")
DISCOVERY = {
    "type": "Feature", "stac_version": "1.1.0", "id": "made", "bbox": [147.0, -28.1, 147.1, -28.0],
    "stac_extensions": ["https://stac-extensions.github.io/projection/v2.0.0/schema.json"],
    "geometry": {"type": "Polygon", "coordinates": [
        [[147.0, -28.1], [147.1, -28.1], [147.1, -28.0], [147.0, -28.0], [147.0, -28.1]],
    ]},
    "properties": {
        "datetime": "2017-12-07T00:20:51.026Z", "platform": "sentinel-2a", "constellation": "sentinel-2",
        "instruments": ["msi"], "proj:code": "EPSG:32755", "eo:cloud_cover": 12.5, "gone": None,
    },
    "links": [], "assets": {},
}  # fmt: skip


def product(grid: Grid = GRID, chunk: int = 32, seed: int = 1) -> xr.DataTree:
    """Return the product, lazy, in chunks of that many pixels a side."""
    random = np.random.default_rng(seed)
    counts = random.integers(1, 9000, grid.shape).astype(np.uint16)
    counts[:5, :7] = 0
    packed = np.where(counts == 0, np.nan, counts * 1e-4 - 0.1)
    real = random.random(grid.shape, dtype=np.float32)
    real[20:23, 30:32] = np.nan

    def image(values, attributes, encoding=None):
        lazy = da.from_array(values, chunks=chunk)
        return xr.Variable(("y", "x"), lazy, {**attributes, **grid.attributes()}, encoding or {})

    coded = {"dtype": np.dtype(np.uint16), "scale_factor": 1e-4, "add_offset": -0.1, "_FillValue": 0}
    images = {
        "b02": image(packed, {"long_name": "blue", "units": "1", "nested": {"a": [1, {"b": "é"}]}}, coded),
        "index": image(real, {"valid_range": [0, 1]}),
        "flags": image(
            random.integers(0, 4, grid.shape).astype(np.uint8),
            {"flag_masks": [1, 2], "flag_meanings": "low high"}, {"dtype": np.dtype(np.uint8)},
        ),
    }  # fmt: skip
    axes = {"y": ("y", grid.y), "x": ("x", grid.x)}
    angles = xr.Dataset({"zenith": (("row", "column"), random.random((3, 3)), {"units": "deg"})})
    return xr.DataTree.from_dict({
        "/": xr.Dataset(attrs={"stac_discovery": DISCOVERY, "other_metadata": {"a": [1, 2]}}),
        "/measurements/r10m": xr.Dataset(images, axes),
        "/conditions": angles,
    })  # fmt: skip

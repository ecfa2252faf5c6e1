"""A product format of plain files, one a chunk, and a processor: what tests of processing and run need.

An installed package to the core (it has entry points), so that subprocesses and cluster workers find it, too.
"""

import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import xarray as xr
from pydantic import Field
from swath.errors import ProductError
from swath.io.metering import Counts, count
from swath.processing import Chain, Input, Output, Parameters, Processor, Quicklook, Source, step
from swath.product import Grid
from swath.product._chunks import ENCODING_KEY, lazy_array

CRS, ORIGIN = "EPSG:32755", (499980.0, 6900040.0)


@dataclass(frozen=True)
class Files:
    """The chunks of one variable, each a file of nothing but its pixels.

    (Not NumPy's own format: reading its header in two threads at once fails now and then on Python 3.11, as
    ``ast.literal_eval`` is not safe there: "AST constructor recursion depth mismatch".)
    """

    folder: str
    shape: tuple[int, int]
    chunk_shape: tuple[int, int]
    dtype: np.dtype
    leading: tuple[int, ...] = ()

    def _path(self, row, column):
        return Path(self.folder, f"{row}.{column}.raw")

    def chunk_bytes(self, row, column):
        return self._path(row, column).stat().st_size

    def read(self, row, column):
        try:
            lengths = [
                min(size, total - index * size)
                for index, total, size in zip((row, column), self.shape, self.chunk_shape, strict=True)
            ]
            data = np.fromfile(self._path(row, column), self.dtype).reshape(lengths)
        except ValueError as error:
            raise ProductError(f"{self._path(row, column)} is corrupt: {error}.") from None
        count(Counts(self.chunk_bytes(row, column), 1, 1))
        return data


def write(folder: Path, groups: dict[str, tuple[float, int, dict[str, np.ndarray]]]) -> Path:
    """Write a product: path of a group → pixel size, chunk size, variables by name."""
    told = {}
    for group, (pixel, chunk, variables) in groups.items():
        for name, data in variables.items():
            place = folder / group.strip("/") / name
            place.mkdir(parents=True)
            for row in range(math.ceil(data.shape[0] / chunk)):
                for column in range(math.ceil(data.shape[1] / chunk)):
                    part = data[row * chunk : (row + 1) * chunk, column * chunk : (column + 1) * chunk]
                    np.ascontiguousarray(part).tofile(place / f"{row}.{column}.raw")
            told[f"{group}/{name}"] = (pixel, chunk, data.shape, data.dtype.name)
    (folder / "practice.json").write_text(json.dumps(told))
    return folder


def read(folder: Path) -> xr.DataTree:
    """Open a product."""
    groups: dict[str, xr.Dataset] = {}
    for path, (pixel, chunk, shape, dtype) in json.loads((folder / "practice.json").read_text()).items():
        group, _, name = path.rpartition("/")
        grid = Grid(tuple(shape), (pixel, 0.0, ORIGIN[0], 0.0, -pixel, ORIGIN[1]), CRS)
        files = Files(str(folder / path.strip("/")), tuple(shape), (chunk, chunk), np.dtype(dtype))
        variable = xr.DataArray(lazy_array(files), dims=("y", "x"), attrs=grid.attributes())
        variable.encoding[ENCODING_KEY] = files
        groups.setdefault(group, xr.Dataset(coords={"y": grid.y, "x": grid.x}))[name] = variable
    tree = xr.DataTree.from_dict(groups)
    discovery = {
        "id": "PRACTICE_1",
        "properties": {"datetime": "2017-12-07T00:20:51Z", "platform": "practice"},
    }
    tree.attrs["stac_discovery"] = discovery
    return tree


class _Reader:
    looks_for = "practice.json"

    def can_read(self, store):
        return store.exists("practice.json")

    def open(self, store):
        return read(Path(store.location))


READER = _Reader()


class PracticeParameters(Parameters):
    """Every kind of parameter there is."""

    resolution: Literal[10, 20] = Field(default=10, description="Pixel size, metres.")
    radius: int = Field(default=2, ge=0, le=8, description="Of the mean around a pixel, pixels.")
    weighted: bool = Field(default=False, description="Whether near pixels count more.")
    label: str = Field(default="", description="Any text.")
    seconds: float = Field(default=0, ge=0, description="To dawdle at each chunk.")
    fail_above: float = Field(default=1e9, description="Value at which the step gives up.")


@step(
    inputs=[Input("red"), Input("nir"), Input("haze")],
    outputs=[Output("index", units="1", description="Index")],
)
def index(red, nir, haze):
    return (nir - red - haze) / (nir + red)


@step(
    inputs=[Input("index")],
    outputs=[Output("checked")],
    parameters=["seconds", "fail_above"],
)
def dawdle(index, seconds, fail_above):
    time.sleep(seconds)
    if np.nanmax(index) > fail_above:
        raise ArithmeticError(f"more than {fail_above}")
    return index.copy()


def smoothing(radius: int):
    @step(
        inputs=[Input("checked")],
        outputs=[Output("smooth", units="1", description="Smoothed index")],
        halo=radius,
        edge="nearest",
        parameters=["radius", "weighted"],
        name="smooth",
        memory=4.5,  # it adds up in double precision
    )
    def smooth(checked, radius, weighted):
        total, weight = np.zeros(checked.shape), 0.0
        for down in range(-radius, radius + 1):
            for across in range(-radius, radius + 1):
                share = 1 / (1 + abs(down) + abs(across)) if weighted else 1.0
                total += share * np.roll(checked, (down, across), (0, 1))
                weight += share
        return (total / weight).astype("float32")

    return smooth


@step(
    inputs=[Input("smooth")],
    outputs=[
        Output("steep", "uint8", attrs={"flag_masks": np.array([1], np.uint8), "flag_meanings": "steep"},
               description="Where the smoothed index changes fast"),
    ],
    halo=1,
)  # fmt: skip
def steep(smooth):
    return (np.abs(np.roll(smooth, 1, 0) - np.roll(smooth, -1, 1)) > 0.1).astype("uint8")


def chain(parameters: PracticeParameters) -> Chain:
    return Chain(
        grid=f"/measurements/r{parameters.resolution}m",
        sources={
            "red": Source("/measurements/r10m/red", "mean"),
            "nir": Source("/measurements/r20m/nir", "bilinear"),
            "haze": Source("/measurements/r60m/haze", "nearest"),
        },
        steps=[index, dawdle, smoothing(parameters.radius), steep],
        outputs={"index": "/measurements/index", "smooth": "/measurements/smooth", "steep": "/quality/steep"},
        quicklook=Quicklook(["smooth"], flags="steep", tints={1: (255, 0, 0)}),
    )


PRACTICE = Processor("practice", "1.0.0", "Index, smoothed", chain, PracticeParameters)

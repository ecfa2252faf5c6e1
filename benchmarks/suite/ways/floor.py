"""The floor: the same work on the same bytes by codec, numpy and plain files alone, on all CPUs.

What it leaves out is what a product is: names, coordinates, attributes, laziness, and being on disk whole.
"""

# ruff: noqa: PLC0415 -- imports belong to what goes before

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from numcodecs import Blosc

from suite.job import BANDS, CHUNKS, CLASSES, CLEAR, GROUP, Job

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CODEC = Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE)
POOL = ThreadPoolExecutor(os.cpu_count())


def _blocks(size: int, chunk: int) -> list[tuple[int, int]]:
    return list(product(range(-(-size // chunk)), repeat=2))


def _chunk(folder: Path, place: tuple[int, int], dtype: str, chunk: int, size: int) -> npt.NDArray[Any]:
    data = CODEC.decode((folder / "{}.{}".format(*place)).read_bytes())
    rows, columns = (min(chunk, size - at * chunk) for at in place)
    return np.frombuffer(data, dtype).reshape(chunk, chunk)[:rows, :columns]


def _ten(job: Job, band: str) -> tuple[Path, str, int, int]:
    folder = job.tile / GROUP / "r10m" / band
    told = json.loads((folder / ".zarray").read_text())
    return folder, told["dtype"], told["chunks"][0], job.size


def _all(work: Callable[[Any], Any], items: list[Any]) -> list[Any]:
    return list(POOL.map(work, items))


def open_tile(job: Job) -> Callable[[], Any]:
    """Read and parse the consolidated metadata."""

    def run() -> int:
        entries = json.loads((job.tile / ".zmetadata").read_text())["metadata"]
        return sum(len(told["shape"]) > 1 for name, told in entries.items() if name.endswith(".zarray"))

    return run


def band(job: Job) -> Callable[[], Any]:
    folder, dtype, chunk, size = _ten(job, "b04")

    def run() -> npt.NDArray[Any]:
        out = np.empty((size, size), dtype)

        def read(place: tuple[int, int]) -> None:
            data = _chunk(folder, place, dtype, chunk, size)
            row, column = (at * chunk for at in place)
            out[row : row + data.shape[0], column : column + data.shape[1]] = data

        _all(read, _blocks(size, chunk))
        return out

    return run


def band_read(job: Job) -> Callable[[], Any]:
    """Read the band's files, undecoded."""
    folder, _, chunk, size = _ten(job, "b04")
    names = [folder / f"{row}.{column}" for row, column in _blocks(size, chunk)]
    return lambda: _all(lambda name: len(name.read_bytes()), names) and None


def band_copy(job: Job) -> Callable[[], Any]:
    """Copy as many bytes as the band has in memory."""
    held = np.ones((job.size, job.size), np.uint16)
    return lambda: held.copy().size and None


def mean(job: Job) -> Callable[[], Any]:
    bands = [_ten(job, band) for band in ("b02", "b03", "b04", "b08")]
    classes = job.tile / CLASSES
    _, _, chunk, size = bands[0]

    def part(place: tuple[int, int]) -> tuple[float, int]:
        total = np.zeros(1, np.float32)
        for folder, dtype, _, _ in bands:
            total = total + _chunk(folder, place, dtype, chunk, size)
        clear = _chunk(classes, place, "|u1", chunk, size) == CLEAR
        total *= np.float32(0.25)
        return float(total.sum(where=clear, dtype=np.float64)), int(clear.sum())

    def run() -> float:
        sums, counts = zip(*_all(part, _blocks(size, chunk)), strict=True)
        return sum(sums) / sum(counts)

    return run


def index(job: Job) -> Callable[[], Any]:
    red, nir = (_ten(job, band) for band in ("b04", "b08"))
    _, dtype, chunk, size = red
    document = {
        "zarr_format": 2, "shape": [size, size], "chunks": [chunk, chunk], "dtype": "<f4", "order": "C",
        "fill_value": None, "filters": None, "compressor": CODEC.get_config(),
    }  # fmt: skip

    def run() -> tuple[Path, str]:
        out = job.out
        (out / "ndvi").mkdir(parents=True)
        (out / "ndvi/.zarray").write_text(json.dumps(document))

        def part(place: tuple[int, int]) -> None:
            r, n = (
                _chunk(folder, place, dtype, chunk, size).astype(np.float32) for folder in (red[0], nir[0])
            )
            made = np.zeros((chunk, chunk), np.float32)
            made[: r.shape[0], : r.shape[1]] = (n - r) / (n + r)
            (out / "ndvi" / "{}.{}".format(*place)).write_bytes(CODEC.encode(made))

        _all(part, _blocks(size, chunk))
        return out, "ndvi"

    return run


def write(job: Job) -> Callable[[], Any]:
    """Encode and write all bands: each chunk as one file, and the metadata copied."""
    held = _bands(job)

    def run() -> tuple[Path, str]:
        out = job.out
        for path in held:
            (out / path).mkdir(parents=True)
            (out / path / ".zarray").write_bytes((job.tile / path / ".zarray").read_bytes())

        def part(item: tuple[str, int, tuple[int, int]]) -> None:
            path, chunk, (row, column) = item
            data = held[path][row * chunk : (row + 1) * chunk, column * chunk : (column + 1) * chunk]
            whole = np.zeros((chunk, chunk), data.dtype)
            whole[: data.shape[0], : data.shape[1]] = data
            (out / path / f"{row}.{column}").write_bytes(CODEC.encode(whole))

        items = [
            (path, chunk, place)
            for path, data in held.items()
            for chunk in [min(CHUNKS[next(r for r in CHUNKS if r in path)], len(data))]
            for place in _blocks(len(data), chunk)
        ]
        _all(part, items)
        return out, f"{GROUP}/r10m/b04"

    return run


def _bands(job: Job) -> dict[str, npt.NDArray[Any]]:
    import zarr

    paths = [f"{GROUP}/{resolution}/{band}" for resolution, bands in BANDS.items() for band in bands]
    group = zarr.open_group(job.tile, mode="r")
    return {path: group[path][...] for path in [*paths, CLASSES]}


def small_write(job: Job) -> Callable[[], Any]:
    """Write plain files: documents as JSON, chunks by the codec alone, and all documents once more."""
    from suite.inputs import small_arrays

    tree = small_arrays(job.groups)
    arrays = {
        f"{group}/{name}": (array.values, dict(array.attrs))
        for group, node in tree.children.items()
        for name, array in node.data_vars.items()
    }

    def run() -> tuple[Path, str]:
        out, everything = job.out, {}
        for path, (values, attributes) in arrays.items():
            document = {
                "zarr_format": 2, "shape": list(values.shape), "chunks": list(values.shape),
                "dtype": values.dtype.str, "order": "C", "fill_value": None, "filters": None,
                "compressor": CODEC.get_config(),
            }  # fmt: skip
            folder = out / path
            folder.mkdir(parents=True)
            everything |= {f"{path}/.zarray": document, f"{path}/.zattrs": attributes}
            (folder / ".zarray").write_text(json.dumps(document))
            (folder / ".zattrs").write_text(json.dumps(attributes))
            (folder / "0.0").write_bytes(CODEC.encode(values))
        (out / ".zmetadata").write_text(json.dumps(everything))
        return out, "g00/v3"

    return run


def small_open(job: Job) -> Callable[[], Any]:
    out, _ = small_write(job.aside)()
    return lambda: sum(name.endswith(".zarray") for name in json.loads((out / ".zmetadata").read_text()))


def convert(job: Job) -> Callable[[], Any]:
    """Decode the codec tiles of all images that a product holds, and encode each as a file."""
    import swath
    from swath.product import chunk_source

    def run() -> None:
        out, items = job.out, []
        for node in swath.open_product(job.safe).subtree:
            for name, array in node.data_vars.items():
                source = chunk_source(array)
                if source is not None:
                    folder = out / node.path.strip("/") / str(name)
                    folder.mkdir(parents=True)
                    counts = (-(-n // size) for n, size in zip(source.shape, source.chunk_shape, strict=True))
                    items += [(folder, source, place) for place in product(*map(range, counts))]

        def part(item: Any) -> None:
            folder, source, place = item
            data = np.ascontiguousarray(source.read(*place))
            (folder / "{}.{}".format(*place)).write_bytes(CODEC.encode(data))

        _all(part, items)

    return run

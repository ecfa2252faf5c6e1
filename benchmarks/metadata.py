"""Metadata: 500 small arrays in 50 groups, written and opened, as ratios to xarray's own way and to eopf.

    .venv/bin/python benchmarks/metadata.py [--eopf PYTHON] [--repeat N]

``--eopf`` names the Python of an environment in which eopf is installed (3.0.0 wants Python 3.13); it runs
there as a process of its own on the same arrays. The floor writes each document and each chunk as a plain
file, the chunks compressed by the same codec, and reads the documents back.
"""

# ruff: noqa: PLC0415 -- eopf's environment has not all that is imported where it is needed

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import xarray as xr

GROUPS, ARRAYS, SHAPE = 50, 10, (20, 30)


def tree() -> xr.DataTree:
    """Return the product: float32 arrays that do not compress to nothing, with three attributes each."""
    random = np.random.default_rng(0)
    attributes = {"units": "m", "long_name": "a small array", "valid_min": 0}
    groups = {
        f"/g{g:02}": xr.Dataset(
            {f"v{k}": (("y", "x"), random.random(SHAPE, dtype=np.float32), attributes) for k in range(ARRAYS)}
        )
        for g in range(GROUPS)
    }
    discovery = {"type": "Feature", "stac_version": "1.1.0", "id": "metadata", "properties": {}}
    return xr.DataTree.from_dict({"/": xr.Dataset(attrs={"stac_discovery": discovery}), **groups})


def floor_write(product: xr.DataTree, path: Path) -> None:
    """Write plain files: documents as JSON, chunks by the codec alone."""
    from numcodecs import Blosc

    codec = Blosc(cname="zstd", clevel=3, shuffle=Blosc.BITSHUFFLE)
    everything = {}
    for group, node in product.children.items():
        for name, array in node.data_vars.items():
            folder = path / group / str(name)
            folder.mkdir(parents=True)
            document = {"shape": list(array.shape), "chunks": list(array.shape), "dtype": array.dtype.str}
            everything[f"{group}/{name}"] = document
            (folder / ".zarray").write_text(json.dumps(document))
            (folder / ".zattrs").write_text(json.dumps(array.attrs))
            (folder / "0.0").write_bytes(codec.encode(array.values))
    (path / ".zmetadata").write_text(json.dumps(everything))


def ways() -> dict[str, tuple[Callable[[xr.DataTree, Path], None], Callable[[Path], object]]]:
    """Return name → how it writes and how it opens."""
    import swath
    from swath.product import write_product

    return {
        "swath, format 2": (write_product, swath.open_product),
        "swath, format 3": (lambda t, p: write_product(t, p, zarr_format=3), swath.open_product),
        "xarray, format 2": (lambda t, p: t.to_zarr(p, zarr_format=2), _xarray_open),
        "xarray, format 3": (lambda t, p: t.to_zarr(p, zarr_format=3), _xarray_open),
        "floor": (floor_write, lambda p: json.loads((p / ".zmetadata").read_text())),
    }


def _xarray_open(path: Path) -> object:
    return xr.open_datatree(path, engine="zarr", chunks={})


def measure(write: Callable, open_: Callable, product: xr.DataTree, repeat: int) -> tuple[float, ...]:
    """Return the least seconds of writing and opening, and the least seconds of CPU of both.

    The least, and CPU beside the clock: other work on the machine only adds.
    """
    writing, opening = [], []
    for _ in range(repeat + 1):  # the first one warms up
        folder = Path(tempfile.mkdtemp())
        start, cpu = time.perf_counter(), time.process_time()
        write(product, folder / "p.zarr")
        middle, cpu_middle = time.perf_counter(), time.process_time()
        open_(folder / "p.zarr")
        writing.append((middle - start, cpu_middle - cpu))
        opening.append((time.perf_counter() - middle, time.process_time() - cpu_middle))
        shutil.rmtree(folder)
    best = [min(values) for pairs in (writing[1:], opening[1:]) for values in zip(*pairs, strict=True)]
    return best[0], best[2], best[1], best[3]


def main() -> None:
    import warnings

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--eopf", metavar="PYTHON", help="Python of an environment with eopf")
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args()
    warnings.filterwarnings("ignore", message="Consolidated metadata")
    product = tree()
    results = {name: measure(*way, product, chosen.repeat) for name, way in ways().items()}
    if chosen.eopf:
        results |= peer(chosen.eopf, chosen.repeat)
    ours = results["swath, format 2"]
    print(
        f"{GROUPS * ARRAYS} arrays in {GROUPS} groups, the least of {chosen.repeat}; ratios to the first line"
    )
    print(
        f"{'':22}{'write':>9}{'ratio':>7}{'CPU':>9}{'ratio':>7}{'open':>10}{'ratio':>7}{'CPU':>10}{'ratio':>7}"
    )
    for name, (writing, opening, cpu_writing, cpu_opening) in results.items():
        print(
            f"{name:22}{writing:8.2f}s{writing / ours[0]:7.2f}{cpu_writing:8.2f}s{cpu_writing / ours[2]:7.2f}"
            f"{1000 * opening:8.0f}ms{opening / ours[1]:7.2f}{1000 * cpu_opening:8.0f}ms"
            f"{cpu_opening / ours[3]:7.2f}"
        )


def peer(python: str, repeat: int) -> dict[str, tuple[float, ...]]:
    """Run this file's product through eopf, in eopf's own environment."""
    script = Path(__file__).with_name("metadata_eopf.py")
    done = subprocess.run([python, script, str(repeat)], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"eopf failed:\n{done.stderr[-2000:]}")
    return {name: tuple(times) for name, times in json.loads(done.stdout.splitlines()[-1]).items()}


if __name__ == "__main__":
    main()

"""What a run of ``s2-toa`` really takes of memory, held against what was estimated before it."""

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import swath
import xarray as xr
from swath.product import Grid
from swath_sentinel2.toa import BANDS, INDICES, TOA, ToaParameters

SIDE, CHUNK = {10: 2160, 20: 1080, 60: 360}, {10: 1080, 20: 540, 60: 180}

MEASURE = """
import json, pathlib, re, sys
from swath.run import execute, make_payload
report = execute(make_payload(json.loads(sys.argv[1])))
# What getrusage tells begins with the peak of the process that has started this one.
told = pathlib.Path("/proc/self/status").read_text()
peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", told)[1]) * 1024
print(json.dumps({"peak": peak, "needed": report.fit.needed}))
"""


@pytest.fixture(scope="module")
def product(tmp_path_factory):
    """Return the path of a product with all bands, each in four chunks, and without masks."""
    random = np.random.default_rng(13)
    groups = {}
    for resolution, side in SIDE.items():
        grid = Grid((side, side), (resolution, 0, 499980, 0, -resolution, 6900040), "EPSG:32755")
        variables = {}
        for name, band in BANDS.items():
            if band.resolution == resolution:
                data = random.random((side, side), dtype=np.float32)
                array = xr.DataArray(data, dims=("y", "x"), attrs=grid.attributes()).chunk(CHUNK[resolution])
                array.encoding = {"dtype": "uint16", "scale_factor": 1e-4, "_FillValue": 65535}
                variables[name] = array
        groups[f"/measurements/reflectance/r{resolution}m"] = xr.Dataset(
            variables, {"y": ("y", grid.y), "x": ("x", grid.x)}
        )
    tree = xr.DataTree.from_dict(groups)
    tree.attrs["stac_discovery"] = {
        "type": "Feature", "stac_version": "1.1.0", "id": "made",
        "properties": {"datetime": "2026-11-26T00:00:00Z"},
    }  # fmt: skip
    path = tmp_path_factory.mktemp("memory") / "product.zarr"
    swath.write_product(tree, path)
    return path


def told_by_a_run(product, destination, *, workers):
    """Return the most memory that a run took, and what was estimated before it, in bytes."""
    job = {
        "processor": "s2-toa", "inputs": {"product": str(product)}, "destination": str(destination),
        "workers": workers, "memory": "8GiB", "cogs": False,
        "parameters": {"resolution": 10, "indices": ["ndvi", "evi"], "cloud_test": "hollstein2016"},
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, json.dumps(job)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize("lost", [0.0, 0.5, 1.0])
def test_steps_declare_the_memory_that_they_take(lost):
    random = np.random.default_rng(13)
    shape = (600, 700)
    parameters = ToaParameters(resolution=10, indices=list(INDICES), cloud_test="hollstein2016")
    steps = {made.name: made for made in TOA.chain(parameters).steps}  # reflectance: one of all bands
    assert {"quality", "cloud_test", "clouds", "mask", "ndvi", "evi"} < set(steps)
    for made in steps.values():
        given = {}
        for item in made.inputs:
            if item.dtype == "uint8":
                data = random.integers(0, 7, shape).astype(np.uint8)
            else:
                data = random.random(shape, dtype=np.float32)
                data[random.random(shape) < lost] = np.nan
            given[made.arguments.get(item.name, item.name)] = data
        made.function(**given)  # what is made at the first call, and kept, is none of an array's
        tracemalloc.start()
        result = made.function(**given)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        beside = peak - (0 if any(result is data for data in given.values()) else result.nbytes)
        assert beside <= made.working_bytes(shape) + 10_000, (made.name, beside / result.size)


def test_a_run_stays_within_what_was_estimated_and_near_it(product, tmp_path):
    told = told_by_a_run(product, tmp_path / "out", workers=1)
    assert told["peak"] <= told["needed"] < 2 * told["peak"], told


def test_chunks_that_are_in_work_at_once_stay_within_what_was_estimated(product, tmp_path):
    # No lower bound: on few processors the chunks are not all at their highest in the same moment.
    told = told_by_a_run(product, tmp_path / "out", workers=3)
    assert told["peak"] <= told["needed"], told

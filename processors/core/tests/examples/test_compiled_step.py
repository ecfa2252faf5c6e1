"""The example of a step in C++: built as a user builds it, equal to NumPy's, and without Python's lock."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import swath_practice
import xarray as xr
from swath.run import execute, make_payload

EXAMPLE = Path(__file__).parents[2] / "examples" / "despeckle"
BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def despeckle(tmp_path_factory):
    """Return the example's package, built from its sources."""
    place = tmp_path_factory.mktemp("despeckle")
    subprocess.run(
        [BIN / "uv", "pip", "install", "--quiet", "--offline", "--no-deps", "--no-build-isolation",
         "--python", sys.executable, "--target", place, EXAMPLE],
        check=True, env={**os.environ, "PATH": f"{BIN}:{os.environ['PATH']}"},
    )  # fmt: skip
    sys.path.insert(0, str(place))
    try:
        import swath_despeckle

        yield swath_despeckle
    finally:
        sys.path.remove(str(place))


@pytest.fixture(scope="module")
def speckled():
    """Return an intensity of 4.4 looks, with a bright square, and a hole that nobody measured."""
    generator = np.random.default_rng(1980)
    image = generator.gamma(4.4, 1 / 4.4, (300, 260)).astype(np.float32)
    image[100:160, 90:150] *= 12
    image[30:50, 30:44] = np.nan
    image[200:220, 200:220] = 0
    return image


@pytest.mark.parametrize("radius", [1, 3, 5])
@pytest.mark.parametrize("code", ["in_cpp", "in_numba"])
def test_the_compiled_ones_equal_numpys_bit_for_bit(despeckle, speckled, code, radius):
    made = getattr(despeckle, code)(speckled, radius, 4.4)
    np.testing.assert_array_equal(made, despeckle.in_numpy(speckled, radius, 4.4))


@pytest.mark.parametrize("code", ["in_cpp", "in_numba"])
def test_read_only_views_of_larger_arrays_are_taken(despeckle, speckled, code):
    view = speckled[10:-10:2, 5:-5]
    view.flags.writeable = False
    np.testing.assert_array_equal(
        getattr(despeckle, code)(view, 2, 4.4), despeckle.in_numpy(view.copy(), 2, 4.4)
    )


def test_speckle_goes_and_edges_stay(despeckle, speckled):
    made = despeckle.in_cpp(speckled, 3, 4.4)
    inside, outside = made[110:150, 100:140], made[60:95, 160:250]
    assert np.std(outside) < 0.4 * np.std(speckled[60:95, 160:250])
    assert np.mean(inside) > 8 * np.mean(outside)


@pytest.mark.parametrize("code", ["in_cpp", "in_numba"])
def test_two_threads_are_in_it_at_once_and_python_goes_on(despeckle, code):
    """With Python's lock held, this thread would not get on while the others are in the loop."""
    function, image = getattr(despeckle, code), np.ones((1200, 1200), np.float32)
    function(image[:20, :20], 2, 4.4)  # compiled now
    times, ticks = [], []

    def work():
        start = time.perf_counter()
        function(image, 7, 4.4)
        times.append((start, time.perf_counter()))

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        ticks.append(time.perf_counter())
        time.sleep(0.001)
    start, end = max(start for start, _ in times), min(end for _, end in times)
    assert start < end
    tenth = (end - start) / 10
    for part in range(10):
        assert any(start + part * tenth <= tick <= start + (part + 1) * tenth for tick in ticks), part


def test_a_run_with_it_equals_one_with_numpy(despeckle, speckled, tmp_path):
    product = swath_practice.write(tmp_path / "product", {"/measurements/sar": (10.0, 64, {"vv": speckled})})
    made = {}
    for code in ("cpp", "numba", "numpy"):
        payload = make_payload(
            {
                "processor": "despeckle",
                "inputs": {"product": str(product)},
                "parameters": {"source": "/measurements/sar/vv", "radius": 2, "code": code},
                "destination": str(tmp_path / code),
                "workers": 2,
                "cogs": False,
            }
        )
        execute(payload, processor=despeckle.DESPECKLE)
        with xr.open_datatree(tmp_path / code / "product.zarr", engine="zarr", chunks=None) as tree:
            made[code] = tree["/measurements/filtered"].values
    assert made["cpp"].shape == speckled.shape
    assert np.isfinite(made["cpp"]).mean() > 0.9
    np.testing.assert_array_equal(made["cpp"], made["numpy"])
    np.testing.assert_array_equal(made["numba"], made["numpy"])

"""s2-toa on a simulated scene of many chunks: windows, halos, engines and counts."""

import dask
import numpy as np
import pytest
import xarray as xr
from swath.processing import apply
from swath.run import execute, make_payload
from swath_sentinel2 import simulator
from swath_sentinel2.toa import BANDS, TOA, Flag

PARAMETERS = {"resolution": 20, "indices": ["ndvi", "evi", "ndsi"], "cloud_buffer": 180}


def arrays(tree: xr.DataTree) -> dict[str, np.ndarray]:
    """Return all variables by their paths, computed in one go."""
    lazy = {
        f"{node.path}/{name}": variable.data
        for node in tree.subtree
        for name, variable in node.data_vars.items()
    }
    return dask.compute(lazy)[0]


@pytest.fixture(scope="module")
def whole(simulated_product):
    return arrays(apply(TOA, simulated_product, PARAMETERS))


def test_the_scene_has_what_the_test_needs(whole):
    mask = whole["/quality/mask/r20m/mask"]
    for flag in (Flag.NO_DATA, Flag.CLOUD, Flag.CIRRUS, Flag.CLOUD_BUFFER):
        assert 0.01 < ((mask & flag) > 0).mean() < 0.9


WINDOWS = [
    ((0, 270), (0, 100)),
    ((63, 65), (127, 129)),
    ((64, 128), (64, 128)),
    ((101, 102), (269, 270)),
    ((5, 211), (33, 190)),
]


@pytest.mark.parametrize(("rows", "columns"), WINDOWS)
def test_a_window_equals_that_part_of_the_whole_bit_for_bit(simulated_product, whole, rows, columns):
    window = {"rows": list(rows), "columns": list(columns)}
    part = arrays(apply(TOA, simulated_product, PARAMETERS, window))
    assert part.keys() == whole.keys()
    for name, values in part.items():
        expected = np.ascontiguousarray(whole[name][slice(*rows), slice(*columns)])
        assert values.tobytes() == expected.tobytes(), name


def test_the_buffer_crosses_chunk_borders(whole):
    """The buffer worked out on the whole mask at once is that which was made chunk by chunk."""
    mask = whole["/quality/mask/r20m/mask"]
    clouds = (mask & (Flag.CLOUD | Flag.CIRRUS)) > 0
    near = np.zeros_like(clouds)
    for down in range(-9, 10):
        for across in range(-9, 10):
            if down * down + across * across <= 81:
                rows, columns = (np.clip(np.arange(270) + shift, 0, 269) for shift in (down, across))
                inside = np.zeros_like(clouds)
                inside[max(-down, 0) : 270 - max(down, 0), max(-across, 0) : 270 - max(across, 0)] = True
                near |= clouds[np.ix_(rows, columns)] & inside
    np.testing.assert_array_equal((mask & Flag.CLOUD_BUFFER) > 0, near & ~clouds)


@pytest.mark.parametrize("resolution", [10, 20, 60])
def test_reflectance_is_the_simulators_truth(simulated_product, scene, resolution):
    bands = [name for name, band in BANDS.items() if band.resolution == resolution]
    side = 5400 // resolution
    window = {"rows": [side // 3, side // 2], "columns": [side // 2, side]}
    parameters = {"resolution": resolution, "bands": bands, "indices": [], "cloud_test": "none"}
    made = arrays(apply(TOA, simulated_product, parameters, window))
    for band in bands:
        true = simulator.truth(scene, band.upper(), (tuple(window["rows"]), tuple(window["columns"])))
        counts = true.digital_number.astype(np.float64)
        values = made[f"/measurements/reflectance/r{resolution}m/{band}"]
        # Baseline 04.00 and newer: (counts + RADIO_ADD_OFFSET) / QUANTIFICATION_VALUE.
        expected = np.where(counts == 0, np.nan, (counts - 1000) / 10000)
        np.testing.assert_allclose(values, expected, rtol=0, atol=np.finfo(np.float32).eps)
        seen = np.isfinite(values)
        # Half a count, and what single precision adds, from the truth before it was made an integer.
        assert np.abs(values[seen] - true.reflectance[seen]).max() < 0.5e-4 + 1e-6


@pytest.fixture(scope="module")
def ran(simulated, tmp_path_factory):
    """Run the same window with both engines."""
    folder = tmp_path_factory.mktemp("runs")
    content = {
        "processor": "s2-toa", "inputs": {"product": str(simulated)}, "parameters": PARAMETERS,
        "window": "rows 50:200, columns 100:270", "workers": 2, "cogs": False,
    }  # fmt: skip
    return {
        engine: execute(make_payload(content, engine=engine, destination=str(folder / engine)))
        for engine in ("threads", "distributed")
    }


@pytest.mark.parametrize("engine", ["threads", "distributed"])
def test_reads_the_chunks_and_bytes_that_were_planned(ran, engine):
    report = ran[engine]
    assert report.read.chunks == report.plan.chunks > 100
    assert report.read.bytes == report.plan.bytes


def test_both_engines_write_the_same(ran, whole):
    stores = {
        engine: arrays(xr.open_datatree(report.product / "product.zarr", engine="zarr", consolidated=True))
        for engine, report in ran.items()
    }
    for name, values in stores["threads"].items():
        assert values.tobytes() == stores["distributed"][name].tobytes()
        if name.endswith("/spatial_ref"):
            continue  # where the images lie: no result
        assert values.tobytes() == np.ascontiguousarray(whole[name][50:200, 100:270]).tobytes()


def test_the_spectral_test_finds_the_simulated_clouds(simulated_product, scene):
    """The simulator's clouds are white by construction: that the parts fit is all that this can show."""
    made = apply(TOA, simulated_product, {"resolution": 60, "bands": [], "indices": [], "cloud_buffer": 0})
    mask = made["/quality/mask/r60m/mask"].values
    true = simulator.truth(scene, "B01", ((0, 90), (0, 90)))
    tested = (mask & Flag.NO_DATA) == 0
    thick = tested & (true.cloud > 0.9)
    clear = tested & (true.cloud == 0) & (true.cirrus == 0)
    flagged = (mask & (Flag.CLOUD | Flag.CIRRUS)) > 0
    assert flagged[thick].mean() > 0.95
    assert flagged[clear].mean() < 0.2

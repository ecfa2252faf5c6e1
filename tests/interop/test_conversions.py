"""Conversions of the same SAFE by eopf and by Swath: what eopf complains of, and array by array."""

import re
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import swath
import xarray as xr
from eopf_judge import CATEGORIES, complaints, convert, counted
from swath.product import Filters, select

KINDS = ("s2_l1c", "s2_l2a")


@dataclass(frozen=True)
class Conversion:
    """Two conversions of one SAFE."""

    safe: Path
    theirs: Path
    ours: Path

    def bands(self, element: str) -> list[int]:
        """Return the numbers of bands in the order in which the tile's metadata has them."""
        text = next(self.safe.glob("GRANULE/*/MTD_TL.xml")).read_text()
        return list(dict.fromkeys(map(int, re.findall(rf'<{element} bandId="(\d+)"', text))))


@pytest.fixture(scope="session", params=KINDS)
def conversion(request, python, tmp_path_factory) -> Conversion:
    safe = request.getfixturevalue(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    convert(python, safe, folder / "theirs.zarr")
    swath.write_product(swath.open_product(safe), folder / "ours.zarr", extras=False)
    return Conversion(safe, folder / "theirs.zarr", folder / "ours.zarr")


@pytest.fixture(scope="session")
def counts(conversion, python) -> tuple[dict[str, int], dict[str, int]]:
    theirs, ours = complaints(python, conversion.theirs, conversion.ours)
    return counted(theirs), counted(ours)


@pytest.mark.parametrize("category", CATEGORIES)
def test_it_complains_of_ours_no_more_than_of_its_own(counts, category):
    theirs, ours = counts
    print(f"theirs {theirs}, ours {ours}")
    assert theirs["MODEL"] > 0  # it has looked at its model
    assert ours[category] <= theirs[category]


def stored(path: Path) -> dict[str, tuple[xr.Variable, bool]]:
    """Return all arrays as they are stored, and whether each is a coordinate."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of numpy's bytes, of which eopf writes in format 3
        tree = xr.open_datatree(path, engine="zarr", mask_and_scale=False, chunks={})
        return {
            f"{node.path}/{name}": (variable.load(), name in node.coords)
            for node in tree.subtree
            for name, variable in node.to_dataset(inherit=False).variables.items()
        }


def test_arrays_equal_array_by_array(conversion):
    theirs, ours = stored(conversion.theirs), stored(conversion.ours)
    weather = {f"/conditions/meteorology/ecmwf/{name}" for name in ("time", "valid_time")}
    lacking = {path for path in theirs if path not in ours}
    assert lacking == set()
    assert {path for path in ours if path not in theirs} <= weather | PROBABILITIES
    compared = 0
    for path, (one, coordinate) in theirs.items():
        other, also = ours[path]
        assert coordinate == also, path
        assert one.dims == other.dims, path
        if not explained(conversion, path, one, other):
            assert one.dtype == other.dtype, path
            np.testing.assert_array_equal(one.values, other.values, path)
        compared += 1
    assert compared > 60


PROBABILITIES = {f"/quality/probability/r60m/{name}" for name in ("cld", "snw", "x", "y")}
"""Of level 2A: in the SAFE at 20 m and at 60 m; eopf has those of 20 m."""


def explained(conversion: Conversion, path: str, one: xr.Variable, other: xr.Variable) -> bool:
    """Compare what is known to differ, and how, and tell whether it was that.

    - coordinates are real numbers of 32 bits there, and exact here;
    - probabilities of level 2A are real numbers there, and whole ones of 8 bits here, as in the SAFE;
    - bands are called in bytes there and in text here, detectors ``d07`` there and 7 here;
    - angles of bands are in the order of the XML there, under names in another order.
    """
    name = path.rpartition("/")[2]
    if name in ("x", "y", "latitude", "longitude"):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one.values, other.values.astype(np.float32), path)
        return True
    if name == "band":
        assert [band.decode() for band in one.values] == list(other.values)
        return True
    if name == "detector":
        assert [int(band.decode().removeprefix("d")) for band in one.values] == list(other.values)
        return True
    if path in ("/quality/probability/r20m/cld", "/quality/probability/r20m/snw"):
        assert one.dtype == np.float32
        np.testing.assert_array_equal(one.values, other.values.astype(np.float32), path)
        return True
    if name in ("mean_viewing_incidence_angles", "viewing_incidence_angles"):
        mean = name.startswith("mean")
        order = conversion.bands("Mean_Viewing_Incidence_Angle" if mean else "Viewing_Incidence_Angles_Grids")
        np.testing.assert_array_equal(one.values, other.values[order], path)
        return True
    return False


def test_offsets_are_those_of_each_band_here_and_of_the_first_one_there(conversion):
    theirs, ours = stored(conversion.theirs), stored(conversion.ours)
    bands = [path for path in ours if path.startswith("/measurements/") and path[-3:] not in ("/x", "/y")]
    bands = [path for path in bands if path.rpartition("/")[2] not in ("x", "y")]
    assert len(bands) > 12
    for path in bands:
        assert theirs[path][0].attrs["scale_factor"] == pytest.approx(ours[path][0].attrs["scale_factor"])
        offset = theirs[path][0].attrs.get("add_offset", 0.0)
        assert offset == pytest.approx(ours[path][0].attrs["add_offset"], abs=0.0013)


def test_windows_of_theirs_are_cut_here(conversion):
    theirs, ours = (
        select(swath.open_product(path), Filters(window="rows 2:9, columns 3:9"))
        for path in (conversion.theirs, conversion.ours)
    )
    for tree in (theirs, ours):
        band = tree["measurements/reflectance/r10m/b02"]
        assert band.shape == (7, 6)
        assert band.attrs["proj:epsg"] in (32755, 32701)
    np.testing.assert_array_equal(
        theirs["conditions/mask/detector_footprint/r10m/b02"].values,
        ours["conditions/mask/detector_footprint/r10m/b02"].values,
    )

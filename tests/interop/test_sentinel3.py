"""Sentinel-3 by eopf and by Swath: SEN3 with made numbers, in which eopf finds every file of its mappings."""

import os
import re
import subprocess
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import swath
import xarray as xr
from eopf_judge import complaints, convert, counted
from made_sen3 import make_sen3

SAMPLES = Path(os.environ.get("SWATH_SAMPLES", Path(__file__).parents[3] / "shared" / "samples"))

pytestmark = pytest.mark.skipif(
    not SAMPLES.exists() and "CI" not in os.environ, reason="no sample products on this machine"
)

KINDS = {
    "OL_1_EFR": "S03OLCEFR", "OL_2_LFR": "S03OLCLFR", "SL_1_RBT": "S03SLSRBT", "SL_2_LST": "S03SLSLST",
    "SY_2_SYN": "S03SYNSDR",
}  # fmt: skip
MAPPINGS = "from pathlib import Path; import eopf; print(Path(eopf.__file__).parent / 'store/mapping')"
EXPLAINED = {
    # The manifest of OLCI has no processing baseline: eopf says "null".
    "S03OLCLFR": (
        "stac_discovery/collection not available",
        # Shares of pixels, which STAC's extension has no place for: eopf's own are refused by its schema.
        "classification:classes not available",
        # Whole numbers with a fill value: missing here, -1 and -128 there.
        "dtype detected on variable 'detector_index'",
        "dtype detected on variable 'frame_offset'",
    )
}
"""Type of the product → what the validator says of ours alone, where it is in the right to differ."""

COUNTERS = ("rows", "columns", "orphan_pixels", "removed_pixels", "detectors", "integrators", "wind_vector",
            "visible_detectors", "swir_detectors", "pressure_level")  # fmt: skip
"""Coordinates of eopf that count along their dimension; the pressure levels have a name of their own here."""


@dataclass(frozen=True)
class Conversion:
    """Two conversions of one product."""

    kind: str
    theirs: Path
    ours: Path


def manifest(kind: str) -> tuple[str, str]:
    """Return a product's name and a real manifest; that of SYN is the one of an OLCI product, renamed."""
    like = "OL_2_LFR" if kind == "SY_2_SYN" else kind
    folder = next(SAMPLES.glob(f"s3/sen3_headers/*{like}*"))
    return folder.name.replace(like, kind), (folder / "xfdumanifest.xml").read_text().replace(like, kind)


@pytest.fixture(scope="session", params=KINDS)
def conversion(request, python, tmp_path_factory) -> Conversion:
    folder = tmp_path_factory.mktemp(request.param)
    told = subprocess.run([python, "-c", MAPPINGS], check=True, capture_output=True, text=True)
    mapping = Path(told.stdout.strip()) / f"{KINDS[request.param]}_pv1.0.0_mv1.0.0.json"
    name, text = manifest(request.param)
    product = make_sen3(mapping, text, folder / name)
    convert(python, product, folder / "theirs.zarr")
    swath.write_product(swath.open_product(product), folder / "ours.zarr", extras=False)
    return Conversion(KINDS[request.param], folder / "theirs.zarr", folder / "ours.zarr")


def test_it_complains_of_ours_no_more_than_of_its_own(conversion, python):
    theirs, ours = complaints(python, conversion.theirs, conversion.ours)
    explained = EXPLAINED.get(conversion.kind, ())
    found = [text for text in explained if any(text in told for _, told in ours)]
    assert found == list(explained)
    counts = [counted(anomalies) for anomalies in (theirs, ours)]
    print(f"{conversion.kind}: theirs {counts[0]}, ours {counts[1]}")
    assert counts[0]["MODEL"] > 0  # it has looked at its model
    assert len(ours) <= len(theirs)
    counts[1]["MODEL"] -= len(explained)
    assert {kind for kind in counts[1] if counts[1][kind] > counts[0][kind]} == set()


def stored(path: Path) -> dict[str, xr.Variable]:
    """Return all variables as they are stored, but for times, which are decoded."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # eopf writes consolidated metadata in format 3
        tree = xr.open_datatree(path, engine="zarr", mask_and_scale=False, chunks={})
        return {
            f"{node.path}/{name}": variable.load()
            for node in tree.subtree
            for name, variable in node.to_dataset(inherit=False).variables.items()
        }


def test_arrays_equal_array_by_array(conversion):
    theirs, ours = stored(conversion.theirs), stored(conversion.ours)
    # SYN's mapping calls them otherwise than SYN's model, to which Swath keeps.
    renamed = {re.sub(r"/(oa\d\d|s\d)_sdr(_unc)?$", r"/sdr_\1\2", path): path for path in theirs}
    lacking = {path for path in renamed if path not in ours}
    # Coordinates that eopf repeats in other groups of SYN than Swath.
    repeated = {path for path in lacking if path.endswith(("/latitude", "/longitude", "/altitude"))}
    assert not [path for path in lacking - repeated if path.rpartition("/")[2] not in COUNTERS]
    assert not repeated or conversion.kind == "S03SYNSDR"
    compared = 0
    for path in renamed.keys() & ours.keys():
        one, other = theirs[renamed[path]], ours[path]
        assert one.dims == other.dims, path
        if other.dtype.kind == "M" and one.dtype.kind == "M":
            # OLCI counts in GPS time, which Swath brings to UTC.
            ahead = np.timedelta64(18 if conversion.kind.startswith("S03OLC") else 0, "s")
            np.testing.assert_array_equal(one.values - ahead, other.values, path)
        elif path.endswith(("/olci/latitude", "/olci/longitude")):  # scaled and back
            np.testing.assert_allclose(one.values, other.values, rtol=1e-15, err_msg=path)
        else:
            assert one.dtype == other.dtype, path
            np.testing.assert_array_equal(one.values, other.values, path)
            assert one.attrs.get("scale_factor", 1) == other.attrs.get("scale_factor", 1), path
            assert one.attrs.get("add_offset", 0) == other.attrs.get("add_offset", 0), path
        compared += 1
    assert compared > 30

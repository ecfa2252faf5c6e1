"""What eopf, the other side, makes of our products; it runs in an environment of its own."""

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
import swath
from swath.product import Filters, select

REPOSITORY = Path(__file__).parents[2]
SAMPLES = Path(os.environ.get("SWATH_SAMPLES", REPOSITORY.parent / "shared" / "samples"))
sys.path.insert(0, str(REPOSITORY / "benchmarks"))

from suite.peer import peer_python  # noqa: E402 -- it is no package that is installed

pytestmark = pytest.mark.skipif(
    not SAMPLES.exists() and "CI" not in os.environ, reason="no sample products on this machine"
)

OPEN = """
import json, sys
import numpy as np
import eopf
tree = eopf.open_datatree(filename_or_obj=sys.argv[1])
told = {}
for node in tree.subtree:
    for name, array in node.data_vars.items():
        if np.asarray(array).dtype.kind in "iufcb":
            path = f"{node.path}/{name}".strip("/")
            np.save(f"{sys.argv[2]}/{len(told)}.npy", np.asarray(array))
            told[path] = len(told)
print(json.dumps(told))
"""
VALIDATE = """
import json, sys
import eopf
from eopf.product.datatree_validation import ValidationMode
tree = eopf.open_datatree(filename_or_obj=sys.argv[1])
_, anomalies = tree.cpm.is_valid(validation_mode=ValidationMode.FULL)
print(json.dumps([str(anomaly) for anomaly in anomalies]))
"""
MANDATORY = re.compile("Mandatory attribute .* not present")


@pytest.fixture(scope="session")
def python() -> Path:
    return peer_python()


def asked(python, script, *arguments):
    done = subprocess.run(
        [python, "-c", script, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.strip().splitlines()[-1])


@pytest.fixture(scope="session")
def radar():
    """Return one burst of the real product that eopf has converted for the samples."""
    tree = swath.open_product(next(SAMPLES.glob("s1/safe/S1B_IW_SLC*.SAFE")))
    return select(tree, Filters(burst=("0",), polarisation=("VH",), swath=("IW1",)))


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_our_products_open_there_with_the_same_numbers(python, tmp_path, zarr_format):
    tree = swath.open_product(next(SAMPLES.glob("s2/S2A_MSIL1C_20171207*.zip")))
    swath.write_product(tree, tmp_path / "p.zarr", zarr_format=zarr_format)
    (tmp_path / "arrays").mkdir()
    told = asked(python, OPEN, tmp_path / "p.zarr", tmp_path / "arrays")
    compared = 0
    for path, number in told.items():
        if path.endswith("/spatial_ref"):
            continue
        np.testing.assert_array_equal(np.load(tmp_path / "arrays" / f"{number}.npy"), tree[path].values, path)
        compared += 1
    assert compared > 40


def test_it_complains_of_ours_no_more_than_of_its_own(python, radar, tmp_path):
    swath.write_product(radar, tmp_path / "ours.zarr")
    with zipfile.ZipFile(next(SAMPLES.glob("eopf/S01SIWSLC_*.zip"))) as archive:
        archive.extractall(tmp_path / "theirs")
    theirs = next(entry for entry in sorted((tmp_path / "theirs").iterdir()) if entry.is_dir())
    theirs = theirs.rename(tmp_path / "theirs.zarr")  # by whose name it is known
    ours = asked(python, VALIDATE, tmp_path / "ours.zarr")
    assert not [anomaly for anomaly in ours if MANDATORY.search(anomaly)]
    assert len(ours) <= len(asked(python, VALIDATE, theirs))

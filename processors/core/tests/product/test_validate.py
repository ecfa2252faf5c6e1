"""A product held against its model."""

import gzip
import json

import numpy as np
import pytest
import swath
import xarray as xr
from swath.errors import InputError
from swath.product import validate_product
from swath.product._models import load_model, model_names


def errors(tree, model=None):
    return {f.path: f.told for f in validate_product(tree, model) if f.level == "error"}


@pytest.mark.parametrize("name", ["S02MSIL1C", "S03OLCEFR", "S03SLSRBT", "S03SYNSDR"])
def test_models_are_those_of_eopf(samples, name):
    with gzip.open(samples / f"eopf/cpm_2.8.1_models/{name}.json.gz") as file:
        expected = json.load(file)["variables"]
    found = load_model(name).variables
    assert {path: (v.dtype, list(v.dimensions)) for path, v in found.items()} == {
        path: (v["dtype"], v["dims"]) for path, v in expected.items()
    }


def test_a_model_that_there_is_not_is_told():
    assert "S02MSIL1C" in model_names()
    with pytest.raises(InputError, match="there are S01SIWGRD"):
        load_model("../S02MSIL1C")
    with pytest.raises(InputError, match="does not tell its type"):
        validate_product(xr.DataTree())


def test_our_reading_of_a_modern_product_lacks_what_the_page_says(modern_safe):
    """Meteorology and the true-colour image are not read; everything else is as in the model."""
    found = errors(swath.open_product(modern_safe))
    assert found
    assert all("meteorology" in path or "tci" in path for path in found), found


def test_variables_that_are_missing_or_different_are_told_with_their_place(modern_safe):
    tree = swath.open_product(modern_safe)
    before = errors(tree)
    bands = tree["measurements/reflectance/r10m"]
    bands["b02"] = bands["b02"].transpose("x", "y")
    bands["b03"] = ("y", np.array(["a"] * 172))
    bands["b_04"] = bands["b04"]
    del bands["b04"]
    tree["quality/mask/r10m/b02"].attrs["flag_meanings"] = ["ONE"]
    found = {path: told for path, told in errors(tree).items() if path not in before}
    where = "/measurements/reflectance/r10m"
    assert found[f"{where}/b02"] == "is over (x, y), expected (y, x)"
    assert found[f"{where}/b03"].endswith(", expected float64")
    assert found[f"{where}/b04"].startswith(f"is missing; is it {where}/b_04?")
    assert found["/quality/mask/r10m/b02"] == "has 8 flag_masks for 1 flag_meanings"
    assert len(found) == 4


def test_flags_that_do_not_fit_their_type_are_told():
    tree = xr.DataTree.from_dict({"/a": xr.Dataset({"v": ("x", np.zeros(2, np.uint8))})})
    tree["a/v"].attrs |= {"flag_masks": [1, 256], "flag_meanings": "a b"}
    assert errors(tree, "S03OLCL0_")["/a/v"] == "has flag_masks that do not fit its type uint8"


def test_a_file_that_is_cut_off_is_told(efr, tmp_path):
    import shutil

    folder = shutil.copytree(efr, tmp_path / efr.name)
    tree = swath.open_product(folder)
    flags = folder / "qualityFlags.nc"
    flags.write_bytes(flags.read_bytes()[:900_000])
    assert "is truncated" in errors(tree)["/quality/quality_flags"]

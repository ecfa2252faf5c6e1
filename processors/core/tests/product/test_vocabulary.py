"""Products that say nothing but what products of eopf say."""

import json

import pytest
import swath
from swath.product import Filters, select

BAND = "measurements/reflectance/r10m/b02"


@pytest.fixture(scope="module")
def bare(sample_safe, tmp_path_factory):
    path = tmp_path_factory.mktemp("bare") / "bare.zarr"
    tree = select(swath.open_product(sample_safe), Filters(include=("*/r10m/b02", "conditions/geometry")))
    swath.write_product(tree, path, extras=False)
    return path


def test_leaves_out_what_the_models_do_not_have(bare):
    attributes = json.loads((bare / BAND / ".zattrs").read_text())
    assert not {"grid_mapping", "_CRS", "_eopf_attrs", "proj:epsg"} & set(attributes)
    assert not list(bare.rglob("spatial_ref"))
    told = json.loads((bare / ".zattrs").read_text())
    assert "tile_id" not in told["other_metadata"]
    assert told["stac_discovery"]["properties"]["proj:code"] == "EPSG:32755"


def test_names_the_asset_of_each_variable_as_eopf_does(bare):
    told = json.loads((bare / ".zattrs").read_text())["stac_discovery"]
    assert told["assets"]["b02_10m"]["href"] == BAND
    assert told["links"] == []
    assert json.loads((bare / BAND / ".zattrs").read_text())["short_name"] == "b02_10m"


def test_images_are_placed_by_the_root_when_it_is_opened(bare, sample_safe):
    before, after = swath.open_product(sample_safe)[BAND], swath.open_product(bare)[BAND]
    for name in ("proj:epsg", "proj:shape", "proj:transform", "proj:bbox"):
        assert after.attrs[name] == before.attrs[name], name
    assert select(swath.open_product(bare), Filters(window="rows 2:9, columns 3:9"))[BAND].shape == (7, 6)


def test_angles_on_a_grid_of_their_own_are_no_images(bare):
    assert "proj:epsg" not in swath.open_product(bare)["conditions/geometry/sun_angles"].attrs

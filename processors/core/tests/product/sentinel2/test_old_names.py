"""Level-1C products from before December 2016: each tile of them reads as a product of today."""

import numpy as np
import swath
import xarray as xr


def test_a_tile_under_long_names_reads_as_under_short_ones(sample_safe, old_l1c):
    new, old = swath.open_product(sample_safe), swath.open_product(old_l1c)
    assert list(old.children) == ["T55JEJ", "T55JEK"]
    tile = old["T55JEJ"]
    assert {node.path for node in new.subtree} == {
        node.path.removeprefix("/T55JEJ") or "/" for node in tile.subtree
    }
    for node in new.subtree:
        xr.testing.assert_equal(
            tile[node.path.lstrip("/")].to_dataset(inherit=False) if node.path != "/" else tile.to_dataset(),
            node.to_dataset(inherit=False),
        )


def test_each_tile_has_a_stac_item_of_its_own(old_l1c):
    tree = swath.open_product(old_l1c)
    whole, tiles = (
        tree.attrs["stac_discovery"],
        [node.attrs["stac_discovery"] for node in tree.children.values()],
    )
    assert whole["id"] == old_l1c.name.removesuffix(".SAFE")
    assert [tile["id"] for tile in tiles] == [f"{whole['id']}_T55JEJ", f"{whole['id']}_T55JEK"]
    assert [tile["properties"]["grid:code"] for tile in tiles] == ["MGRS-55JEJ", "MGRS-55JEK"]
    assert "proj:code" not in whole["properties"]
    west, south, east, north = tiles[0]["bbox"]
    assert np.allclose([west, north], [147.0, -28.0], atol=0.05)
    assert 0.9 < east - west < 1.3
    assert 0.9 < north - south < 1.1

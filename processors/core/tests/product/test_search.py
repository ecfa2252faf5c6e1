"""A catalogue is searched, and what is found is opened where it lies, or fetched."""

import shutil

import numpy as np
import pytest
import swath
from swath.errors import InputError, StoreError

RING = [[[147, -28], [148, -28], [148, -27], [147, -27], [147, -28]]]


@pytest.fixture
def found(web, practice_zarr, tmp_path, monkeypatch):
    """Return a catalogue of three items, of which the second and third are under clouds."""
    import catalogue

    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("EODAG_CFG_DIR", str(tmp_path / "eodag"))
    monkeypatch.setenv("EODAG_EXT_COLLECTIONS_CFG_URI", "")
    monkeypatch.setenv("SWATH_HOME", str(tmp_path / "home"))
    shutil.copytree(practice_zarr, web.folder / "found.zarr", dirs_exist_ok=True)
    items = [
        {
            "type": "Feature", "stac_version": "1.1.0", "id": f"P{number}", "collection": "practice",
            "geometry": {"type": "Polygon", "coordinates": RING}, "bbox": [147, -28, 148, -27], "links": [],
            "properties": {"datetime": f"2026-11-2{number}T00:00:00Z", "eo:cloud_cover": 30.0 * number},
            "assets": {"product": {"href": f"{web.address}/found.zarr", "roles": ["data"],
                                   "type": "application/vnd+zarr"}},
        }
        for number in range(3)
    ]  # fmt: skip
    started = catalogue.Catalogue(items)
    yield started
    started.close()


def test_what_is_found_is_opened_and_fetched(found, practice_zarr):
    items = swath.search(
        "practice", catalogue=found.address, bbox=(147, -28, 148, -27), start="2026-11-20", end="2026-11-25",
        properties={"eo:cloud_cover": 20},
    )  # fmt: skip
    assert [item["id"] for item in items] == ["P0"]
    (asked,) = found.asked
    assert asked["collections"] == ["practice"]
    assert asked["datetime"].startswith("2026-11-20T00:00:00")
    assert "intersects" in asked or asked["bbox"] == [147, -28, 148, -27]
    name = "measurements/r10m/red"
    expected = swath.open_product(practice_zarr)[name].values
    np.testing.assert_array_equal(swath.open_product(items[0])[name].values, expected)
    np.testing.assert_array_equal(swath.open_product(swath.fetch(items[0]))[name].values, expected)


def test_no_more_than_the_limit_is_returned(found):
    assert len(swath.search("practice", catalogue=found.address, limit=2)) == 2
    assert len(swath.search("practice", catalogue=f"{found.address}/search")) == 3


def test_a_catalogue_that_fails_is_told(found):
    found.status = 503
    with pytest.raises(StoreError, match="could not be searched"):
        swath.search("practice", catalogue=found.address)


def test_a_provider_that_nobody_knows_is_bad_input(found):
    with pytest.raises(InputError, match="refused"):
        swath.search("practice", catalogue="no-such-provider")

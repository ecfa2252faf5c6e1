"""A STAC item leads to its product; where it is not clear, the assets are told."""

import json
import shutil

import numpy as np
import pytest
import swath
from swath.errors import MetadataError, ProductError, StoreError
from swath.product import locate


def item(**assets):
    return {"type": "Feature", "stac_version": "1.1.0", "id": "x", "assets": assets}


def write(path, *, content=None, **assets):
    path.write_text(json.dumps(content if content is not None else item(**assets)))
    return path


@pytest.mark.parametrize(("assets", "expected"), [
    ({"product": {"href": "https://host/a/X.zarr"}, "b02": {"href": "https://host/a/X.zarr/b02"}},
     "https://host/a/X.zarr"),
    ({"B02_10m": {"href": "s3://bucket/X.SAFE/GRANULE/b.jp2"}, "safe-manifest": {
        "href": "s3://bucket/X.SAFE/manifest.safe"}}, "s3://bucket/X.SAFE"),
    ({"SR_10m": {"href": "https://host/X.zarr/measurements/reflectance/r10m", "roles": ["data"]},
      "SR_20m": {"href": "https://host/X.zarr/measurements/reflectance/r20m", "roles": ["data"]},
      "thumbnail": {"href": "https://host/t.png", "roles": ["thumbnail"]}}, "https://host/X.zarr"),
    ({"Product": {"href": "gopher://host/X.zip", "alternate": {"s3": {"href": "s3://bucket/X.SAFE"}}}},
     "s3://bucket/X.SAFE"),
    ({"data": {"href": "https://host/scene.nc", "type": "application/netcdf", "roles": ["data"]},
      "quicklook": {"href": "https://host/q.png", "type": "image/png", "roles": ["overview"]}},
     "https://host/scene.nc"),
    ({"zarr": {"href": "https://host/X.zarr?signature=abc"}}, "https://host/X.zarr?signature=abc"),
])  # fmt: skip
def test_the_product_among_the_assets(tmp_path, assets, expected):
    path = write(tmp_path / "item.json", content=item(**assets))
    assert locate(str(path)) == expected


def test_addresses_count_from_the_item(tmp_path, web, s3):
    path = write(tmp_path / "item.json", product={"href": "./data/X.SAFE"})
    assert locate(str(path)) == str(tmp_path / "data/X.SAFE")
    assert locate(path.as_uri()) == str(tmp_path / "data/X.SAFE")
    (s3.bucket / "items").mkdir(exist_ok=True)
    (web.folder / "items").mkdir(exist_ok=True)
    for folder in (s3.bucket, web.folder):
        write(folder / "items" / "one", product={"href": "../X.zarr"})
        shutil.copy(folder / "items" / "one", folder / "items" / "one.json")
    assert locate(f"{web.address}/items/one") == f"{web.address}/X.zarr"
    assert locate("s3://bucket/items/one.json") == "s3://bucket/X.zarr"


def test_several_products_are_told_and_one_is_chosen_by_its_key(tmp_path):
    data = {"type": "image/tiff", "roles": ["data"]}
    path = write(
        tmp_path / "item.json",
        a={"href": "a.tif", **data},
        b={"href": "https://host/b.tif?token=secret", **data},
    )
    with pytest.raises(
        ProductError, match=r"several of its assets .* #KEY .* a \(image/tiff, a.tif\); b"
    ) as told:
        locate(str(path))
    assert "secret" not in str(told.value)
    assert locate(f"{path}#a") == str(tmp_path / "a.tif")
    with pytest.raises(ProductError, match="has no asset 'c'"):
        locate(f"{path}#c")


WITHOUT = [
    item(),
    item(thumbnail={"href": "t.png", "roles": ["thumbnail"]}),
    item(product={"href": 5}),
    item(product="X"),
    {**item(), "assets": 3},
]


@pytest.mark.parametrize("content", WITHOUT)
def test_an_item_without_a_product_is_told(tmp_path, content):
    with pytest.raises(ProductError, match="none of its assets is a product"):
        locate(str(write(tmp_path / "item.json", content=content)))


@pytest.mark.parametrize("text", ["", "[]", "{", '{"type": "FeatureCollection"}', "[" * 100_000])
def test_what_is_no_item_is_told(tmp_path, text):
    (tmp_path / "item.json").write_text(text)
    with pytest.raises(MetadataError, match="STAC item"):
        locate(str(tmp_path / "item.json"))


def test_an_item_that_is_not_there_is_told(tmp_path, web):
    with pytest.raises(ProductError, match="cannot read"):
        locate(str(tmp_path / "item.json"))
    with pytest.raises(ProductError, match="nothing at"):
        locate(f"{web.address}/item.json")
    web.fail("503", times=1000)
    with pytest.raises(StoreError, match="3 times"):
        locate(f"{web.address}/item.json")


@pytest.mark.parametrize("path", ["X.SAFE", "s3://bucket/X.zarr", "https://host/X.zip", "payload.yaml"])
def test_other_addresses_are_left_as_they_are(path):
    assert locate(path) == path


def test_an_item_is_opened_as_its_product(practice_zarr, s3, tmp_path):
    shutil.copytree(practice_zarr, s3.bucket / "located.zarr")
    path = write(
        tmp_path / "item.json", product={"href": "s3://bucket/located.zarr", "type": "application/vnd+zarr"}
    )
    here, there = swath.open_product(practice_zarr), swath.open_product(path)
    name = "measurements/r10m/red"
    np.testing.assert_array_equal(there[name].values, here[name].values)

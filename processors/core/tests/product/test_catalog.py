"""STAC of whole products: items and collections are valid by the schemas, with nothing fetched."""

import json
import socket
import subprocess

import mapped
import pystac
import pytest
import swath
from swath.errors import InputError, MetadataError, WriteError
from swath.product.catalog import add_to_collection, collection, product_item, write_item
from swath.product.stac import ItemFile


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args):
        raise AssertionError(f"tried to reach {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.fixture
def validator(offline_validator):
    return offline_validator


def item(identifier="made", **properties):
    tree = mapped.product()
    discovery = tree.attrs["stac_discovery"]
    told = {**discovery, "id": identifier, "properties": {**discovery["properties"], **properties}}
    tree.attrs["stac_discovery"] = told
    return product_item(tree)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # a fixture's, of its source
@pytest.mark.parametrize("name", ["small_efr", "small_rbt", "modern_safe", "sample_safe"])
def test_items_of_real_metadata_are_valid(request, validator, name):
    made = product_item(swath.open_product(request.getfixturevalue(name)))
    assert pystac.Item.from_dict(made.to_dict()).validate(validator=validator)
    assert made.stac_extensions


def test_bands_are_those_of_the_data(modern_safe, tmp_path):
    (tmp_path / "p.zarr").mkdir()
    file = ItemFile("p.zarr", "All variables", ("data",), key="product")
    made = product_item(swath.open_product(modern_safe), [file], tmp_path)
    assert "bands" not in made.properties
    assert [band["name"] for band in made.assets["product"].extra_fields["bands"]][:2] == ["b01", "b02"]


def test_a_product_without_time_or_identifier_is_told():
    with pytest.raises(MetadataError, match="tells no time"):
        item(datetime=None)
    with pytest.raises(MetadataError, match="'yesterday', expected a time"):
        item(datetime="yesterday")
    with pytest.raises(MetadataError, match="has no id"):
        item(identifier="")


def test_a_collection_has_the_extent_of_its_items(validator):
    east = item("east", datetime="2020-01-02T00:00:00Z", platform="sentinel-2b")
    east.bbox = [170.0, 1.0, 171.0, 2.0]
    made = collection([item(), east], identifier="tiles", description="Two tiles.")
    assert made.extent.spatial.bboxes == [[147.0, -28.1, 171.0, 2.0]]
    (start, stop) = made.extent.temporal.intervals[0]
    assert (start.year, stop.year) == (2017, 2020)
    assert made.summaries.lists["platform"] == ["sentinel-2a", "sentinel-2b"]
    assert made.validate(validator=validator)
    east.bbox = [179.0, 1.0, -179.0, 2.0]
    assert collection([east], identifier="a", description="b").extent.spatial.bboxes == [[-180, 1, 180, 2]]
    with pytest.raises(InputError, match="at least one item"):
        collection([], identifier="a", description="b")


def test_items_are_added_one_by_one_and_replaced(tmp_path, validator):
    (tmp_path / "items").mkdir()
    path = tmp_path / "collection.json"
    for name in ("a", "b", "a"):
        add_to_collection(item(name, **{"eo:cloud_cover": 5.0}), tmp_path / f"items/{name}.json", path)
    catalog = pystac.Collection.from_file(str(path))
    assert sorted(member.id for member in catalog.get_items()) == ["a", "b"]
    assert catalog.validate(validator=validator)
    for member in catalog.get_items():
        assert member.collection_id == catalog.id
        assert member.get_collection().id == catalog.id
        assert member.validate(validator=validator)
    assert sorted(p.name for p in tmp_path.rglob("*.json")) == ["a.json", "b.json", "collection.json"]


def test_what_a_person_wrote_in_a_collection_stays(tmp_path):
    path = tmp_path / "collection.json"
    add_to_collection(item("a"), tmp_path / "a.json", path)
    told = json.loads(path.read_text())
    told |= {"title": "Mine", "description": "My *fields*.", "license": "CC-BY-4.0", "keywords": ["fields"]}
    told["links"].append({"rel": "license", "href": "https://creativecommons.org/licenses/by/4.0/"})
    path.write_text(json.dumps(told))
    add_to_collection(item("b"), tmp_path / "b.json", path)
    again = json.loads(path.read_text())
    assert (again["title"], again["description"], again["license"]) == ("Mine", "My *fields*.", "CC-BY-4.0")
    assert again["keywords"] == ["fields"]
    assert [link["rel"] for link in again["links"]].count("item") == 2
    assert "license" in [link["rel"] for link in again["links"]]


def test_other_files_are_not_taken_for_collections(tmp_path):
    path = tmp_path / "thesis.json"
    for text, told in (("{", "cannot be read as JSON"), ('{"type": "Feature"}', "is no STAC collection")):
        path.write_text(text)
        with pytest.raises(InputError, match=told):
            add_to_collection(item(), tmp_path / "a.json", path)
        assert path.read_text() == text
    assert not (tmp_path / "a.json").exists()


def test_an_item_alone_is_written(tmp_path):
    write_item(item(), tmp_path / "a.json")
    assert pystac.Item.from_file(str(tmp_path / "a.json")).id == "made"


def test_an_item_takes_the_place_of_whatever_was_there_and_what_a_kill_left_goes(tmp_path):
    ended = subprocess.run(["sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    stale = tmp_path / f".a.json.partial-{ended.stdout.strip()}-0123abcd"
    stale.write_text("half")
    (tmp_path / "a.json").write_text("none of JSON")
    write_item(item(), tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]
    assert pystac.Item.from_file(str(tmp_path / "a.json")).id == "made"


def test_an_item_without_a_folder_is_told(tmp_path):
    with pytest.raises(WriteError, match="No such file or directory"):
        write_item(item(), tmp_path / "none" / "a.json")
